"""The web3.py helpers, against the precompile itself behind a provider of the few RPC methods they need."""

import re
from typing import Any

import pytest
import rlp
from eth_account import Account
from sha3 import keccak_256
from web3 import Web3
from web3.exceptions import TimeExhausted
from web3.providers.base import BaseProvider
from web3.types import RPCEndpoint, RPCResponse

from attribution_precompile import ADDRESS, METHODS
from attribution_precompile.client import (
    Attestation,
    AttributionClient,
    AttributionError,
    Influence,
    Price,
    Split,
    attestation_typed_data,
    decode_influence,
    encode_influence,
    record_hash,
    sign_attestation,
)
from attribution_precompile.signatures import CURVE_ORDER

from . import calls
from .harness import CHAIN_ID, GENESIS_TIME, MODES, Evm, Result

SENDER = Account.from_key(b"\x01" * 32)
OTHER = Account.from_key(b"\x02" * 32)
KEY, SIGNER = calls.key_of(0x51)
SIGNER_ADDRESS = Web3.to_checksum_address(calls.hexed(SIGNER))


class EvmProvider(BaseProvider):
    """A chain of one machine where every transaction is a block."""

    def __init__(self, evm: Evm) -> None:
        super().__init__()
        self.evm = evm
        self.receipts: dict[str, dict[str, Any]] = {}
        self.transactions: dict[str, dict[str, Any]] = {}
        self.nonces: dict[str, int] = {}
        self.gas_limit: int | None = None

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        answer = getattr(self, method)(*params)
        return {
            "jsonrpc": "2.0",
            "id": 1,
            **(answer if isinstance(answer, dict) and "error" in answer else {"result": answer}),
        }  # type: ignore[return-value,typeddict-item]

    def eth_chainId(self) -> str:
        return hex(CHAIN_ID)

    def eth_getTransactionCount(self, account: str, block: str) -> str:
        return hex(self.nonces.get(account.lower(), 0))

    def eth_maxPriorityFeePerGas(self) -> str:
        return "0x1"

    def eth_getBlockByNumber(self, number: str, full: bool) -> dict[str, Any]:
        return {"baseFeePerGas": "0x7", "number": "0x1", "timestamp": hex(GENESIS_TIME)}

    def _run(self, evm: Evm, call: dict[str, Any]) -> Result:
        data = bytes.fromhex(call["data"][2:])
        value = int(call.get("value", "0x0"), 16)
        return evm.call(data, caller=int(call.get("from", "0x1"), 16), value=value, to=int(call["to"], 16))

    def eth_call(self, call: dict[str, Any], block: str) -> Any:
        result = self._run(self.evm.copy(), call)
        if not result.success:
            return {"error": {"code": 3, "message": "execution reverted", "data": "0x" + result.output.hex()}}
        return "0x" + result.output.hex()

    def eth_estimateGas(self, call: dict[str, Any], *block: str) -> Any:
        answer = self.eth_call(call, "latest")
        return answer if isinstance(answer, dict) else hex(self.gas_limit or 2_000_000)

    def eth_sendRawTransaction(self, raw: str) -> str:
        body = bytes.fromhex(raw[2:])
        sender = Account.recover_transaction(body).lower()
        fields = rlp.decode(body[1:])
        gas, to, value, data = (fields[i] for i in (4, 5, 6, 7))
        result = self.evm.call(
            data,
            caller=int(sender, 16),
            value=int.from_bytes(value, "big"),
            to=int.from_bytes(to, "big"),
            gas=int.from_bytes(gas, "big"),
        )
        self.nonces[sender] = self.nonces.get(sender, 0) + 1
        transaction_hash = "0x" + keccak_256(body).hexdigest()
        self.receipts[transaction_hash] = receipt(transaction_hash, sender, result)
        self.transactions[transaction_hash] = {
            "hash": transaction_hash,
            "from": sender,
            "to": "0x" + to.hex(),
            "value": "0x" + (value.hex().lstrip("0") or "0"),
            "input": "0x" + data.hex(),
        }
        return transaction_hash

    def eth_getTransactionByHash(self, transaction_hash: str) -> dict[str, Any] | None:
        return self.transactions.get(transaction_hash)

    def eth_getTransactionReceipt(self, transaction_hash: str) -> dict[str, Any] | None:
        return self.receipts.get(transaction_hash)


def receipt(transaction_hash: str, sender: str, result: Result) -> dict[str, Any]:
    place = {
        "blockHash": "0x" + "11" * 32,
        "blockNumber": "0x1",
        "transactionHash": transaction_hash,
        "transactionIndex": "0x0",
    }
    logs = [
        {
            **place,
            "address": "0x" + log_address.hex(),
            "topics": ["0x" + topic.to_bytes(32, "big").hex() for topic in topics],
            "data": "0x" + data.hex(),
            "logIndex": hex(index),
            "removed": False,
        }
        for index, (log_address, topics, data) in enumerate(result.logs)
    ]
    return {
        **place,
        "from": sender,
        "to": calls.hexed(ADDRESS),
        "status": hex(result.success),
        "logs": logs,
        "gasUsed": hex(result.gas),
        "cumulativeGasUsed": hex(result.gas),
        "contractAddress": None,
        "logsBloom": "0x" + "00" * 256,
        "effectiveGasPrice": "0x7",
        "type": "0x2",
    }


@pytest.fixture(params=MODES)
def provider(request: pytest.FixtureRequest) -> EvmProvider:
    evm = Evm(request.param)
    for account in (SENDER, OTHER):
        evm.fund(int(account.address, 16))
    return EvmProvider(evm)


@pytest.fixture
def client(provider: EvmProvider) -> AttributionClient:
    return AttributionClient(Web3(provider))


def test_a_whole_life(client: AttributionClient) -> None:
    datanet_id = client.create_datanet(SENDER, b"\x0a" * 32)
    client.contribute(SENDER, datanet_id, [(OTHER.address, 7, b"\x0b" * 32), (SIGNER_ADDRESS, 3, b"\x0c" * 32)])
    found = client.datanet(datanet_id)
    assert (found.curator, found.total_units, found.members, found.contributions) == (SENDER.address, 10, 2, 2)
    price, split = Price(1_000, 10, 20), Split(2_000, 0, 8_000)
    model_id = client.register_model(
        SENDER, [(datanet_id, 1)], price=price, split=split, attributor=SIGNER_ADDRESS, metadata=b"\x0d" * 32
    )
    model = client.model(model_id)
    assert (model.owner, model.attributor, model.price, model.split) == (SENDER.address, SIGNER_ADDRESS, price, split)
    assert model.weights == ((datanet_id, 1),)
    assert client.quote(model_id, 1_000, 1_000) == 1_030
    client.infer(OTHER, model_id, input_tokens=1_000, output_tokens=1_000)
    client.infer(OTHER, model_id, fee=10**6)

    attestation = Attestation(model_id, OTHER.address, client.nonce(OTHER.address), GENESIS_TIME + 60)
    influence = encode_influence([Influence(datanet_id, OTHER.address, 3), Influence(datanet_id)])
    signature = sign_attestation(KEY, attestation, influence, CHAIN_ID)
    receipt = client.infer_attested(OTHER, attestation, influence, signature, fee=10**6)
    ((name, arguments),) = client.events(receipt)
    assert (name, arguments["inferenceId"], arguments["fee"]) == ("Inferred", 3, 10**6)
    assert decode_influence(arguments["influence"]) == [Influence(datanet_id), Influence(datanet_id, OTHER.address)]
    assert client.nonce(OTHER.address) == 1
    assert client.usage(model_id).revenue == 2 * 10**6 + 1_030

    assert client.member(datanet_id, OTHER.address)[0] == 7
    owed = client.claimable(OTHER.address, [datanet_id])
    assert owed > 0
    assert client.claim(OTHER, [datanet_id]) == owed
    assert client.platform()[2] == 500

    client.send(OTHER, "request", model_id, b"\x0e" * 32, GENESIS_TIME + 60, value=5_000)
    job = client.job(1)
    assert (job.model_id, job.payer, job.escrow, job.state) == (model_id, OTHER.address, 5_000, 1)


def test_a_compact_inference(client: AttributionClient) -> None:
    datanet_id = client.create_datanet(SENDER)
    model_id = client.register_model(SENDER, [(datanet_id, 1)], price=Price(1_000, 10, 20))
    assert client.model(model_id).signer == SENDER.address
    record = record_hash(b"\x01" * 32, b"\x02" * 32)
    receipt = client.infer_compact(OTHER, model_id, input_tokens=2_000, output_tokens=1_000, record=record)
    ((name, arguments),) = client.events(receipt)
    assert (name, arguments["fee"], arguments["requestHash"]) == ("Inferred", 1_040, record)
    assert (arguments["inputTokens"], arguments["outputTokens"], arguments["payer"]) == (2_000, 1_000, OTHER.address)
    with pytest.raises(AttributionError, match=r"FeeTooLow\(5, 1000\)"):
        client.infer_compact(OTHER, model_id, fee=5)


def test_refusals_are_explained(client: AttributionClient, provider: EvmProvider) -> None:
    with pytest.raises(AttributionError, match=r"UnknownModel\(9\)") as caught:
        client.model(9)
    assert caught.value.name == "UnknownModel"
    with pytest.raises(AttributionError, match=r"NothingToClaim\(\)"):
        client.claim(SENDER)
    # Good when it was estimated, and out of gas when it ran.
    provider.gas_limit = 30_000
    with pytest.raises(AttributionError, match="out of gas") as caught:
        client.create_datanet(SENDER)
    assert caught.value.name == ""


def test_a_failure_in_the_block_is_replayed_for_its_reason(client: AttributionClient, provider: EvmProvider) -> None:
    datanet_id = client.create_datanet(SENDER)
    original = provider.eth_estimateGas
    provider.eth_estimateGas = lambda call, *block: hex(500_000)  # type: ignore[method-assign]
    with pytest.raises(AttributionError, match="Unauthorized"):
        client.contribute(OTHER, datanet_id, [])
    provider.eth_estimateGas = original  # type: ignore[method-assign]


def snake(name: str) -> str:
    return re.sub("([A-Z])", lambda match: "_" + match[1].lower(), name)


def test_there_is_a_helper_for_every_method() -> None:
    for method in METHODS:
        helper = getattr(AttributionClient, "nonce" if method.name == "nonces" else snake(method.name))
        assert helper.__doc__, method.name


def test_everything_else_in_a_life(client: AttributionClient, provider: EvmProvider) -> None:
    """The methods test_a_whole_life leaves out, each by its own helper, and what they log."""
    assert client.version() == 1
    admin = Account.from_key(b"\x03" * 32)
    provider.evm.fund(int(admin.address, 16))
    provider.evm.set_storage({0: int(admin.address, 16)})
    client.set_platform(admin, admin.address, OTHER.address, 100)
    assert client.platform() == (admin.address, OTHER.address, 100)

    datanet_id = client.create_datanet(SENDER)
    client.contribute(SENDER, datanet_id, [(OTHER.address, 7, b"\x0b" * 32)])
    client.set_units(SENDER, datanet_id, OTHER.address, 9)
    assert client.member(datanet_id, OTHER.address) == (9, 0)
    client.transfer_curator(SENDER, datanet_id, OTHER.address)
    assert client.datanet(datanet_id).curator == OTHER.address

    model_id = client.register_model(SENDER, [(datanet_id, 1)])
    client.set_price(SENDER, model_id, Price(5, 6, 7))
    assert client.model(model_id).price == Price(5, 6, 7)
    client.set_attributor(SENDER, model_id, OTHER.address)
    assert client.model(model_id).signer == OTHER.address
    ((name, arguments),) = client.events(client.record_training(SENDER, model_id, 3, b"\x01" * 32, b"\x02" * 32))
    assert (name, arguments["step"], arguments["checkpoint"]) == ("TrainingRecorded", 3, b"\x01" * 32)

    influence = encode_influence([Influence(datanet_id)])
    ((name, arguments),) = client.events(
        client.infer_batch(OTHER, model_id, 10, fee=10**6, input_tokens=1_000, influence=influence)
    )
    assert (name, arguments["count"], arguments["influence"]) == ("Inferred", 10, influence)
    job_id = client.request(SENDER, model_id, GENESIS_TIME + 60, 10**6, b"\x05" * 32)
    receipt = client.settle(OTHER, job_id, input_tokens=2_000, response_hash=b"\x06" * 32, influence=influence)
    (_, inferred), (name, arguments) = client.events(receipt)
    assert (inferred["requestHash"], inferred["responseHash"]) == (b"\x05" * 32, b"\x06" * 32)
    assert (name, arguments["fee"], arguments["refund"]) == ("JobSettled", 17, 10**6 - 17)
    assert client.job(job_id).state == 2
    late = client.request(SENDER, model_id, GENESIS_TIME + 60, 777)
    provider.evm.advance(61)
    client.cancel(SENDER, late)
    assert client.job(late).state == 3
    client.transfer_model(SENDER, model_id, OTHER.address)
    assert client.model(model_id).owner == OTHER.address

    owed = client.claimable(OTHER.address, [datanet_id])
    before = client.claimable(OTHER.address)
    client.harvest(OTHER, [datanet_id])
    assert client.claimable(OTHER.address) == owed > before
    client.harvest(SENDER, [datanet_id], OTHER.address)
    assert client.claim_for(SENDER, OTHER.address) == owed


def test_calls_are_decoded(client: AttributionClient, provider: EvmProvider) -> None:
    datanet_id = client.create_datanet(SENDER)
    model_id = client.register_model(SENDER, [(datanet_id, 1)])
    record = record_hash(b"\x01" * 32, b"\x02" * 32)
    client.infer_compact(OTHER, model_id, input_tokens=2, output_tokens=3, record=record, fee=10)
    sent = [bytes.fromhex(transaction["input"][2:]) for transaction in provider.transactions.values()]
    assert [client.decode_call(data)[0] for data in sent] == ["createDatanet", "registerModel", "inferCompact"]
    assert client.decode_call(sent[0])[1] == {"metadata": bytes(32)}
    assert client.decode_call(sent[2])[1] == {
        "modelId": model_id,
        "inputTokens": 2,
        "outputTokens": 3,
        "record": record,
    }
    for wrong in (b"", b"\x01\x02\x03\x04", sent[2] + b"\0", sent[0][:20], sent[1][:100]):
        with pytest.raises(ValueError, match=r"not a call|48 bytes"):
            client.decode_call(wrong)


def test_waiting_explains_what_somebody_elses_transaction_failed_for(
    client: AttributionClient, provider: EvmProvider
) -> None:
    """Sent by whatever means: only its hash is known."""
    signed = OTHER.sign_transaction(
        {
            "to": client.address,
            "data": calls.call("contribute", 1, []),
            "gas": 200_000,
            "nonce": 0,
            "chainId": CHAIN_ID,
            "maxFeePerGas": 9,
            "maxPriorityFeePerGas": 1,
        }
    )
    transaction_hash = client.web3.eth.send_raw_transaction(signed.raw_transaction)
    with pytest.raises(AttributionError, match=r"UnknownDatanet\(1\)"):
        client.wait(transaction_hash)
    with pytest.raises(TimeExhausted):
        client.wait("0x" + "77" * 32, timeout=0.01)


def test_other_contracts_logs_are_left_alone(client: AttributionClient) -> None:
    receipt = client.send(SENDER, "createDatanet", bytes(32))
    (log,) = receipt["logs"]
    foreign = {**log, "address": OTHER.address}
    unknown = {**log, "topics": [b"\x01" * 32]}
    bare = {**log, "topics": []}
    mixed = {**receipt, "logs": [foreign, unknown, bare, log]}
    assert client.events(mixed) == client.events(receipt)  # type: ignore[arg-type]
    assert len(client.events(receipt)) == 1


def test_a_revert_without_data_keeps_the_nodes_words(client: AttributionClient, provider: EvmProvider) -> None:
    refusal = {"error": {"code": 3, "message": "execution reverted: no"}}
    provider.eth_call = lambda call, block: refusal  # type: ignore[method-assign]
    with pytest.raises(AttributionError, match="execution reverted: no") as caught:
        client.version()
    assert (caught.value.data, caught.value.name) == (b"", "")


def test_any_wallet_can_attest() -> None:
    """EIP-712 JSON as a wallet signs it, and as the harness writes it by hand."""
    attestation = Attestation(1, OTHER.address, 4, GENESIS_TIME, 1, 2, b"\x01" * 32, b"\x02" * 32, b"\x03" * 32)
    words = encode_influence([Influence(1, "", 9), Influence(1, OTHER.address, 1)])
    typed = attestation_typed_data(attestation, words, CHAIN_ID)
    by_hand = calls.typed_data(attestation.as_tuple(), words, CHAIN_ID)
    assert {**typed, "domain": None} == {**by_hand, "domain": None}
    assert typed["domain"]["verifyingContract"].lower() == by_hand["domain"]["verifyingContract"]
    signature = Account.from_key(KEY.secret).sign_typed_data(full_message=typed).signature
    assert signature == sign_attestation(KEY, attestation, words, CHAIN_ID)


def test_influence_vectors_are_checked_and_sorted() -> None:
    entries = [Influence(2, "", 5), Influence(1, OTHER.address, 1), Influence(1, "", 2)]
    words = encode_influence(entries)
    assert words == sorted(words, key=lambda word: (word >> 192, word & (1 << 160) - 1))
    assert sorted(decode_influence(words)) == sorted(entries)
    for bad in (
        [Influence(1), Influence(1)],
        [Influence(1, "", 0)],
        [Influence(0)],
        [Influence(i + 1) for i in range(33)],
    ):
        with pytest.raises(ValueError):
            encode_influence(bad)


def test_signatures_are_the_wallets() -> None:
    attestation = Attestation(1, OTHER.address, 0, GENESIS_TIME, 1, 2, b"\x01" * 32, b"\x02" * 32, b"\x03" * 32)
    words = encode_influence([Influence(1, "", 9)])
    theirs = calls.attest(attestation.as_tuple(), words, KEY, CHAIN_ID)
    assert sign_attestation(KEY, attestation, words, CHAIN_ID) == theirs
    assert record_hash(b"\x01" * 32, b"\x02" * 32) == keccak_256(b"\x01" * 32 + b"\x02" * 32).digest()


class HighS:
    """A signer that gives the other of the two signatures."""

    def sign_recoverable(self, message: bytes, hasher: None) -> bytes:
        good = KEY.sign_recoverable(message, hasher=None)
        s = CURVE_ORDER - int.from_bytes(good[32:64], "big")
        return good[:32] + s.to_bytes(32, "big") + bytes([1 - good[64]])


def test_a_high_s_is_made_low() -> None:
    attestation = Attestation(1, OTHER.address, 0, GENESIS_TIME)
    assert sign_attestation(HighS(), attestation, [], CHAIN_ID) == sign_attestation(KEY, attestation, [], CHAIN_ID)
