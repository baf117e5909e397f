"""Typed helpers for web3.py: build influence vectors, sign attestations, call, read, and understand what failed.

    client = AttributionClient(Web3(Web3.HTTPProvider("http://localhost:9545")))
    datanet_id = client.create_datanet(account, metadata)
    client.contribute(account, datanet_id, [(contributor, units, content_hash)])

Amounts are wei, times unix seconds, shares basis points. A call the precompile refuses raises `AttributionError`, whose
text is the typed error in words. Needs the extra `client` (web3); the node never imports this.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from eth_abi.exceptions import DecodingError
from eth_typing import ChecksumAddress, HexStr
from hexbytes import HexBytes
from web3 import Web3
from web3.exceptions import ContractLogicError, Web3ValueError
from web3.types import TxParams, TxReceipt, Wei

from .attestation import (
    MAX_INFLUENCE,
    ZERO_HASH,
    Attestation,
    Influence,
    SigningKey,
    attestation_typed_data,
    decode_influence,
    encode_influence,
    record_hash,
    sign_attestation,
)
from .errors import ERRORS, explain
from .events import EVENTS
from .layout import ADDRESS
from .terms import Price, Split
from .twin import ABI

__all__ = [
    "MAX_INFLUENCE",
    "ZERO_HASH",
    "Account",
    "Attestation",
    "AttributionClient",
    "AttributionError",
    "Datanet",
    "Influence",
    "Job",
    "Model",
    "Price",
    "SigningKey",
    "Split",
    "Usage",
    "attestation_typed_data",
    "decode_influence",
    "encode_influence",
    "explain",
    "record_hash",
    "sign_attestation",
]

_COMPACT: Final = "inferCompact"
_COMPACT_LENGTH: Final = 48
_EVENT_NAMES: Final = {topic: signature.partition("(")[0] for signature, topic in EVENTS.items()}


class AttributionError(Exception):
    """The precompile refused a call. `data` is the revert data, `name` the typed error's name or an empty string."""

    def __init__(self, data: bytes, message: str = "") -> None:
        super().__init__(message or explain(data))
        self.data = data

    @property
    def name(self) -> str:
        error = ERRORS.get(self.data[:4])
        return error.name if error else ""


class Account(Protocol):
    """What eth_account's LocalAccount offers."""

    @property
    def address(self) -> ChecksumAddress: ...

    def sign_transaction(self, transaction_dict: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Datanet:
    """A DataNet as it stands."""

    curator: ChecksumAddress
    metadata: bytes
    total_units: int
    members: int
    contributions: int


@dataclass(frozen=True, slots=True)
class Model:
    """A model as it stands; `weights` are (datanetId, weight), `attributor` is zero where it is the owner."""

    owner: ChecksumAddress
    attributor: ChecksumAddress
    base_model_id: int
    metadata: bytes
    price: Price
    split: Split
    weights: tuple[tuple[int, int], ...]

    @property
    def signer(self) -> ChecksumAddress:
        """Who attests and settles: the attributor, or the owner where none is named."""
        return self.attributor if int(self.attributor, 16) else self.owner


@dataclass(frozen=True, slots=True)
class Usage:
    """A model's counters and commitments; revenue in wei."""

    inferences: int
    revenue: int
    last_time: int
    history: bytes
    training: bytes


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands: state 1 is open, 2 settled, 3 cancelled."""

    model_id: int
    payer: ChecksumAddress
    escrow: int
    request_hash: bytes
    deadline: int
    state: int


class AttributionClient:
    """The precompile through any JSON-RPC endpoint web3.py can reach."""

    def __init__(self, web3: Web3) -> None:
        self.web3 = web3
        self.address = Web3.to_checksum_address(ADDRESS.to_bytes(20, "big"))
        self.contract = web3.eth.contract(address=self.address, abi=ABI)

    # -- reading

    def call(self, name: str, *arguments: Any) -> Any:
        """A view method's result as web3.py decodes it. AttributionError if it refuses."""
        try:
            return self.contract.functions[name](*arguments).call()
        except ContractLogicError as error:
            raise _explained(error) from error

    def version(self) -> int:
        """Of the interface."""
        version: int = self.call("version")
        return version

    def platform(self) -> tuple[ChecksumAddress, ChecksumAddress, int]:
        """Admin, treasury, basis points."""
        admin, treasury, bps = self.call("platform")
        return admin, treasury, bps

    def datanet(self, datanet_id: int) -> Datanet:
        """AttributionError UnknownDatanet if there is none."""
        return Datanet(*self.call("datanet", datanet_id))

    def member(self, datanet_id: int, account: str) -> tuple[int, int]:
        """Units, and the wei it would harvest now."""
        units, pending = self.call("member", datanet_id, Web3.to_checksum_address(account))
        return units, pending

    def model(self, model_id: int) -> Model:
        """AttributionError UnknownModel if there is none."""
        owner, attributor, base, metadata, price, split, weights = self.call("model", model_id)
        return Model(
            owner,
            attributor,
            base,
            metadata,
            Price(*_values(price)),
            Split(*_values(split)),
            tuple((weight[0], weight[1]) for weight in map(_values, weights)),
        )

    def usage(self, model_id: int) -> Usage:
        """AttributionError UnknownModel if there is none."""
        return Usage(*self.call("usage", model_id))

    def quote(self, model_id: int, input_tokens: int, output_tokens: int) -> int:
        """The least fee, wei."""
        fee: int = self.call("quote", model_id, input_tokens, output_tokens)
        return fee

    def job(self, job_id: int) -> Job:
        """AttributionError UnknownJob if there is none."""
        return Job(*self.call("job", job_id))

    def nonce(self, payer: str) -> int:
        """The next attestation's nonce."""
        nonce: int = self.call("nonces", Web3.to_checksum_address(payer))
        return nonce

    def claimable(self, account: str, datanet_ids: Sequence[int] = ()) -> int:
        """What a claim would pay now, wei."""
        amount: int = self.call("claimable", Web3.to_checksum_address(account), list(datanet_ids))
        return amount

    # -- writing: each waits for the receipt

    def send(self, account: Account, name: str, *arguments: Any, value: int = 0) -> TxReceipt:
        """Signs, sends and waits. AttributionError if the call would be refused, or if in the end it was."""
        return self._send_data(account, HexStr(self.contract.encode_abi(name, args=list(arguments))), value)

    def set_platform(self, account: Account, admin: str, treasury: str, bps: int) -> TxReceipt:
        """By the platform's admin; bps of every fee go to the treasury, at most 3,000."""
        return self.send(account, "setPlatform", _address(admin), _address(treasury), bps)

    def create_datanet(self, account: Account, metadata: bytes = ZERO_HASH) -> int:
        """Returns the new DataNet's id."""
        return self._logged(self.send(account, "createDatanet", metadata), "DatanetCreated", "datanetId")

    def contribute(
        self, account: Account, datanet_id: int, contributions: Sequence[tuple[str, int, bytes]]
    ) -> TxReceipt:
        """Contributions are (contributor, units, content hash)."""
        rows = [(Web3.to_checksum_address(who), units, content) for who, units, content in contributions]
        return self.send(account, "contribute", datanet_id, rows)

    def set_units(self, account: Account, datanet_id: int, contributor: str, units: int) -> TxReceipt:
        """By the curator: the contributor's share of what the pool earns from now on."""
        return self.send(account, "setUnits", datanet_id, _address(contributor), units)

    def transfer_curator(self, account: Account, datanet_id: int, to: str) -> TxReceipt:
        """By the curator."""
        return self.send(account, "transferCurator", datanet_id, _address(to))

    def register_model(
        self,
        account: Account,
        weights: Sequence[tuple[int, int]],
        *,
        price: Price | None = None,
        split: Split | None = None,
        base_model_id: int = 0,
        attributor: str = "0x" + "00" * 20,
        metadata: bytes = ZERO_HASH,
    ) -> int:
        """Returns the new model's id; `weights` are (datanetId, weight)."""
        price, split = price or Price(), split or Split()
        params = (
            metadata,
            base_model_id,
            Web3.to_checksum_address(attributor),
            (price.per_call, price.per_kilo_input, price.per_kilo_output),
            (split.owner_bps, split.lineage_bps, split.data_bps),
            sorted(weights),
        )
        return self._logged(self.send(account, "registerModel", params), "ModelRegistered", "modelId")

    def set_price(self, account: Account, model_id: int, price: Price) -> TxReceipt:
        """By the model's owner."""
        values = (price.per_call, price.per_kilo_input, price.per_kilo_output)
        return self.send(account, "setPrice", model_id, values)

    def set_attributor(self, account: Account, model_id: int, attributor: str) -> TxReceipt:
        """By the model's owner; address zero makes the owner the attributor."""
        return self.send(account, "setAttributor", model_id, _address(attributor))

    def transfer_model(self, account: Account, model_id: int, to: str) -> TxReceipt:
        """By the model's owner."""
        return self.send(account, "transferModel", model_id, _address(to))

    def record_training(
        self, account: Account, model_id: int, step: int, checkpoint: bytes, data_root: bytes
    ) -> TxReceipt:
        """By the model's owner; steps rise strictly."""
        return self.send(account, "recordTraining", model_id, step, checkpoint, data_root)

    def infer(
        self,
        account: Account,
        model_id: int,
        *,
        input_tokens: int = 0,
        output_tokens: int = 0,
        request_hash: bytes = ZERO_HASH,
        response_hash: bytes = ZERO_HASH,
        fee: int | None = None,
    ) -> TxReceipt:
        """One inference at default weights; the fee, in wei, is the quote unless given."""
        value = self.quote(model_id, input_tokens, output_tokens) if fee is None else fee
        arguments = (model_id, input_tokens, output_tokens, request_hash, response_hash)
        return self.send(account, "infer", *arguments, value=value)

    def infer_compact(
        self,
        account: Account,
        model_id: int,
        *,
        input_tokens: int = 0,
        output_tokens: int = 0,
        record: bytes = ZERO_HASH,
        fee: int | None = None,
    ) -> TxReceipt:
        """One inference at the least L1 data cost: 48 bytes of calldata; `record` is of `record_hash`."""
        value = self.quote(model_id, input_tokens, output_tokens) if fee is None else fee
        numbers = b"".join([number.to_bytes(4, "big") for number in (model_id, input_tokens, output_tokens)])
        return self._send_data(account, HexStr("0x" + (self._selector(_COMPACT) + numbers + record).hex()), value)

    def infer_attested(
        self,
        account: Account,
        attestation: Attestation,
        influence: Sequence[int],
        signature: bytes,
        fee: int | None = None,
    ) -> TxReceipt:
        """One inference with its own influence, as signed."""
        quoted = (attestation.model_id, attestation.input_tokens, attestation.output_tokens)
        value = self.quote(*quoted) if fee is None else fee
        arguments = (attestation.as_tuple(), list(influence), signature)
        return self.send(account, "inferAttested", *arguments, value=value)

    def infer_batch(
        self,
        account: Account,
        model_id: int,
        count: int,
        *,
        fee: int,
        input_tokens: int = 0,
        output_tokens: int = 0,
        records_root: bytes = ZERO_HASH,
        influence: Sequence[int] = (),
    ) -> TxReceipt:
        """`count` inferences in one record, by the attributor, for `fee` wei. Tokens are the sums over all of them,
        `records_root` commits to the single ones."""
        arguments = (model_id, count, input_tokens, output_tokens, records_root, list(influence))
        return self.send(account, "inferBatch", *arguments, value=fee)

    def request(
        self, account: Account, model_id: int, deadline: int, escrow: int, request_hash: bytes = ZERO_HASH
    ) -> int:
        """Pays `escrow` wei for an answer until `deadline`, unix seconds; returns the job's id."""
        receipt = self.send(account, "request", model_id, request_hash, deadline, value=escrow)
        return self._logged(receipt, "JobRequested", "jobId")

    def settle(
        self,
        account: Account,
        job_id: int,
        *,
        input_tokens: int = 0,
        output_tokens: int = 0,
        response_hash: bytes = ZERO_HASH,
        evidence: bytes = ZERO_HASH,
        influence: Sequence[int] = (),
    ) -> TxReceipt:
        """By the attributor, in time: the fee is the quote or the escrow, whichever is less."""
        arguments = (job_id, input_tokens, output_tokens, response_hash, evidence, list(influence))
        return self.send(account, "settle", *arguments)

    def cancel(self, account: Account, job_id: int) -> TxReceipt:
        """By the payer, after the deadline: the escrow becomes credit."""
        return self.send(account, "cancel", job_id)

    def harvest(self, account: Account, datanet_ids: Sequence[int], beneficiary: str = "") -> TxReceipt:
        """Moves what a member (the sender, unless named) has earned in pools into its credit."""
        return self.send(account, "harvest", list(datanet_ids), _address(beneficiary or account.address))

    def claim_for(self, account: Account, beneficiary: str, datanet_ids: Sequence[int] = ()) -> int:
        """Pays the beneficiary everything it has earned, at the sender's gas; returns the wei paid."""
        receipt = self.send(account, "claimFor", _address(beneficiary), list(datanet_ids))
        return self._logged(receipt, "Claimed", "amount")

    def claim(self, account: Account, datanet_ids: Sequence[int] = (), recipient: str = "") -> int:
        """Harvests, pays everything out; returns the wei paid."""
        to = Web3.to_checksum_address(recipient or account.address)
        return self._logged(self.send(account, "claim", list(datanet_ids), to), "Claimed", "amount")

    # -- understanding

    def wait(self, transaction_hash: bytes | HexStr, timeout: float = 120) -> TxReceipt:
        """Waits up to `timeout` seconds for a transaction's receipt. AttributionError with the typed error if it
        failed; web3's TimeExhausted if it is in no block by then."""
        receipt = self.web3.eth.wait_for_transaction_receipt(HexBytes(transaction_hash), timeout=timeout)
        if receipt["status"] != 1:
            self._explain_failure(receipt)
        return receipt

    def decode_call(self, data: bytes) -> tuple[str, dict[str, Any]]:
        """A transaction's calldata: the method's name and its arguments. ValueError if it is no call of the
        precompile."""
        if data[:4] == self._selector(_COMPACT):
            if len(data) != _COMPACT_LENGTH:
                raise ValueError(f"inferCompact has 48 bytes of calldata, not {len(data)}")
            names = ("modelId", "inputTokens", "outputTokens")
            numbers = [int.from_bytes(data[at : at + 4], "big") for at in (4, 8, 12)]
            return _COMPACT, {**dict(zip(names, numbers, strict=True)), "record": data[16:]}
        try:
            function, arguments = self.contract.decode_function_input(HexBytes(data))
        except (Web3ValueError, DecodingError) as error:
            raise ValueError(f"not a call of the attribution precompile: {error}") from error
        return function.fn_name, arguments

    def events(self, receipt: TxReceipt) -> list[tuple[str, dict[str, Any]]]:
        """The precompile's events in a receipt, in order: name and arguments."""
        found: list[tuple[str, dict[str, Any]]] = []
        for log in receipt["logs"]:
            name = _EVENT_NAMES.get(int.from_bytes(log["topics"][0], "big")) if log["topics"] else None
            if log["address"] == self.address and name is not None:
                found.append((name, dict(self.contract.events[name]().process_log(log)["args"])))
        return found

    def _selector(self, name: str) -> bytes:
        return bytes.fromhex(self.contract.encode_abi(name, args=[])[2:])

    def _logged(self, receipt: TxReceipt, event: str, argument: str) -> int:
        value: int = next(arguments for name, arguments in self.events(receipt) if name == event)[argument]
        return value

    def _send_data(self, account: Account, data: HexStr, value: int) -> TxReceipt:
        eth = self.web3.eth
        call: TxParams = {"from": account.address, "to": self.address, "value": Wei(value), "data": data}
        try:
            gas = eth.estimate_gas(call)
        except ContractLogicError as error:
            raise _explained(error) from error
        priority = eth.max_priority_fee
        transaction: TxParams = {
            **call,
            "gas": gas,
            "nonce": eth.get_transaction_count(account.address, "pending"),
            "chainId": eth.chain_id,
            "maxPriorityFeePerGas": priority,
            # The base fee at most doubles before the transaction is in a block that is not far away.
            "maxFeePerGas": Wei(2 * eth.get_block("latest")["baseFeePerGas"] + priority),
        }
        signed = account.sign_transaction(transaction)
        return self.wait(eth.send_raw_transaction(signed.raw_transaction))

    def _explain_failure(self, receipt: TxReceipt) -> None:
        """Runs the failed transaction's call again on the block before its own, for its revert data."""
        sent = self.web3.eth.get_transaction(receipt["transactionHash"])
        call: TxParams = {"from": sent["from"], "to": sent["to"], "value": sent["value"], "data": sent["input"]}
        try:
            self.web3.eth.call(call, receipt["blockNumber"] - 1)
        except ContractLogicError as error:
            raise _explained(error) from error
        raise AttributionError(
            b"", f"transaction {receipt['transactionHash'].to_0x_hex()} failed, most likely out of gas"
        )


def _address(account: str) -> ChecksumAddress:
    return Web3.to_checksum_address(account)


def _values(item: Any) -> tuple[Any, ...]:
    """A struct, which web3.py gives as a tuple, or as a dictionary where it was asked to."""
    return tuple(item.values()) if isinstance(item, dict) else tuple(item)


def _explained(error: ContractLogicError) -> AttributionError:
    data = error.data
    if isinstance(data, str) and data.startswith("0x"):
        return AttributionError(bytes.fromhex(HexStr(data)[2:]))
    return AttributionError(b"", str(error))
