"""The 2,048-bit logs bloom (Yellow Paper, 4.3.1)."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol

from rollup.protocol.primitives import Address, Hash, keccak256


class HasTopics(Protocol):
    """A log, as far as the bloom sees it."""

    @property
    def address(self) -> Address: ...
    @property
    def topics(self) -> tuple[Hash, ...]: ...


@lru_cache(maxsize=65536)
def bloom_bits(value: bytes) -> int:
    """The three bits of one address or topic, as an integer of 2,048 bits."""
    digest = keccak256(value)
    bits = 0
    for i in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[i : i + 2], "big") & 2047)
    return bits


def logs_bloom(logs: Iterable[HasTopics]) -> bytes:
    """The 256-byte bloom of some logs."""
    bits = 0
    for log in logs:
        bits |= bloom_bits(log.address)
        for topic in log.topics:
            bits |= bloom_bits(topic)
    return bits.to_bytes(256, "big")


def may_contain(bloom: bytes, value: bytes) -> bool:
    """False only when no log under this bloom has the address or topic."""
    bits = bloom_bits(value)
    return int.from_bytes(bloom, "big") & bits == bits
