"""The 2,048-bit logs bloom (Yellow Paper, 4.3.1)."""

from array import array
from bisect import bisect_left
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


def value_places(value: bytes) -> list[int]:
    """Where the three bits of one address or topic are, the lowest first; some may be equal."""
    digest = keccak256(value)
    return sorted(int.from_bytes(digest[i : i + 2], "big") & 2047 for i in (0, 2, 4))


def value_bits(value: bytes) -> int:
    """The three bits of one address or topic, as an integer of 2,048 bits."""
    digest = int.from_bytes(keccak256(value)[:6], "big")
    return 1 << (digest >> 32 & 2047) | 1 << (digest >> 16 & 2047) | 1 << (digest & 2047)


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

    The bits of each value are computed once, here. They are sorted by their lowest bit, so that a block whose bloom has
    few bits is compared with few values. A value takes six bytes: a hundred searches for a thousand values each may run
    at once.
    """

    def __init__(self, values: Iterable[bytes]) -> None:
        places = sorted(map(value_places, values))
        self._first, self._second, self._third = (array("H", (item[i] for item in places)) for i in range(3))
        self._lowest = 0
        for place in self._first:
            self._lowest |= 1 << place

    def may_match(self, bloom: int) -> bool:
        """False only when no log under this bloom has any of the values."""
        candidates = bloom & self._lowest
        while candidates:
            lowest = candidates & -candidates
            place = lowest.bit_length() - 1
            for index in range(bisect_left(self._first, place), bisect_left(self._first, place + 1)):
                if bloom >> self._second[index] & 1 and bloom >> self._third[index] & 1:
                    return True
            candidates ^= lowest
        return False
