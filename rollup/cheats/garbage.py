"""Garbage that a batcher can post: one kind per way in which derivation must drop data, with the rule that drops it.

`openrollup ctl batcher post-garbage KIND` posts it on a running chain, and the scenario tests post the same bytes.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import brotli

from derivation.drops import Rule
from rollup.protocol.blockref import BlockId
from rollup.protocol.primitives import Hash, keccak256, rlp_encode, to_int_bytes

NOISE: Final = b"".join(keccak256(bytes([number])) for number in range(40))
_BOMB: Final = 120_000_000  # bytes, decompressed


@dataclass(slots=True, frozen=True)
class Place:
    """Where the next batch has to be: the parent block's hash, the block's time in seconds and its L1 origin."""

    parent: Hash
    time: int
    origin: BlockId


@dataclass(slots=True, frozen=True)
class Garbage:
    """One kind: what it is, the data of its L1 transaction, and the rule that drops it.

    is_stranger: another account than the batcher sends it. replaces: the next L2 block becomes one of deposits alone.
    """

    text: str
    rule: Rule
    data: Callable[[Place], bytes]
    is_stranger: bool = False
    replaces: bool = False


def frame(
    data: bytes, *, number: int = 0, is_last: bool = True, channel: bytes = b"\x07" * 16, length: int | None = None
) -> bytes:
    """A frame by hand (specs protocol/derivation.md, "Frame Format")."""
    size = len(data) if length is None else length
    return channel + number.to_bytes(2, "big") + size.to_bytes(4, "big") + data + bytes([is_last])


def framed(data: bytes) -> bytes:
    """Batcher data of one channel in one frame."""
    return b"\x00" + frame(data)


def channel(raw: bytes) -> bytes:
    """Batcher data of one channel, whose content is compressed by zlib."""
    return framed(zlib.compress(raw))


def singular(
    *,
    parent: Hash = bytes(32),
    epoch: int = 0,
    epoch_hash: Hash = bytes(32),
    time: int = 0,
    transactions: Sequence[bytes] = (),
) -> bytes:
    """Batcher data of one singular batch."""
    fields: list[Any] = [parent, to_int_bytes(epoch), epoch_hash, to_int_bytes(time), list(transactions)]
    return channel(rlp_encode(b"\x00" + rlp_encode(fields)))


@cache
def _bomb() -> bytes:
    return framed(zlib.compress(bytes(_BOMB), 9))


def _batch(place: Place, transactions: Sequence[bytes]) -> bytes:
    return singular(
        parent=place.parent,
        epoch=place.origin.number,
        epoch_hash=place.origin.hash,
        time=place.time,
        transactions=transactions,
    )


def _fixed(data: bytes) -> Callable[[Place], bytes]:
    return lambda place: data


def _span(content: bytes) -> bytes:
    return channel(rlp_encode(b"\x01" + content))


KINDS: Final[Mapping[str, Garbage]] = {
    "nothing": Garbage("no bytes at all", Rule.DATA_EMPTY, _fixed(b"")),
    "random-bytes": Garbage("random bytes", Rule.DATA_VERSION, _fixed(NOISE)),
    "unknown-version": Garbage("an unknown derivation version", Rule.DATA_VERSION, _fixed(b"\x01" + frame(b""))),
    "version-alone": Garbage("a version byte alone", Rule.NO_FRAMES, _fixed(b"\x00")),
    "truncated-frame": Garbage("a truncated frame", Rule.FRAME_TRUNCATED, _fixed(framed(b"abcdef")[:-4])),
    "frame-says-longer": Garbage(
        "a frame that says it is longer than it is",
        Rule.FRAME_TRUNCATED,
        _fixed(b"\x00" + frame(b"abc", length=10_000)),
    ),
    "frame-not-last-nor-not": Garbage(
        "a frame whose last byte is neither 0 nor 1", Rule.FRAME_IS_LAST, _fixed(framed(b"abc")[:-1] + b"\x02")
    ),
    "frame-too-long": Garbage(
        "a frame above the size limit", Rule.FRAME_TOO_LONG, _fixed(b"\x00" + frame(b"abc", length=1_000_001))
    ),
    "empty-channel": Garbage("an empty channel", Rule.CHANNEL_EMPTY, _fixed(framed(b""))),
    "bad-zlib": Garbage("bytes that are not zlib", Rule.COMPRESSION_DEFECT, _fixed(framed(b"\x78\x9c" + NOISE))),
    "truncated-zlib": Garbage("truncated zlib", Rule.CHANNEL_LIMIT, _fixed(framed(zlib.compress(NOISE)[:-20]))),
    "bad-brotli": Garbage("bytes that are not brotli", Rule.COMPRESSION_DEFECT, _fixed(framed(b"\x01" + NOISE))),
    "truncated-brotli": Garbage(
        "truncated brotli", Rule.CHANNEL_LIMIT, lambda place: framed(b"\x01" + brotli.compress(NOISE)[:-20])
    ),
    "unknown-compression": Garbage("an unknown compression", Rule.COMPRESSION_UNKNOWN, _fixed(framed(b"\x05" + NOISE))),
    "bad-rlp": Garbage("bad RLP", Rule.RLP_MALFORMED, _fixed(channel(b"\xb9\xff\xff\x00"))),
    "list-for-string": Garbage(
        "a list where a string is expected", Rule.RLP_MALFORMED, _fixed(channel(rlp_encode([b"\x00"])))
    ),
    "no-batch-type": Garbage("a batch without a type", Rule.BATCH_EMPTY, _fixed(channel(rlp_encode(b"")))),
    "unknown-batch-type": Garbage(
        "a batch of an unknown type", Rule.BATCH_VERSION, _fixed(channel(rlp_encode(b"\x09" + NOISE)))
    ),
    "singular-no-list": Garbage(
        "a singular batch that is not a list",
        Rule.BATCH_MALFORMED,
        _fixed(channel(rlp_encode(b"\x00" + rlp_encode(b"abc")))),
    ),
    "singular-few-fields": Garbage(
        "a singular batch with too few fields",
        Rule.BATCH_MALFORMED,
        _fixed(channel(rlp_encode(b"\x00" + rlp_encode([b"", b""])))),
    ),
    "span-of-noise": Garbage("a span batch of noise", Rule.SPAN_MALFORMED, _fixed(_span(NOISE))),
    "span-too-long": Garbage(
        "a span batch of 2**60 blocks",
        Rule.SPAN_MALFORMED,
        _fixed(_span(b"\x01\x01" + bytes(40) + b"\xff\xff\xff\xff\xff\xff\xff\xff\x0f")),
    ),
    "decompression-bomb": Garbage(
        f"{_BOMB:,} bytes of zeros, compressed",
        Rule.BATCH_MALFORMED,
        lambda place: _bomb(),
    ),
    "wrong-parent": Garbage("a batch that names another parent", Rule.PARENT, lambda place: singular(time=place.time)),
    "wrong-epoch": Garbage(
        "a batch whose L1 origin has another hash",
        Rule.EPOCH_HASH,
        lambda place: singular(parent=place.parent, epoch=place.origin.number, time=place.time),
    ),
    "old-batch": Garbage("a batch of the past", Rule.PAST, lambda place: singular(time=place.time // 2)),
    "future-batch": Garbage("a batch of the far future", Rule.FUTURE, _fixed(singular(time=2**40))),
    "deposit-in-batch": Garbage(
        "a batch that contains a deposit", Rule.TRANSACTION_DEPOSIT, lambda place: _batch(place, [b"\x7e" + NOISE])
    ),
    "empty-transaction": Garbage(
        "a batch that contains an empty transaction", Rule.TRANSACTION_EMPTY, lambda place: _batch(place, [b""])
    ),
    "invalid-transaction": Garbage(
        "a batch with an invalid transaction: from Holocene on, a block with only deposits replaces its block",
        Rule.PAYLOAD_DEPOSITS_ONLY,
        lambda place: _batch(place, [NOISE]),
        replaces=True,
    ),
    "wrong-key": Garbage(
        "a batch that another account posts", Rule.SENDER, lambda place: _batch(place, []), is_stranger=True
    ),
}
