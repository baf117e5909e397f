"""Typed helpers for web3.py: build influence vectors, sign attestations, call, read, and understand what failed.

    client = AttributionClient(Web3(Web3.HTTPProvider("http://localhost:9545")))
    datanet_id = client.create_datanet(account, metadata)
    client.contribute(account, datanet_id, [(contributor, units, content_hash)])

Amounts are wei, times unix seconds, shares basis points. A call the precompile refuses raises `AttributionError`, whose
text is the typed error in words. Needs the extra `client` (web3); the node never imports this.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from eth_typing import ChecksumAddress, HexStr
from web3 import Web3
from web3.exceptions import ContractLogicError
from web3.types import TxParams, TxReceipt, Wei

from .errors import ERRORS, explain
from .events import EVENTS
from .layout import ADDRESS, MASK_32, MASK_64
from .signatures import CURVE_ORDER, attestation_digest, domain_separator, keccak256
from .twin import ABI

MAX_INFLUENCE: Final = 32
_EVENT_NAMES: Final = {topic: signature.partition("(")[0] for signature, topic in EVENTS.items()}
ZERO_HASH: Final = bytes(32)


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


class SigningKey(Protocol):
    """What coincurve's PrivateKey offers."""

    def sign_recoverable(self, message: bytes, hasher: None) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Price:
    """Wei a call and wei a thousand tokens."""

    per_call: int = 0
    per_kilo_input: int = 0
    per_kilo_output: int = 0


@dataclass(frozen=True, slots=True)
class Split:
    """Basis points of the net fee; they sum to 10,000."""

    owner_bps: int = 3_000
    lineage_bps: int = 0
    data_bps: int = 7_000


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


@dataclass(frozen=True, slots=True)
class Attestation:
    """An attributor's word for one inference."""

    model_id: int
    payer: str
    nonce: int
    deadline: int
    input_tokens: int = 0
    output_tokens: int = 0
    request_hash: bytes = ZERO_HASH
    response_hash: bytes = ZERO_HASH
    evidence: bytes = ZERO_HASH

    def as_tuple(self) -> tuple[int, str, int, int, int, int, bytes, bytes, bytes]:
        """In the order of the ABI."""
        return (
            self.model_id,
            Web3.to_checksum_address(self.payer),
            self.nonce,
            self.deadline,
            self.input_tokens,
            self.output_tokens,
            self.request_hash,
            self.response_hash,
            self.evidence,
        )

    def encode(self) -> bytes:
        """Nine ABI words."""
        numbers = (self.model_id, int(self.payer, 16), self.nonce, self.deadline, self.input_tokens, self.output_tokens)
        words = [number.to_bytes(32, "big") for number in numbers]
        return b"".join([*words, self.request_hash, self.response_hash, self.evidence])


@dataclass(frozen=True, slots=True, order=True)
class Influence:
    """One entry of an influence vector: a DataNet's pool, or with a contributor that member directly."""

    datanet_id: int
    contributor: str = ""
    weight: int = field(default=1, compare=False)

    def encode(self) -> int:
        """The word. ValueError for a weight or an id out of range."""
        if not 0 < self.weight <= MASK_32 or not 0 < self.datanet_id <= MASK_64:
            raise ValueError(f"not an influence entry: {self}")
        return self.datanet_id << 192 | self.weight << 160 | (int(self.contributor, 16) if self.contributor else 0)


def encode_influence(entries: Sequence[Influence]) -> list[int]:
    """The influence vector, sorted as the precompile wants it. ValueError for duplicates or more than 32 entries."""
    if len(entries) > MAX_INFLUENCE:
        raise ValueError(f"an influence vector has at most {MAX_INFLUENCE} entries, not {len(entries)}")
    keyed = {
        (entry.datanet_id, int(entry.contributor, 16) if entry.contributor else 0): entry.encode() for entry in entries
    }
    if len(keyed) != len(entries):
        raise ValueError("two entries for the same DataNet and contributor")
    return [keyed[key] for key in sorted(keyed)]


def decode_influence(words: Sequence[int]) -> list[Influence]:
    """The entries of an influence vector as logged."""
    return [
        Influence(
            word >> 192,
            Web3.to_checksum_address((word & (1 << 160) - 1).to_bytes(20, "big")) if word & (1 << 160) - 1 else "",
            word >> 160 & MASK_32,
        )
        for word in words
    ]


def sign_attestation(key: SigningKey, attestation: Attestation, influence: Sequence[int], chain_id: int) -> bytes:
    """The attributor's 65-byte signature (EIP-712; low s, v 27 or 28) over the attestation and its influence words."""
    packed = b"".join(word.to_bytes(32, "big") for word in influence)
    digest = attestation_digest(domain_separator(chain_id, ADDRESS), attestation.encode(), packed)
    signature = key.sign_recoverable(digest, hasher=None)
    s = int.from_bytes(signature[32:64], "big")
    v = signature[64]
    if s > CURVE_ORDER // 2:
        s, v = CURVE_ORDER - s, 1 - v
    return signature[:32] + s.to_bytes(32, "big") + bytes([27 + v])


def record_hash(request_hash: bytes, response_hash: bytes) -> bytes:
    """What inferCompact logs for the two: keccak256(abi.encode(requestHash, responseHash))."""
    return keccak256(request_hash + response_hash)


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

    def create_datanet(self, account: Account, metadata: bytes = ZERO_HASH) -> int:
        """Returns the new DataNet's id."""
        return self._logged(self.send(account, "createDatanet", metadata), "DatanetCreated", "datanetId")

    def contribute(
        self, account: Account, datanet_id: int, contributions: Sequence[tuple[str, int, bytes]]
    ) -> TxReceipt:
        """Contributions are (contributor, units, content hash)."""
        rows = [(Web3.to_checksum_address(who), units, content) for who, units, content in contributions]
        return self.send(account, "contribute", datanet_id, rows)

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
        selector = self.contract.encode_abi("inferCompact", args=[])
        return self._send_data(account, HexStr(selector + numbers.hex() + record.hex()), value)

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

    def claim(self, account: Account, datanet_ids: Sequence[int] = (), recipient: str = "") -> int:
        """Harvests, pays everything out; returns the wei paid."""
        to = Web3.to_checksum_address(recipient or account.address)
        return self._logged(self.send(account, "claim", list(datanet_ids), to), "Claimed", "amount")

    def events(self, receipt: TxReceipt) -> list[tuple[str, dict[str, Any]]]:
        """The precompile's events in a receipt, in order: name and arguments."""
        found: list[tuple[str, dict[str, Any]]] = []
        for log in receipt["logs"]:
            name = _EVENT_NAMES.get(int.from_bytes(log["topics"][0], "big"))
            if log["address"] == self.address and name is not None:
                found.append((name, dict(self.contract.events[name]().process_log(log)["args"])))
        return found

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
        receipt = eth.wait_for_transaction_receipt(eth.send_raw_transaction(signed.raw_transaction))
        if receipt["status"] != 1:
            self._explain_failure(call, receipt)
        return receipt

    def _explain_failure(self, call: TxParams, receipt: TxReceipt) -> None:
        """Runs the failed call again on the block before its own, for its revert data."""
        try:
            self.web3.eth.call(call, receipt["blockNumber"] - 1)
        except ContractLogicError as error:
            raise _explained(error) from error
        raise AttributionError(
            b"", f"transaction {receipt['transactionHash'].to_0x_hex()} failed, most likely out of gas"
        )


def _values(item: Any) -> tuple[Any, ...]:
    """A struct, which web3.py gives as a tuple, or as a dictionary where it was asked to."""
    return tuple(item.values()) if isinstance(item, dict) else tuple(item)


def _explained(error: ContractLogicError) -> AttributionError:
    data = error.data
    if isinstance(data, str) and data.startswith("0x"):
        return AttributionError(bytes.fromhex(HexStr(data)[2:]))
    return AttributionError(b"", str(error))
