"""A block as sequencers gossip it: signature, parent beacon block root, SSZ execution payload, Snappy over all.

Sources: specs protocol/rollup-node-p2p.md ("Block encoding", "Block signatures"), isthmus/exec-engine.md ("Update to
ExecutionPayload"); consensus-specs, SSZ and ExecutionPayload.
"""

from dataclasses import dataclass
from itertools import pairwise

from coincurve import PrivateKey

from rollup.protocol.block import Block
from rollup.protocol.forks import Fork
from rollup.protocol.header import Header
from rollup.protocol.ordered_trie import ordered_trie_root
from rollup.protocol.primitives import (
    EMPTY_REQUESTS_HASH,
    EMPTY_TRIE_ROOT,
    ZERO_HASH,
    Address,
    Hash,
    keccak256,
)
from rollup.protocol.snappy import SnappyError, compress, decompress
from rollup.protocol.transaction import SECP256K1_N, TransactionError, decode_transaction, recover_address

MAX_MESSAGE_SIZE = 10 * (1 << 20)  # rollup-node-p2p.md, "Max gossip size"
SIGNATURE_SIZE = 65
_MAX_EXTRA_DATA = 32  # consensus-specs, MAX_EXTRA_DATA_BYTES
_MAX_TRANSACTIONS = 1 << 20  # consensus-specs, MAX_TRANSACTIONS_PER_PAYLOAD
_FIXED_SIZES = {1: 508, 2: 512, 3: 528, 4: 560}  # the payload up to its first variable part


class PayloadError(ValueError):
    """Bytes that are not a payload of the topic's version, or that have an invalid signature. They are dropped."""


@dataclass(slots=True, frozen=True)
class PayloadEnvelope:
    """A gossiped block. block.hash is the hash that the payload claims; signature: r, s of 32 bytes each, y parity of
    one.
    """

    version: int
    signature: bytes
    payload_hash: Hash
    block: Block

    @property
    def has_its_hash(self) -> bool:
        """Whether the claimed hash is the hash of the header."""
        # spec: gossip.block-hash
        return self.block.hash == self.block.header.hash

    def signer(self, chain_id: int) -> Address:
        """The signer. Raises PayloadError if the signature is invalid."""
        # spec: gossip.signature
        r, s = int.from_bytes(self.signature[:32], "big"), int.from_bytes(self.signature[32:64], "big")
        if self.signature[64] > 1 or s > SECP256K1_N // 2:
            raise PayloadError("payload: the signature is not canonical")
        try:
            return recover_address(signing_hash(chain_id, self.payload_hash), self.signature[64], r, s)
        except TransactionError as error:
            raise PayloadError(f"payload: {error}") from error


def payload_version(fork: Fork) -> int:
    """The version of topic and payload: blocksv1 to blocksv4."""
    if fork >= Fork.ISTHMUS:
        return 4
    if fork >= Fork.ECOTONE:
        return 3
    return 2 if fork >= Fork.CANYON else 1


def signing_hash(chain_id: int, payload_hash: Hash) -> Hash:
    """The hash that a sequencer signs, in the domain of 32 zero bytes."""
    return keccak256(ZERO_HASH + chain_id.to_bytes(32, "big") + payload_hash)


def encode_message(block: Block, version: int, chain_id: int, private_key: bytes) -> bytes:
    """The gossip message of a block, signed with a key of 32 bytes."""
    body = _body(block, version)
    digest = signing_hash(chain_id, keccak256(body))
    return compress(PrivateKey(private_key).sign_recoverable(digest, hasher=None) + body)


def decode_message(message: bytes, version: int) -> PayloadEnvelope:
    """Reads a gossip message of a topic's version; raises PayloadError. The signer is not checked."""
    # spec: gossip.decodes
    try:
        data = decompress(message, MAX_MESSAGE_SIZE)
    except SnappyError as error:
        raise PayloadError(str(error)) from error
    if len(data) < SIGNATURE_SIZE:
        raise PayloadError(f"payload: {len(data)} bytes are less than a signature")
    body = data[SIGNATURE_SIZE:]
    root: Hash | None = None
    payload = body
    if version >= 3:
        if len(body) < 32:
            raise PayloadError("payload: no parent beacon block root")
        root, payload = body[:32], body[32:]
    return PayloadEnvelope(version, data[:SIGNATURE_SIZE], keccak256(body), decode_payload(payload, version, root))


def encode_payload(block: Block, version: int) -> bytes:
    """The SSZ ExecutionPayload of a block, in the form of a version from 1 to 4."""
    header = block.header
    extra = _FIXED_SIZES[version]
    transactions = _encode_list([transaction.encode() for transaction in block.transactions])
    parts = [
        header.parent_hash,
        header.coinbase,
        header.state_root,
        header.receipts_root,
        header.logs_bloom,
        header.prev_randao,
        *(_u64(value) for value in (header.number, header.gas_limit, header.gas_used, header.timestamp)),
        _u32(extra),
        (header.base_fee_per_gas or 0).to_bytes(32, "little"),
        block.hash,
        _u32(extra + len(header.extra_data)),
    ]
    if version >= 2:
        parts.append(_u32(extra + len(header.extra_data) + len(transactions)))
    if version >= 3:
        parts += [_u64(header.blob_gas_used or 0), _u64(header.excess_blob_gas or 0)]
    if version >= 4:
        parts.append(header.withdrawals_root or ZERO_HASH)
    return b"".join((*parts, header.extra_data, transactions))


def decode_payload(data: bytes, version: int, parent_beacon_block_root: Hash | None = None) -> Block:
    """Reads an SSZ ExecutionPayload; raises PayloadError. The block's hash is the one the payload claims."""
    # spec: gossip.beacon-root
    fixed = _FIXED_SIZES.get(version)
    if fixed is None:
        raise PayloadError(f"payload: no version {version}")
    if (parent_beacon_block_root is not None) != (version >= 3):
        raise PayloadError("payload: a parent beacon block root belongs to versions 3 and 4, and to no other")
    if len(data) < fixed:
        raise PayloadError(f"payload: {len(data)} bytes, at least {fixed} are expected")
    extra_data, raws = _variable_parts(data, version, fixed)
    try:
        transactions = [decode_transaction(raw) for raw in raws]
    except TransactionError as error:
        raise PayloadError(f"payload: {error}") from error
    withdrawals_root = EMPTY_TRIE_ROOT if version >= 2 else None
    header = Header(
        parent_hash=data[:32],
        coinbase=data[32:52],
        state_root=data[52:84],
        transactions_root=ordered_trie_root(raws),
        receipts_root=data[84:116],
        logs_bloom=data[116:372],
        prev_randao=data[372:404],
        number=_int(data, 404),
        gas_limit=_int(data, 412),
        gas_used=_int(data, 420),
        timestamp=_int(data, 428),
        extra_data=extra_data,
        base_fee_per_gas=_int(data, 440, 32),
        withdrawals_root=data[528:560] if version >= 4 else withdrawals_root,
        blob_gas_used=_int(data, 512) if version >= 3 else None,
        excess_blob_gas=_int(data, 520) if version >= 3 else None,
        parent_beacon_block_root=parent_beacon_block_root,
        requests_hash=EMPTY_REQUESTS_HASH if version >= 4 else None,
    )
    return Block(header, transactions, data[472:504])


def _body(block: Block, version: int) -> bytes:
    root = block.header.parent_beacon_block_root or ZERO_HASH
    return (root if version >= 3 else b"") + encode_payload(block, version)


def _variable_parts(data: bytes, version: int, fixed: int) -> tuple[bytes, list[bytes]]:
    """Extra data and transactions. Offsets must follow SSZ's layout without gaps, and there must be no withdrawals."""
    # spec: gossip.withdrawals
    extra, transactions = _int(data, 436, 4), _int(data, 504, 4)
    end = _int(data, 508, 4) if version >= 2 else len(data)
    if extra != fixed or not extra <= transactions <= end <= len(data):
        raise PayloadError("payload: its parts do not lie one after the other")
    if end != len(data):
        raise PayloadError("payload: withdrawals, where an OP chain has none")
    if transactions - extra > _MAX_EXTRA_DATA:
        raise PayloadError(f"payload: extraData of {transactions - extra} bytes")
    return data[extra:transactions], _decode_list(data[transactions:end])


def _encode_list(items: list[bytes]) -> bytes:
    offset = 4 * len(items)
    offsets = []
    for item in items:
        offsets.append(_u32(offset))
        offset += len(item)
    return b"".join((*offsets, *items))


def _decode_list(data: bytes) -> list[bytes]:
    """A list of byte strings: first one offset per string, then the strings."""
    if not data:
        return []
    first = _int(data, 0, 4) if len(data) >= 4 else 0
    if first == 0 or first % 4 or first > len(data) or first // 4 > _MAX_TRANSACTIONS:
        raise PayloadError("payload: a list of transactions with a wrong first offset")
    offsets = [_int(data, index, 4) for index in range(0, first, 4)] + [len(data)]
    if any(start > end for start, end in pairwise(offsets)):
        raise PayloadError("payload: transactions do not lie one after the other")
    return [data[start:end] for start, end in pairwise(offsets)]


def _u32(value: int) -> bytes:
    return value.to_bytes(4, "little")


def _u64(value: int) -> bytes:
    return value.to_bytes(8, "little")


def _int(data: bytes, start: int, size: int = 8) -> int:
    return int.from_bytes(data[start : start + size], "little")
