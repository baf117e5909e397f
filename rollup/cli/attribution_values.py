"""The types of the options of the attribution commands: amounts, addresses, hashes, influence entries, numbers."""

import re
from typing import Any, Final

import click

from attribution_precompile.attestation import Influence
from rollup.inputs.values import parse_address, parse_amount, parse_duration, parse_hash

_MAX_DIGITS: Final = 40


def parse_influence(text: str) -> Influence:
    """`DATANET:WEIGHT` for a pool, `DATANET:CONTRIBUTOR:WEIGHT` for one member; ValueError for anything else."""
    parts = text.split(":")
    numbers = [parts[0], parts[-1]]
    if len(parts) not in (2, 3) or not all(re.fullmatch("[0-9]{1,20}", number) for number in numbers):
        raise ValueError(f"{text!r} is not DATANET:WEIGHT or DATANET:CONTRIBUTOR:WEIGHT")
    entry = Influence(int(parts[0]), parse_address(parts[1]) if len(parts) == 3 else "", int(parts[-1]))
    try:
        entry.encode()
    except ValueError as error:
        raise ValueError(f"{text!r}: a DataNet is 1 or more, a weight 1 to 2^32 - 1") from error
    return entry


class Parsed(click.ParamType[Any]):
    """A click type that is one of the functions above."""

    def __init__(self, name: str, parse: Any) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


AMOUNT: Final = Parsed("amount", parse_amount)
ADDRESS: Final = Parsed("address", parse_address)
HASH: Final = Parsed("hash", parse_hash)
DURATION: Final = Parsed("duration", parse_duration)
INFLUENCE: Final = Parsed("datanet[:contributor]:weight", parse_influence)


def whole_number(low: int, high: int) -> click.ParamType[int]:
    """A click type: a whole number from `low` to `high`, which `--help` calls N without listing twenty digits."""

    def parse(text: str) -> int:
        digits = text.replace("_", "")
        if not digits.isascii() or not digits.isdigit() or len(digits) > _MAX_DIGITS:
            raise ValueError(f"{text!r} is not a whole number")
        if not low <= int(digits) <= high:
            raise ValueError(f"{text} is not from {low:,} to {high:,}")
        return int(digits)

    return Parsed("n", parse)


UINT32: Final = whole_number(0, 2**32 - 1)
UINT64: Final = whole_number(0, 2**64 - 1)
ID: Final = whole_number(1, 2**64 - 1)
INDEX: Final = whole_number(0, 2**31 - 1)
POSITIVE: Final = whole_number(1, 2**32 - 1)
