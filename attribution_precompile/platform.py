"""The platform's parameters, kept in storage so that nodes with equal genesis agree, and the re-entrancy lock.

The lock shares the treasury's slot: an inference reads that slot anyway, so guarding it costs nothing. Only a payout
sets it, for the time of the call.
"""

from typing import Final

from .abi import decode_words, encode_words
from .errors import INVALID_ADDRESS, REENTRANCY, TOO_MANY, UNAUTHORIZED
from .events import PLATFORM_SET
from .host import Host
from .layout import (
    ADMIN,
    BPS_SHIFT,
    LOCK_SHIFT,
    MASK_8,
    MASK_16,
    MASK_160,
    MAX_PLATFORM_BPS,
    PLATFORM,
)

VERSION: Final = 1
_VERSION_WORD: Final = VERSION.to_bytes(32, "big")


def enter(host: Host) -> int:
    """The first step of every mutator: the PLATFORM word, or Reentrancy during a payout."""
    word = host.sload(PLATFORM)
    if word >> LOCK_SHIFT & MASK_8:
        raise REENTRANCY()
    return word


def set_platform(host: Host, data: bytes) -> bytes:
    """setPlatform: by the admin, at most 3,000 basis points."""
    admin, treasury, bps = decode_words(data, (160, 160, 16))
    enter(host)
    if host.caller != host.sload(ADMIN) & MASK_160:
        raise UNAUTHORIZED(host.caller)
    if not admin or not treasury:
        raise INVALID_ADDRESS()
    if bps > MAX_PLATFORM_BPS:
        raise TOO_MANY(bps, MAX_PLATFORM_BPS)
    host.sstore(ADMIN, admin)
    host.sstore(PLATFORM, bps << BPS_SHIFT | treasury)
    host.log((PLATFORM_SET, admin, treasury), encode_words(bps))
    return b""


def platform(host: Host, data: bytes) -> bytes:
    """platform: admin, treasury, basis points."""
    admin = host.sload(ADMIN) & MASK_160
    word = host.sload(PLATFORM)
    return encode_words(admin, word & MASK_160, word >> BPS_SHIFT & MASK_16)


def version(host: Host, data: bytes) -> bytes:
    """version: of the interface."""
    return _VERSION_WORD
