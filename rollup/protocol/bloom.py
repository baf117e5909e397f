"""The 2,048-bit logs bloom (Yellow Paper, 4.3.1)."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol

from rollup.protocol.primitives import Address, Hash, keccak256


class HasTopics(Protocol):
    """The part of a log that goes into the bloom."""

    @property
    def address(self) -> Address: ...
    @property
    def topics(self) -> tuple[Hash, ...]: ...


def value_bits(value: bytes) -> int:
    """The three bits of one address or topic, as an integer of 2,048 bits."""
    digest = keccak256(value)
    bits = 0
    for i in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[i : i + 2], "big") & 2047)
    return bits


bloom_bits = lru_cache(maxsize=65536)(value_bits)  # for the addresses and topics that occur in many blocks


def logs_bloom(logs: Iterable[HasTopics]) -> bytes:
    """The 256-byte bloom of some logs."""
    bits = 0
    for log in logs:
        bits |= bloom_bits(log.address)
        for topic in log.topics:
            bits |= bloom_bits(topic)
    return bits.to_bytes(256, "big")


class BloomTest:
    """Tests blooms for any of some addresses or topics.

    The bits of each value are computed once, here. They are grouped by their lowest bit, so that a block whose bloom
    has few bits is compared with few values.
    """

    def __init__(self, values: Iterable[bytes]) -> None:
        self._by_lowest: dict[int, list[int]] = {}
        self._lowest = 0
        for value in values:
            bits = value_bits(value)
            lowest = bits & -bits
            self._lowest |= lowest
            self._by_lowest.setdefault(lowest, []).append(bits)

    def may_match(self, bloom: int) -> bool:
        """False only when no log under this bloom has any of the values."""
        candidates = bloom & self._lowest
        while candidates:
            lowest = candidates & -candidates
            if any(bits & bloom == bits for bits in self._by_lowest[lowest]):
                return True
            candidates ^= lowest
        return False
