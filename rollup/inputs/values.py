"""Amounts, addresses, hashes and time spans as people write them, on a command line, in a file or in a form."""

import re
from typing import Final

from eth_typing import ChecksumAddress
from eth_utils.address import is_checksum_address, is_checksum_formatted_address, to_checksum_address

_UNITS: Final = {"": 0, "wei": 0, "gwei": 9, "ether": 18, "open": 18}
_AMOUNT: Final = re.compile(r"([0-9][0-9_,]*)(?:\.([0-9]+))? *([a-z]*)", re.IGNORECASE)
_MAX_DIGITS: Final = 40
SECONDS_PER_UNIT: Final = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
_DURATION: Final = re.compile(r"([0-9]+)([smhd]?)")


def parse_amount(text: str) -> int:
    """Wei: `1000`, `5gwei`, `0.01 OPEN`. ValueError for anything else, and for fractions of a wei."""
    match = _AMOUNT.fullmatch(text.strip())
    digits = _UNITS.get(match[3].lower()) if match else None
    if match is None or digits is None:
        raise ValueError(f"{text!r} is not an amount, such as 1000 (wei), 5gwei or 0.01open")
    whole, fraction = re.sub("[_,]", "", match[1]), (match[2] or "").rstrip("0")
    if len(fraction) > digits:
        raise ValueError(f"{text!r} is not a whole number of wei; write the unit, such as 0.01open or 5gwei")
    if len(whole) > _MAX_DIGITS or (wei := int(whole + fraction.ljust(digits, "0"))) >> 128:
        raise ValueError(f"{text!r} is 2^128 wei or more")
    return wei


def parse_address(text: str) -> ChecksumAddress:
    """An address in hex; ValueError for anything else, and for a checksum that does not hold (EIP-55)."""
    if re.fullmatch("0x[0-9a-fA-F]{40}", text) is None:
        raise ValueError(f"{text!r} is not an address (0x and 40 hex digits)")
    if is_checksum_formatted_address(text) and not is_checksum_address(text):
        raise ValueError(f"{text!r} has a wrong checksum (EIP-55): a digit may be wrong")
    return to_checksum_address(text)


def parse_hash(text: str) -> bytes:
    """32 bytes in hex; ValueError for anything else."""
    if re.fullmatch(r"0x[0-9a-fA-F]{64}", text) is None:
        raise ValueError(f"{text!r} is not a hash (0x and 64 hex digits)")
    return bytes.fromhex(text[2:])


def parse_duration(text: str) -> int:
    """Seconds: `90`, `15m`, `1h`, `30d`; ValueError for anything else."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a time span, such as 90 (seconds), 15m, 1h or 30d")
    return int(match[1]) * SECONDS_PER_UNIT[match[2]]
