"""A whole node in one file: `openrollup ctl dump FILE` writes it, `openrollup run --load FILE` starts from it.

It holds what a data directory holds: the chain's parameters, the state patches, and the tables of the three stores,
with pools, blobs and the record of the batches. A node that loads it continues as after a restart, its clock at the
head of the chains. Snapshots, impersonated accounts and actors that were stopped are not in it.

Format: a line `openrollup dump VERSION`, the SHA-256 of the rest (32 bytes), then zlib of the RLP list
[parameters as JSON, patches as JSON, [[store, [[table, [[key, value], …]], …]], …]]. Of the verifier's store there is
only what differs from the L2's: a value of an entry that both have is left out, as an entry without a value.
"""

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rollup.cooperative import in_turns
from rollup.data_directory import CHAIN_FIELDS, DataDirectoryError, check_parameters, write_parameters
from rollup.files import write_file
from rollup.patches import FILE as PATCHES_FILE
from rollup.patches import PatchesError, parse_patches
from rollup.protocol.json_text import parse_json
from rollup.protocol.primitives import RlpError, rlp_decode, rlp_encode
from rollup.store.kv import LmdbStore, Store

STORES: Final = ("l1", "l2", "verifier")
VERSION: Final = 1
_MAGIC: Final = b"openrollup dump "
_META: Final = "meta"  # a store's own table
_ENTRIES_AT_ONCE: Final = 4_096  # in one write
_LEVEL: Final = 6

Tables = Mapping[str, Iterable[tuple[bytes, bytes]]]


class DumpError(ValueError):
    """A file that is not a dump, is damaged, or has another version. The message says which, in one sentence."""


@dataclass(slots=True, frozen=True)
class Dump:
    """A node at one moment. parameters: by the names of CHAIN_FIELDS; patches: the text of patches.json."""

    parameters: Mapping[str, Any]
    patches: str
    stores: Mapping[str, Mapping[str, list[tuple[bytes, bytes]]]]

    def fill(self, name: str, store: Store) -> None:
        """Writes the tables of one of the stores into an empty one."""
        for table, entries in self.stores[name].items():
            for first in range(0, len(entries), _ENTRIES_AT_ONCE):
                with store.write() as batch:
                    for key, value in entries[first : first + _ENTRIES_AT_ONCE]:
                        batch.put(table, key, value)

    def write_directory(self, folder: Path) -> None:
        """Makes a data directory of it; raises DataDirectoryError for a folder that is not empty, StoreError, OSError.

        The parameters are written last: a folder without them is refused at the next start.
        """
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise DataDirectoryError(f"{folder}: not empty: --load needs a new data directory")
        for name in STORES:
            store = LmdbStore.open(folder / name)
            try:
                self.fill(name, store)
            finally:
                store.close()
        write_file(folder / PATCHES_FILE, self.patches)
        write_parameters(folder, self.parameters)


def encode_dump(parameters: Mapping[str, Any], patches: str, stores: Mapping[str, Store]) -> bytes:
    """The file of a node, from its three stores. Nothing may change them meanwhile."""
    shared = {table: dict(entries) for table, entries in _tables(stores["l2"]).items()}
    listed: list[Any] = []
    for name in STORES:
        tables = shared if name == "l2" else {table: dict(found) for table, found in _tables(stores[name]).items()}
        of = shared if name == "verifier" else {}
        listed.append([name.encode(), [_table(table, entries, of) for table, entries in tables.items()]])
    kept = {name: parameters[name] for name in CHAIN_FIELDS}
    packed = zlib.compress(rlp_encode([json.dumps(kept).encode(), patches.encode(), listed]), _LEVEL)
    return b"%b%d\n%b%b" % (_MAGIC, VERSION, hashlib.sha256(packed).digest(), packed)


def _tables(store: Store) -> dict[str, list[tuple[bytes, bytes]]]:
    return {table: list(in_turns(store.scan(table))) for table in store.stat() if table != _META}


def _table(name: str, entries: Mapping[bytes, bytes], of: Mapping[str, Mapping[bytes, bytes]]) -> list[Any]:
    same = of.get(name, {})
    return [
        name.encode(),
        [[key] if same.get(key) == value else [key, value] for key, value in in_turns(entries.items())],
    ]


def decode_dump(data: bytes) -> Dump:
    """A dump from the bytes of encode_dump; raises DumpError."""
    line, _, rest = data.partition(b"\n")
    if data[:1] == b"{" or data[:2] == b"\x1f\x8b":
        raise DumpError("a state of anvil is not a dump of openrollup: anvil_loadState adds it to a running node")
    if not line.startswith(_MAGIC) or len(line) > 40:
        raise DumpError("not a dump of openrollup: it does not begin with `openrollup dump`")
    version = line[len(_MAGIC) :]
    if version != b"%d" % VERSION:
        raise DumpError(
            f"a dump of version {version.decode(errors='replace')}: this openrollup reads version {VERSION}"
        )
    digest, packed = rest[:32], rest[32:]
    if hashlib.sha256(packed).digest() != digest:
        raise DumpError("the dump is damaged or cut off: its checksum does not match")
    try:
        parameters, patches, listed = rlp_decode(zlib.decompress(packed))
        document, text = parse_json(parameters), patches.decode()
        parse_patches(text)
        return Dump(check_parameters(document), text, _stores(listed))
    except (RlpError, zlib.error, ValueError, TypeError, KeyError, AttributeError, PatchesError) as error:
        raise DumpError(f"the dump is malformed: {error}") from error


def _stores(listed: Any) -> dict[str, dict[str, list[tuple[bytes, bytes]]]]:
    found: dict[str, dict[str, list[tuple[bytes, bytes]]]] = {}
    for name, tables in listed:
        found[name.decode()] = {}
        for table, entries in tables:
            same = dict(found["l2"].get(table.decode(), [])) if name == b"verifier" else {}
            found[name.decode()][table.decode()] = [
                (entry[0], entry[1] if len(entry) == 2 else same[entry[0]]) for entry in entries
            ]
    if tuple(found) != STORES:
        raise ValueError(f"the stores {', '.join(STORES)} are expected")
    return found


def read_dump(path: Path) -> Dump:
    """A dump from its file; raises DumpError, which names the file."""
    try:
        return decode_dump(path.read_bytes())
    except OSError as error:
        raise DumpError(f"{path}: {error.strerror or error}") from error
    except DumpError as error:
        raise DumpError(f"{path}: {error}") from error
