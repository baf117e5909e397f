"""How the vectors write bytes and numbers."""

import re
from typing import Any

from rollup.protocol.forks import Fork


def unhex(text: str) -> bytes:
    """0x-hex to bytes."""
    return bytes.fromhex(text.removeprefix("0x"))


def number(value: Any) -> int:
    """A number as itself, in decimal or as 0x-hex."""
    return value if isinstance(value, int) else int(value, 0)


def repeated(case: dict[str, Any], key: str = "input") -> bytes:
    """`input`, or `input_repeat` as a byte and a count; `_prefix` with zero padding is written out by the caller."""
    if key in case:
        return unhex(case[key])
    repeat = case[f"{key}_repeat"]
    return unhex(repeat["byte"]) * repeat["count"]


def fork_named(text: str) -> Fork:
    """The fork a text begins with: "holocene (pre-isthmus)"."""
    return Fork[re.split(r"\W", text)[0].upper()]
