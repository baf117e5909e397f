"""Chains whose fees differ from the OP Stack's, by chain id: data, read from JSON.

    {"62320": {"baseFeeRecipient": "0x…", "baseFeeFloor": 25000000000, "hasL1Fee": false}}

A key that is left out keeps the OP Stack's rule; `name` and `source` are for readers.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from rollup.execution.config import ChainVariant
from rollup.protocol.json_text import parse_json

_KEYS = {"name", "source", "baseFeeRecipient", "baseFeeFloor", "hasL1Fee"}


class VariantError(ValueError):
    """A file of chain variants that cannot be read; the message names the key."""


@cache
def known_variants() -> Mapping[int, ChainVariant]:
    """The chains that this package has data of."""
    return parse_variants(json.loads(files("rollup.execution").joinpath("chain_variants.json").read_text()))


def load_variants(path: Path) -> dict[int, ChainVariant]:
    """The known chains with those of a file, which win; raises VariantError."""
    try:
        return {**known_variants(), **parse_variants(parse_json(path.read_text()))}
    except OSError as error:
        raise VariantError(f"{path}: {error.strerror}") from error
    except ValueError as error:  # not text, not JSON, or a VariantError
        raise VariantError(f"{path}: {error}") from error


def parse_variants(data: Any) -> dict[int, ChainVariant]:
    """Chain variants by chain id; raises VariantError."""
    if not isinstance(data, Mapping):
        raise VariantError("an object by chain id is expected")
    return {_chain_id(key): _variant(str(key), value) for key, value in data.items()}


def _chain_id(key: str) -> int:
    if not (key.isascii() and key.isdigit()):
        raise VariantError(f"{key}: a chain id in decimal is expected")
    return int(key)


def _variant(name: str, data: Any) -> ChainVariant:
    if not isinstance(data, Mapping):
        raise VariantError(f"{name}: an object is expected")
    if unknown := sorted(data.keys() - _KEYS):
        raise VariantError(f"{name}.{unknown[0]}: not known; {', '.join(sorted(_KEYS))} are")
    default = ChainVariant()
    floor = data.get("baseFeeFloor", default.base_fee_floor)
    if not isinstance(floor, int) or isinstance(floor, bool) or floor < 0:
        raise VariantError(f"{name}.baseFeeFloor: wei as a number of at least 0 are expected")
    has_l1_fee = data.get("hasL1Fee", default.has_l1_fee)
    if not isinstance(has_l1_fee, bool):
        raise VariantError(f"{name}.hasL1Fee: true or false is expected")
    recipient = default.base_fee_recipient
    if "baseFeeRecipient" in data:
        recipient = _address(f"{name}.baseFeeRecipient", data["baseFeeRecipient"])
    return ChainVariant(recipient, floor, has_l1_fee)


def _address(name: str, value: Any) -> bytes:
    try:
        decoded = bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else b""
    except ValueError:
        decoded = b""
    if len(decoded) != 20:
        raise VariantError(f"{name}: an address of 20 bytes is expected")
    return decoded
