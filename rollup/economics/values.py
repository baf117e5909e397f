"""Parsers of counts and dollars that users write in a command or a call. ValueError names the expected form."""

from fractions import Fraction
from typing import Final

_MAX_DIGITS: Final = 30


def parse_count(text: str) -> int:
    """A whole number of at most 30 digits, such as `50_000`."""
    digits = text.strip().replace("_", "")
    if not digits.isascii() or not digits.isdigit() or len(digits) > _MAX_DIGITS:
        raise ValueError(f"{text!r} is not a whole number")
    return int(digits)


def parse_usd(text: str) -> Fraction:
    """Dollars [$] as a decimal number, at least 0, such as `0.20`."""
    digits = text.removeprefix("$").replace("_", "")
    plain = digits.replace(".", "", 1)
    if not plain.isascii() or not plain.isdigit() or len(digits) > _MAX_DIGITS:
        raise ValueError(f"{text!r} is not an amount of dollars, such as 0.20")
    return Fraction(digits)
