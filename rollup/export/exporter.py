"""Exports blocks in parts and follows the head. Parts that a reorganisation removed are deleted."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rollup.export import attribution, batches
from rollup.export.blocks import Read, origin_of, read_blocks, rows_of
from rollup.export.errors import ChainMoved, ExportError
from rollup.export.manifest import Manifest, Part, described, write_whole
from rollup.export.rpc import NodeRpc
from rollup.export.schema import FROM_INDEX, SNAPSHOTS, TABLES, Row
from rollup.export.writers import WRITERS

_TRIES: Final = 5
_ZERO_HASH: Final = "0x" + "00" * 32


@dataclass(slots=True)
class Exporter:
    """One folder and its chain. Only the table `batches` needs `l1` and `inbox`.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> head = chain.l2.build(2)
    >>> with TemporaryDirectory() as folder:
    ...     exporter = Exporter.open(chain.rpc, Path(folder), "csv", ["blocks"])
    ...     before = exporter.next_block
    ...     parts = [(part.first, part.last) for part in exporter.export(min(exporter.head(), 3), part_blocks=2)]
    ...     removed = exporter.take_back()
    ...     lines = (Path(folder) / "blocks" / "0000000000-0000000001.csv").read_text().splitlines()
    >>> before, parts[0], removed, len(lines)
    (0, (0, 1), 0, 3)
    """

    rpc: NodeRpc
    folder: Path
    manifest: Manifest
    l1: NodeRpc | None = None
    inbox: str = ""
    first: int = 0

    @classmethod
    def open(
        cls,
        rpc: NodeRpc,
        folder: Path,
        kind: str,
        tables: list[str],
        *,
        first: int = 0,
        l1: NodeRpc | None = None,
        inbox: str = "",
    ) -> "Exporter":
        """Begins an export or continues one. Raises ExportError, OSError, or the client's errors."""
        if "batches" in tables and l1 is None:
            raise ExportError("batches are on L1: give its JSON-RPC (--l1)")
        chain_id = int(rpc.call("eth_chainId"), 16)
        genesis = rpc.call("eth_getBlockByNumber", "0x0", False)["hash"]
        manifest = Manifest.open(folder, chain_id, genesis, kind, tables)
        if manifest.parts and manifest.parts[0].first != first:
            raise ExportError(f"{folder} begins with block {manifest.parts[0].first}, not {first}")
        WRITERS[kind](TABLES[tables[0]], [])  # report a missing library before anything is read
        manifest.clean(folder)
        return cls(rpc, folder, manifest, l1, inbox, first)

    @property
    def next_block(self) -> int:
        """The first block that is not exported yet."""
        return self.manifest.parts[-1].last + 1 if self.manifest.parts else self.first

    def head(self) -> int:
        """The head's number."""
        return int(self.rpc.call("eth_blockNumber"), 16)

    def take_back(self) -> int:
        """Removes the parts that are no longer on the chain, and returns their number."""
        removed: list[Part] = []
        parts = self.manifest.parts
        while parts and self._hash_of(parts[-1].last) != parts[-1].last_hash:
            removed.append(parts.pop())
        if removed:
            self.manifest.save(
                self.folder
            )  # first, because a file that the manifest does not name is not part of the export
            self.manifest.clean(self.folder)
        return len(removed)

    def export(self, last: int, part_blocks: int) -> Iterator[Part]:
        """Writes parts of at most `part_blocks` blocks up to block `last`, and yields each.

        ExportError when the chain changes during every attempt to read a part.
        """
        failed = 0
        self.take_back()
        while self.next_block <= last:
            first = self.next_block
            try:
                part = self._part(first, min(first + part_blocks - 1, last))
            except ChainMoved:
                failed += 1
                if failed == _TRIES:
                    raise ExportError(f"the chain changes at block {first} while it is read: try again") from None
                self.take_back()
                last = min(last, self.head())
                continue
            failed = 0
            yield part
        self._snapshot()

    def _part(self, first: int, last: int) -> Part:
        reads = read_blocks(self.rpc, first, last)
        parts = self.manifest.parts
        parent = reads[0].block["parentHash"] if first else _ZERO_HASH
        if parts and parts[-1].last_hash != parent:
            raise ChainMoved
        tables = self.manifest.tables
        needs_index = set(tables) & set(FROM_INDEX) - set(SNAPSHOTS)
        records = attribution.read_inferences(self.rpc, reads) if needs_index else []
        contents = {
            name: self._file(name, f"{first:010d}-{last:010d}", self._rows(name, reads, records))
            for name in tables
            if name not in SNAPSHOTS
        }
        last_hash = reads[-1].block["hash"]
        if self._hash_of(last) != last_hash:
            raise ChainMoved  # inferences and receipts may come from two chains
        for entry, data in contents.values():
            write_whole(self.folder / entry["name"], data)
        part = Part(first, last, parent, last_hash, {name: entry for name, (entry, _) in contents.items()})
        parts.append(part)
        self.manifest.save(self.folder)
        return part

    def _rows(self, name: str, reads: list[Read], records: list[dict[str, Any]]) -> Iterable[Row]:
        if name == "inferences":
            return attribution.inference_rows(records)
        if name == "credits":
            return attribution.credit_rows(records)
        if name == "usage":
            return attribution.usage_rows(records)
        if name == "batches":
            return self._batches(reads)
        return rows_of(name, reads)

    def _batches(self, reads: list[Read]) -> Iterable[Row]:
        if self.l1 is None:
            return []
        before = int(reads[0].block["number"], 16) - 1
        start = None
        if before > 0:
            start = origin_of(self.rpc.call("eth_getBlockByNumber", hex(before), True))
        return batches.batch_rows(self.l1, self.inbox, start or 0, origin_of(reads[-1].block) or 0)

    def _snapshot(self) -> None:
        for name in set(self.manifest.tables) & set(SNAPSHOTS):
            number = self.head()
            entry, data = self._file(name, "head", attribution.contributor_rows(self.rpc, number))
            write_whole(self.folder / entry["name"], data)
            self.manifest.snapshots[name] = entry | {"block": number}
        self.manifest.save(self.folder)

    def _file(self, table: str, stem: str, rows: Iterable[Row]) -> tuple[dict[str, Any], bytes]:
        kind = self.manifest.format
        data, count = WRITERS[kind](TABLES[table], rows)
        return described(f"{table}/{stem}.{kind}", data, count), data

    def _hash_of(self, number: int) -> str | None:
        block = self.rpc.call("eth_getBlockByNumber", hex(number), False)
        return None if block is None else str(block["hash"])
