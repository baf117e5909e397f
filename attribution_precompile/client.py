"""Typed helpers for web3.py: influence vectors, attestations, calls, reads, and explained errors.

    client = AttributionClient(Web3(Web3.HTTPProvider("http://localhost:9545")))
    datanet_id = client.create_datanet(account, metadata)
    client.contribute(account, datanet_id, [(contributor, units, content_hash)])

Amounts are wei, times unix seconds, shares basis points. A refused call raises `AttributionError`, whose text explains
the typed error. The module needs the extra `client` (web3); the node never imports it.
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
    """The part of eth_account's LocalAccount that is used here."""

    @property
    def address(self) -> ChecksumAddress: ...

    def sign_transaction(self, transaction_dict: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Datanet:
    """The current state of a DataNet."""

    curator: ChecksumAddress
    metadata: bytes
    total_units: int
    members: int
    contributions: int


@dataclass(frozen=True, slots=True)
class Model:
    """The current state of a model. `weights` are pairs (datanetId, weight). `attributor` is zero if the owner is the
    attributor.
    """

    owner: ChecksumAddress
    attributor: ChecksumAddress
    base_model_id: int
    metadata: bytes
    price: Price
    split: Split
    weights: tuple[tuple[int, int], ...]

    @property
    def signer(self) -> ChecksumAddress:
        """The account that attests and settles: the attributor, or the owner if none is set."""
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
    """The current state of a job. Its state is 1 for open, 2 for settled, 3 for cancelled."""

    model_id: int
    payer: ChecksumAddress
    escrow: int
    request_hash: bytes
    deadline: int
    state: int


class AttributionClient:
    """The precompile behind any JSON-RPC endpoint that web3.py can reach."""

    def __init__(self, web3: Web3) -> None:
        self.web3 = web3
        self.address = Web3.to_checksum_address(ADDRESS.to_bytes(20, "big"))
        self.contract = web3.eth.contract(address=self.address, abi=ABI)

    # -- reading

    def call(self, name: str, *arguments: Any) -> Any:
        """The result of a view method, as web3.py decodes it. Raises AttributionError if the precompile refuses the
        call.
        """
        try:
            return self.contract.functions[name](*arguments).call()
        except ContractLogicError as error:
            raise _explained(error) from error

    def version(self) -> int:
        """The version of the interface."""
        version: int = self.call("version")
        return version

    def platform(self) -> tuple[ChecksumAddress, ChecksumAddress, int]:
        """The platform's admin, its treasury, and its share in basis points."""
        admin, treasury, bps = self.call("platform")
        return admin, treasury, bps

    def datanet(self, datanet_id: int) -> Datanet:
        """A DataNet. Raises AttributionError (UnknownDatanet) if it does not exist."""
        return Datanet(*self.call("datanet", datanet_id))

    def member(self, datanet_id: int, account: str) -> tuple[int, int]:
        """A member's units, and the wei that a harvest would pay now."""
        units, pending = self.call("member", datanet_id, Web3.to_checksum_address(account))
        return units, pending

    def model(self, model_id: int) -> Model:
        """A model. Raises AttributionError (UnknownModel) if it does not exist."""
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
        """A model's counters. Raises AttributionError (UnknownModel) if the model does not exist."""
        return Usage(*self.call("usage", model_id))

    def quote(self, model_id: int, input_tokens: int, output_tokens: int) -> int:
        """The lowest fee of an inference, in wei."""
        fee: int = self.call("quote", model_id, input_tokens, output_tokens)
        return fee

    def job(self, job_id: int) -> Job:
        """A job. Raises AttributionError (UnknownJob) if it does not exist."""
        return Job(*self.call("job", job_id))

    def nonce(self, payer: str) -> int:
        """The nonce of the payer's next attestation."""
        nonce: int = self.call("nonces", Web3.to_checksum_address(payer))
        return nonce

    def claimable(self, account: str, datanet_ids: Sequence[int] = ()) -> int:
        """The wei that a claim would pay now."""
        amount: int = self.call("claimable", Web3.to_checksum_address(account), list(datanet_ids))
        return amount

    # -- writing: each waits for the receipt

    def send(self, account: Account, name: str, *arguments: Any, value: int = 0) -> TxReceipt:
        """Signs and sends a transaction and waits for it. Raises AttributionError if the call would be refused or is
        refused.
        """
        return self._send_data(account, HexStr(self.contract.encode_abi(name, args=list(arguments))), value)

    def set_platform(self, account: Account, admin: str, treasury: str, bps: int) -> TxReceipt:
        """Sets the platform; only its admin may. `bps` of every fee (at most 3,000) go to the treasury."""
        return self.send(account, "setPlatform", _address(admin), _address(treasury), bps)

    def create_datanet(self, account: Account, metadata: bytes = ZERO_HASH) -> int:
        """Creates a DataNet and returns its id."""
        return self._logged(self.send(account, "createDatanet", metadata), "DatanetCreated", "datanetId")

    def contribute(
        self, account: Account, datanet_id: int, contributions: Sequence[tuple[str, int, bytes]]
    ) -> TxReceipt:
        """Registers contributions: (contributor, units, content hash) each."""
        rows = [(Web3.to_checksum_address(who), units, content) for who, units, content in contributions]
        return self.send(account, "contribute", datanet_id, rows)

    def set_units(self, account: Account, datanet_id: int, contributor: str, units: int) -> TxReceipt:
        """Sets a contributor's share of the pool's later earnings; only the curator may."""
        return self.send(account, "setUnits", datanet_id, _address(contributor), units)

    def transfer_curator(self, account: Account, datanet_id: int, to: str) -> TxReceipt:
        """Makes another account the curator; only the curator may."""
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
        """Registers a model and returns its id; `weights` are pairs (datanetId, weight)."""
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
        """Sets the prices; only the model's owner may."""
        values = (price.per_call, price.per_kilo_input, price.per_kilo_output)
        return self.send(account, "setPrice", model_id, values)

    def set_attributor(self, account: Account, model_id: int, attributor: str) -> TxReceipt:
        """Sets the attributor; only the model's owner may. Address zero makes the owner the attributor."""
        return self.send(account, "setAttributor", model_id, _address(attributor))

    def transfer_model(self, account: Account, model_id: int, to: str) -> TxReceipt:
        """Gives the model to another owner; only its owner may."""
        return self.send(account, "transferModel", model_id, _address(to))

    def record_training(
        self, account: Account, model_id: int, step: int, checkpoint: bytes, data_root: bytes
    ) -> TxReceipt:
        """Records a training step; only the model's owner may. Steps rise strictly."""
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
        """One inference with default weights. The fee, in wei, is the quote unless given."""
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
        """One inference at the lowest L1 data cost: 48 bytes of calldata. `record` is a value of `record_hash`."""
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
        """One inference with the influence of a signed attestation."""
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
        """Records `count` inferences at once, for `fee` wei; only the attributor may. Tokens are sums over all
        inferences, and `records_root` commits to the single ones."""
        arguments = (model_id, count, input_tokens, output_tokens, records_root, list(influence))
        return self.send(account, "inferBatch", *arguments, value=fee)

    def request(
        self, account: Account, model_id: int, deadline: int, escrow: int, request_hash: bytes = ZERO_HASH
    ) -> int:
        """Pays `escrow` wei for an answer until `deadline` (Unix seconds) and returns the id of the job."""
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
        """Answers a job before its deadline; only the attributor may. The fee is the quote or the escrow, whichever is
        less.
        """
        arguments = (job_id, input_tokens, output_tokens, response_hash, evidence, list(influence))
        return self.send(account, "settle", *arguments)

    def cancel(self, account: Account, job_id: int) -> TxReceipt:
        """Cancels a job after its deadline; only its payer may. The escrow becomes credit."""
        return self.send(account, "cancel", job_id)

    def harvest(self, account: Account, datanet_ids: Sequence[int], beneficiary: str = "") -> TxReceipt:
        """Moves a member's earnings from pools to its credit. The member is the sender unless given."""
        return self.send(account, "harvest", list(datanet_ids), _address(beneficiary or account.address))

    def claim_for(self, account: Account, beneficiary: str, datanet_ids: Sequence[int] = ()) -> int:
        """Pays the beneficiary all its earnings; the sender pays the gas. Returns the wei paid."""
        receipt = self.send(account, "claimFor", _address(beneficiary), list(datanet_ids))
        return self._logged(receipt, "Claimed", "amount")

    def claim(self, account: Account, datanet_ids: Sequence[int] = (), recipient: str = "") -> int:
        """Harvests and pays out all of the sender's earnings. Returns the wei paid."""
        to = Web3.to_checksum_address(recipient or account.address)
        return self._logged(self.send(account, "claim", list(datanet_ids), to), "Claimed", "amount")

    # -- explaining

    def wait(self, transaction_hash: bytes | HexStr, timeout: float = 120) -> TxReceipt:
        """Waits up to `timeout` seconds for a transaction's receipt. AttributionError with the typed error if it
        failed; web3's TimeExhausted if it is not in a block by then."""
        receipt = self.web3.eth.wait_for_transaction_receipt(HexBytes(transaction_hash), timeout=timeout)
        if receipt["status"] != 1:
            self._explain_failure(receipt)
        return receipt

    def decode_call(self, data: bytes) -> tuple[str, dict[str, Any]]:
        """The method's name and arguments in a transaction's calldata. Raises ValueError if it does not call the
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
            # The base fee at most doubles before the transaction is included, if that is soon.
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
    """The values of a struct. web3.py returns it as a tuple, or as a dictionary if configured so."""
    return tuple(item.values()) if isinstance(item, dict) else tuple(item)


def _explained(error: ContractLogicError) -> AttributionError:
    data = error.data
    if isinstance(data, str) and data.startswith("0x"):
        return AttributionError(bytes.fromhex(HexStr(data)[2:]))
    return AttributionError(b"", str(error))
