"""A chain's data as tables outside the node: Parquet, CSV or JSON lines, with a manifest.

`Exporter` writes a folder and continues it. `read_blocks` and `rows_of` read the tables without files, and `WRITERS`
makes the bytes of one file. A node is any object with the two methods of `NodeRpc`.
"""

from rollup.export.blocks import Read, read_blocks, rows_of
from rollup.export.errors import ChainMoved, ExportError
from rollup.export.exporter import Exporter
from rollup.export.manifest import Manifest, Part
from rollup.export.rpc import NodeRpc
from rollup.export.schema import TABLES, Column, Table
from rollup.export.writers import WRITERS, csv_file, jsonl_file, parquet_file

__all__ = [
    "TABLES",
    "WRITERS",
    "ChainMoved",
    "Column",
    "ExportError",
    "Exporter",
    "Manifest",
    "NodeRpc",
    "Part",
    "Read",
    "Table",
    "csv_file",
    "jsonl_file",
    "parquet_file",
    "read_blocks",
    "rows_of",
]
