"""The state patches of a development chain, and `patches.json` of a data directory, which keeps them.

A patch changes accounts at the beginning of a block without a transaction. L1 data does not contain it, so anyone who
derives the chain needs the file: `openrollup verify --patches patches.json`. Accounts stand in it as in the state
overrides of `eth_call`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rollup.execution.irregular import StatePatches
from rollup.execution.overrides import StateOverride
from rollup.files import write_file
from rollup.protocol.json_text import parse_json
from rollup.protocol.primitives import Address
from rollup.rpc.params import Invalid, mapping, state_overrides

FILE: Final = "patches.json"
LAYERS: Final = ("l1", "l2")
_Table = Mapping[int, Mapping[Address, StateOverride]]


class PatchesError(ValueError):
    """A patches file that cannot be read; the message names the file and the place."""


class Patches:
    """The patches of both layers. With a folder, every change is written to its patches.json."""

    def __init__(self, folder: Path | None = None, document: str | None = None) -> None:
        """Reads patches.json of the folder; raises PatchesError. Where it is missing, document is its text."""
        self._path = None if folder is None else folder / FILE
        self.layers = {name: StatePatches() for name in LAYERS} if document is None else parse_patches(document)
        if self._path is not None and self._path.exists():
            self.layers = load_patches(self._path)

    def add(self, layer: str, height: int, address: Address, override: StateOverride) -> None:
        """Adds a patch to a block of a layer (l1 or l2) that is not built yet; raises OSError with nothing changed."""
        patches = self.layers[layer]
        before = self.capture()[layer]
        patches.add(height, address, override)
        try:
            self._write()
        except OSError:
            patches.replace(before)
            raise

    def capture(self) -> dict[str, _Table]:
        """All patches, for a snapshot."""
        return {name: {height: dict(table) for height, table in self.layers[name].by_height.items()} for name in LAYERS}

    def restore(self, tables: Mapping[str, _Table]) -> None:
        """Takes up what capture returned."""
        if self.capture() == tables:
            return
        for name in LAYERS:
            self.layers[name].replace(tables[name])
        self._write()

    def document(self) -> str:
        """The text of patches.json."""
        tables = {name: _layer_json(self.layers[name].by_height) for name in LAYERS}
        return json.dumps(tables, indent=1) + "\n"

    def _write(self) -> None:
        if self._path is not None:
            write_file(self._path, self.document())


def load_patches(path: Path) -> dict[str, StatePatches]:
    """The patches of both layers in a file; raises PatchesError."""
    try:
        return parse_patches(path.read_bytes())
    except OSError as error:
        raise PatchesError(f"{path}: {error.strerror or error}") from error
    except PatchesError as error:
        raise PatchesError(f"{path}: {error}") from error


def parse_patches(text: str | bytes) -> dict[str, StatePatches]:
    """The patches of both layers in the text of a file; raises PatchesError."""
    try:
        document = mapping(parse_json(text))
        if unknown := document.keys() - set(LAYERS):
            raise Invalid(f"{min(unknown)}: l1 or l2 is expected")
        return {name: StatePatches(_layer(mapping(document.get(name, {})))) for name in LAYERS}
    except (ValueError, Invalid) as error:
        raise PatchesError(str(error)) from error


def _layer(document: Mapping[str, Any]) -> _Table:
    tables = {}
    for height, overrides in document.items():
        if not (height.isascii() and height.isdigit() and len(height) < 20):
            raise Invalid(f"{height}: a block number is expected")
        tables[int(height)] = state_overrides(overrides)
    return tables


def _layer_json(tables: _Table) -> dict[str, Any]:
    return {
        str(height): {"0x" + address.hex(): _override_json(item) for address, item in table.items()}
        for height, table in sorted(tables.items())
    }


def _override_json(override: StateOverride) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if override.balance is not None:
        fields["balance"] = hex(override.balance)
    if override.nonce is not None:
        fields["nonce"] = hex(override.nonce)
    if override.code is not None:
        fields["code"] = "0x" + override.code.hex()
    if override.storage is not None:
        fields["state"] = _slots_json(override.storage)
    elif override.storage_diff:
        fields["stateDiff"] = _slots_json(override.storage_diff)
    return fields


def _slots_json(slots: Mapping[int, int]) -> dict[str, str]:
    return {f"0x{slot:064x}": f"0x{value:064x}" for slot, value in slots.items()}
