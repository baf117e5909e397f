"""Stateless replay: a block executed against its witness, to its hash."""

import gzip
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rollup.execution.block_builder import BlockBuilder, Sealed
from rollup.execution.block_context import l2_context
from rollup.execution.chain_variants import known_variants
from rollup.execution.config import ChainVariant, L2Config
from rollup.execution.state.database import StateDatabase
from rollup.execution.state.trie import MissingNode
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.header import Header
from rollup.protocol.json_text import parse_json
from rollup.protocol.payload import PayloadAttributes
from rollup.protocol.primitives import Hash, keccak256
from rollup.protocol.transaction import decode_transaction

_HEADER_KEYS = {
    "parentHash": "parent_hash",
    "sha3Uncles": "uncles_hash",
    "miner": "coinbase",
    "stateRoot": "state_root",
    "transactionsRoot": "transactions_root",
    "receiptsRoot": "receipts_root",
    "logsBloom": "logs_bloom",
    "difficulty": "difficulty",
    "number": "number",
    "gasLimit": "gas_limit",
    "gasUsed": "gas_used",
    "timestamp": "timestamp",
    "extraData": "extra_data",
    "mixHash": "prev_randao",
    "nonce": "nonce",
    "baseFeePerGas": "base_fee_per_gas",
    "withdrawalsRoot": "withdrawals_root",
    "blobGasUsed": "blob_gas_used",
    "excessBlobGas": "excess_blob_gas",
    "parentBeaconBlockRoot": "parent_beacon_block_root",
    "requestsHash": "requests_hash",
}
_NUMBERS = {
    "difficulty",
    "number",
    "gas_limit",
    "gas_used",
    "timestamp",
    "base_fee_per_gas",
    "blob_gas_used",
    "excess_blob_gas",
}

_MAX_FILE_SIZE = 1 << 30  # unpacked, in bytes


class ReplayError(ValueError):
    """A replay file that cannot be read or lacks what execution needs."""


@dataclass(slots=True)
class ReplayCase:
    """A block to execute: parent, attributes, witness, and the hash and header that must come out."""

    name: str
    config: L2Config
    parent: Header
    attributes: PayloadAttributes
    preimages: dict[Hash, bytes]
    ancestors: dict[int, Hash]
    block_hash: Hash
    header: Header | None


@dataclass(slots=True)
class ReplayResult:
    """The result of a case. difference names the first differing field with both values, or the missing data."""

    name: str
    number: int
    fork: Fork
    transactions: int
    gas_used: int
    seconds: float
    difference: str | None = None

    @property
    def equal(self) -> bool:
        """The block hash is the expected one."""
        return self.difference is None

    def line(self) -> str:
        """One line of the report."""
        verdict = "hash equal" if self.difference is None else self.difference
        return (
            f"{self.name}: block {self.number} {self.fork.name.lower()} {self.transactions} txs "
            f"{self.gas_used:,} gas {self.seconds * 1000:.0f} ms {verdict}"
        )


def find_cases(paths: list[Path]) -> Iterator[Path]:
    """The replay files under some paths, in order. A folder's index.json is not one of them."""
    for path in paths:
        if path.is_dir():
            yield from sorted(
                entry
                for entry in path.iterdir()
                if entry.name.endswith((".json", ".json.gz")) and entry.name != "index.json"
            )
        elif path.exists():
            yield path
        else:
            raise ReplayError(f"{path}: no such file or folder")


def load_case(path: Path, variants: Mapping[int, ChainVariant] | None = None) -> ReplayCase:
    """Reads a file of the exec_blocks format; raises ReplayError.

    variants: what other chains do otherwise, by chain id; by default the known ones.
    """
    try:
        data = parse_json(_read(path))
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise ReplayError(f"{path}: {error}") from error
    try:
        return _case(path.name.split(".")[0], data, known_variants() if variants is None else variants)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ReplayError(f"{path}: not the exec_blocks format: {error!r}") from error


def replay(case: ReplayCase) -> ReplayResult:
    """Executes a case and compares. A case that no block can be built from has the reason for its difference."""
    number = case.parent.number + 1
    fork = case.config.fork_at(case.attributes.timestamp)
    result = ReplayResult(case.name, number, fork, len(case.attributes.transactions), 0, 0.0)
    started = time.perf_counter()
    try:
        sealed = execute(case)
    except (MissingNode, ValueError, OverflowError) as error:
        # ValueError: attributes, transactions, header fields and witness nodes that are not valid, each in its words.
        result.difference = str(error)
        return result
    result.seconds = time.perf_counter() - started
    block = sealed.executed.block
    result.gas_used = block.header.gas_used
    if block.hash != case.block_hash:
        result.difference = _difference(case, block.header)
    return result


def execute(case: ReplayCase) -> Sealed:
    """Builds the case's block. Raises MissingNode naming an absent preimage, InvalidTransaction, and ValueError for
    malformed input.
    """
    context = l2_context(case.config, case.parent, case.attributes)
    ancestors = {case.parent.number: context.parent_hash, **case.ancestors}
    builder = BlockBuilder(case.config, context, StateDatabase.of_witness(case.preimages), ancestors.get)
    builder.begin()
    builder.apply_all(decode_transaction(raw) for raw in case.attributes.transactions)
    return builder.seal()


def _read(path: Path) -> bytes:
    if path.suffix != ".gz":
        return path.read_bytes()
    with gzip.open(path) as file:
        data = file.read(_MAX_FILE_SIZE + 1)
    if len(data) > _MAX_FILE_SIZE:
        raise ValueError(f"unpacked it has more than {_MAX_FILE_SIZE:,} bytes")
    return data


def header_from_json(data: Mapping[str, Any]) -> Header:
    """A header from the JSON-RPC form; raises KeyError, ValueError."""
    fields: dict[str, Any] = {}
    for key, name in _HEADER_KEYS.items():
        value = data.get(key)
        if value is not None:
            fields[name] = int(value, 16) if name in _NUMBERS else bytes.fromhex(value[2:])
    return Header(**fields)


def _difference(case: ReplayCase, header: Header) -> str:
    if case.header is not None:
        for name in Header.__slots__:
            expected, got = getattr(case.header, name), getattr(header, name)
            if expected != got:
                return f"{name} differs: {_text(got)}, expected {_text(expected)}"
    return f"hash differs: {_text(header.hash)}, expected {_text(case.block_hash)}"


def _text(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)


def _case(name: str, data: Mapping[str, Any], variants: Mapping[int, ChainVariant]) -> ReplayCase:
    attributes, expected = data["payload_attributes"], data["expected"]
    preimages = {keccak256(value): value for value in map(_decode, data["preimages"].values())}
    ancestors = {}
    for entry in data.get("blockhash_headers") or []:
        header = Header.decode(preimages[_decode(entry)])
        ancestors[header.number] = _decode(entry)
        ancestors[header.number - 1] = header.parent_hash
    full = expected.get("header")
    return ReplayCase(
        name=name,
        config=_config(data, variants),
        parent=header_from_json(data["parent_header"]),
        attributes=attributes_from_json(attributes),
        preimages=preimages,
        ancestors=ancestors,
        block_hash=_decode(expected["block_hash"]),
        header=header_from_json(full) if full else None,
    )


def attributes_from_json(data: Mapping[str, Any]) -> PayloadAttributes:
    """Payload attributes as the Engine API writes them; raises KeyError, ValueError."""
    params, minimum = data.get("eip1559Params"), data.get("minBaseFee")
    root = data.get("parentBeaconBlockRoot")
    return PayloadAttributes(
        timestamp=int(data["timestamp"], 16),
        prev_randao=_decode(data["prevRandao"]),
        fee_recipient=_decode(data["suggestedFeeRecipient"]),
        parent_beacon_block_root=_decode(root) if root is not None else None,
        transactions=[_decode(raw) for raw in data["transactions"]],
        no_tx_pool=True,
        gas_limit=int(data["gasLimit"], 16),
        has_withdrawals=data.get("withdrawals") is not None,
        eip1559_params=_decode(params) if params is not None else None,
        min_base_fee=minimum if minimum is None or isinstance(minimum, int) else int(minimum, 16),
    )


def _config(data: Mapping[str, Any], variants: Mapping[int, ChainVariant]) -> L2Config:
    """The chain from the file's rollup_config, or where its times do not give the fork, from the fork's name.

    activation_block_of names the forks whose first block it is: the parent does not have them yet.
    """
    rollup = data.get("rollup_config") or {}
    fork = Fork[data["fork"].upper()]
    times = {
        member.name.lower(): _number(rollup[f"{member.name.lower()}_time"])
        for member in Fork
        if member != Fork.BEDROCK and rollup.get(f"{member.name.lower()}_time") is not None
    }
    timestamp = int(data["payload_attributes"]["timestamp"], 16)
    forks = ForkSchedule(**times)
    if forks.at(timestamp) != fork:
        activated = [Fork[name.upper()].name.lower() for name in data.get("activation_block_of") or []]
        forks = replace(ForkSchedule.all_at(fork), **dict.fromkeys(activated, timestamp))
    fees = rollup.get("chain_op_config") or {}
    chain_id = int(data.get("chain_id") or rollup["l2_chain_id"])
    return L2Config(
        chain_id=chain_id,
        forks=forks,
        eip1559_elasticity=_number(fees.get("eip1559Elasticity") or 6),
        eip1559_denominator=_number(fees.get("eip1559Denominator") or 50),
        eip1559_denominator_canyon=_number(fees.get("eip1559DenominatorCanyon") or 250),
        variant=variants.get(chain_id, ChainVariant()),
    )


def _decode(value: str) -> bytes:
    return bytes.fromhex(value.removeprefix("0x"))


def _number(value: Any) -> int:
    """A number, as one, in decimal or as a 0x quantity."""
    return value if isinstance(value, int) else int(value, 0)
