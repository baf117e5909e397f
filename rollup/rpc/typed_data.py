"""EIP-712 data: what eth-account leaves unchecked before it encodes a message."""

import re
from typing import Any

_ARRAY = re.compile(r"(.*)\[(\d*)\]")


def check_array_lengths(typed: dict[str, Any]) -> None:
    """Raises ValueError where an array of fixed length has another number of items.

    The data was encoded before, so every type that it names is there. eth-account encodes such an array as it is, and
    would sign a message that no contract can hash.
    """
    types = typed["types"]
    for name, value in ((typed["primaryType"], typed["message"]), ("EIP712Domain", typed.get("domain", {}))):
        _check(types, name, value)


def _check(types: dict[str, Any], name: str, value: Any) -> None:
    array = _ARRAY.fullmatch(name)
    if array is not None and isinstance(value, list | tuple):
        inner, length = array[1], array[2]
        if length and len(value) != int(length):
            raise ValueError(f"Expected {length} items for array type {name}, got {len(value)} items")
        for item in value:
            _check(types, inner, item)
    elif name in types and isinstance(value, dict):
        for field in types[name]:
            _check(types, field["type"], value.get(field["name"]))
