"""The platform's parameters and the re-entrancy lock. Both are in storage, so nodes with equal genesis agree.

The lock shares a slot with the treasury. An inference reads that slot anyway, so the check costs nothing. Only a payout
sets the lock, for the time of the call.
"""

from typing import Final, NamedTuple

from .abi import decode_words, encode_words
from .errors import INVALID_ADDRESS, REENTRANCY, TOO_MANY, UNAUTHORIZED
from .events import PLATFORM_SET
from .host import Host
from .layout import ADMIN, MASK_160, MAX_PLATFORM_BPS, PLATFORM
from .words import cached, pack_platform, unpack_platform

VERSION: Final = 1
_VERSION_WORD: Final = VERSION.to_bytes(32, "big")


class Platform(NamedTuple):
    """The PLATFORM word: the treasury (an address as an integer), its share of a fee in basis points, and the lock."""

    word: int
    treasury: int
    bps: int
    lock: int


def enter(host: Host) -> Platform:
    """Reads the platform. Every method that writes calls this first. Raises Reentrancy during a payout."""
    platform = _platform(host.sload(PLATFORM))
    if platform.lock:
        raise REENTRANCY()
    return platform


@cached
def _platform(word: int) -> Platform:
    return Platform(word, *unpack_platform(word))


def set_platform(host: Host, data: bytes) -> bytes:
    """setPlatform: only the admin may call it; at most 3,000 basis points."""
    admin, treasury, bps = decode_words(data, (160, 160, 16))
    enter(host)
    if host.caller != host.sload(ADMIN) & MASK_160:
        raise UNAUTHORIZED(host.caller)
    if not admin or not treasury:
        raise INVALID_ADDRESS()
    if bps > MAX_PLATFORM_BPS:
        raise TOO_MANY(bps, MAX_PLATFORM_BPS)
    host.sstore(ADMIN, admin)
    host.sstore(PLATFORM, pack_platform(treasury, bps))
    host.log((PLATFORM_SET, admin, treasury), encode_words(bps))
    return b""


def platform(host: Host, data: bytes) -> bytes:
    """platform: admin, treasury, basis points."""
    admin = host.sload(ADMIN) & MASK_160
    treasury, bps, _ = unpack_platform(host.sload(PLATFORM))
    return encode_words(admin, treasury, bps)


def version(host: Host, data: bytes) -> bytes:
    """version: the version of the interface."""
    return _VERSION_WORD
