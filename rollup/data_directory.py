"""A node's data directory: the parameters that make the chain what it is, kept next to its stores.

`openrollup.json` is written before anything else and only into an empty directory, so that a directory with this file
is ours, and another with anything in it is not.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rollup.files import write_file
from rollup.protocol.json_text import parse_json

_FILE = "openrollup.json"
_UNFINISHED = "openrollup.json.new"

# What makes another chain of it.
_NUMBERS = (
    "l1_block_time",
    "l2_block_time",
    "l1_chain_id",
    "l2_chain_id",
    "l1_gas_limit",
    "l2_gas_limit",
    "operator_fee_scalar",
    "operator_fee_constant",
    "genesis_time",
    "attribution_time",
    "sequencing_window",
)
_FORKS = ("forks", "l1_forks")
CHAIN_FIELDS = (*_NUMBERS, "seed", "attribution", *_FORKS)
# Fields that older directories do not have.
_DEFAULTS: Mapping[str, Any] = {
    "forks": "jovian",
    "l1_forks": "prague",
    "l1_chain_id": 900,
    "l2_chain_id": 901,
    "l1_gas_limit": 60_000_000,
    "l2_gas_limit": 60_000_000,
    "sequencing_window": None,
}


class DataDirectoryError(ValueError):
    """A directory that cannot be used: not ours, damaged, or of another chain. Nothing in it was changed."""


def begin_or_resume(directory: Path, chosen: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The chain's parameters, a value for each of CHAIN_FIELDS.

    chosen: what the user asked for; a None is what the directory has, or in a new one what the defaults say.
    Raises DataDirectoryError; OSError where the directory cannot be read or written.
    """
    if directory.exists() and not directory.is_dir():
        raise DataDirectoryError(f"{directory}: not a directory")
    path = directory / _FILE
    if not path.exists():
        return _begin(directory, chosen, defaults)
    kept = _read(path)
    for name in CHAIN_FIELDS:
        if chosen[name] not in (kept[name], None):
            raise DataDirectoryError(
                f"{directory} holds a chain with {name} {kept[name]}, not {chosen[name]}: "
                "use the same options, or another --data-dir"
            )
    return kept


def _begin(directory: Path, chosen: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    if directory.exists() and any(entry.name != _UNFINISHED for entry in directory.iterdir()):
        raise DataDirectoryError(f"{directory}: not empty, and not a data directory of openrollup")
    values = {name: defaults[name] if chosen[name] is None else chosen[name] for name in CHAIN_FIELDS}
    directory.mkdir(parents=True, exist_ok=True)
    write_parameters(directory, values)
    return values


def write_parameters(directory: Path, values: Mapping[str, Any]) -> None:
    """Makes a directory one of a chain with these values of CHAIN_FIELDS; raises OSError."""
    kept = {name: values[name] for name in CHAIN_FIELDS}
    write_file(directory / _FILE, json.dumps(kept, indent=1) + "\n")  # a kill leaves the whole file or none


def _read(path: Path) -> dict[str, Any]:
    try:
        kept = parse_json(path.read_bytes())
    except ValueError as error:
        raise DataDirectoryError(f"{path}: not JSON: {error}") from error
    try:
        return check_parameters(kept)
    except DataDirectoryError as error:
        raise DataDirectoryError(f"{path}: {error}") from error


def check_parameters(kept: Any) -> dict[str, Any]:
    """The values of CHAIN_FIELDS in a JSON document; raises DataDirectoryError."""
    if not isinstance(kept, dict):
        raise DataDirectoryError("an object is expected")
    kept = {**_DEFAULTS, **kept}
    for name in CHAIN_FIELDS:
        if name not in kept:
            raise DataDirectoryError(f"{name} is missing")
        value = kept[name]
        if value is None and name in _DEFAULTS and _DEFAULTS[name] is None:
            continue  # of a directory that is older than the field: the node decides
        if name == "attribution":
            if value not in ("native", "contract"):
                raise DataDirectoryError(f"attribution: native or contract is expected, not {value!r}")
        elif name in _FORKS:
            if not isinstance(value, str):
                raise DataDirectoryError(f"{name}: a text is expected, not {value!r}")
        elif not isinstance(value, int) or isinstance(value, bool):
            raise DataDirectoryError(f"{name}: a whole number is expected, not {value!r}")
        elif name in _NUMBERS and not 0 <= value < 2**64:
            raise DataDirectoryError(f"{name}: {value} is outside of 0 to 2**64 - 1")
    return {name: kept[name] for name in CHAIN_FIELDS}
