"""`openrollup export`: a chain's data as Parquet, CSV or JSON lines."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
from eth_utils.address import to_checksum_address

from derivation.errors import Temporary
from rollup.cli.attribution_values import ADDRESS, UINT64
from rollup.cli.economics_options import in_words, json_option
from rollup.cli.node_url import node_url_option
from rollup.cli.safe_text import echo, echo_json
from rollup.export.errors import ExportError
from rollup.export.exporter import Exporter
from rollup.export.manifest import Part
from rollup.export.schema import TABLES
from rollup.export.writers import WRITERS
from rollup.l1.contracts import BATCH_INBOX
from rollup.l1.json_rpc import HttpEndpoint, JsonRpcClient, RpcError
from rollup.rpc.errors import INDEX_BEHIND

_POLL_SECONDS: Final = 1.0
_DEFAULT: Final = "blocks,transactions,receipts,logs,fees,inferences,credits,usage,contributors"


class _Tables(click.ParamType[list[str]]):
    name = "table,table…"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        names = list(dict.fromkeys(part.strip() for part in str(value).split(",")))
        for name in names:
            if name not in TABLES:
                self.fail(f"no table is called {name!r}: there are {', '.join(TABLES)}", param, ctx)
        return names


@click.command("export")
@click.option(
    "--out", "folder", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the files."
)
@click.option(
    "--what", type=_Tables(), default=_DEFAULT, show_default=True, help="Tables to export; batches needs --l1."
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(list(WRITERS)),
    default="parquet",
    show_default=True,
    help="Format of the files.",
)
@click.option("--from", "first", type=UINT64, default=0, show_default=True, help="First block.")
@click.option("--to", "last", type=UINT64, help="Last block.  [default: the head]")
@click.option("--follow", is_flag=True, help="Continue with new blocks, and remove what a reorganisation removes.")
@click.option(
    "--part-blocks", type=click.IntRange(1, 100_000), default=1_000, show_default=True, help="Blocks per file."
)
@click.option("--l1", "l1_url", metavar="URL", help="JSON-RPC of L1, for batches.")
@click.option(
    "--batch-inbox",
    type=ADDRESS,
    default=to_checksum_address(BATCH_INBOX),
    show_default=True,
    help="Address on L1 to which batches are sent.",
)
@node_url_option("--l2")
@json_option("Print a JSON line for each part.")
def command(
    folder: Path,
    what: list[str],
    kind: str,
    first: int,
    last: int | None,
    follow: bool,
    part_blocks: int,
    l1_url: str | None,
    batch_inbox: str,
    rpc_url: str,
    as_json: bool,
) -> None:
    """Write the chain's data to the folder --out: one file per table and range of blocks, and a manifest.

    Run the same command again to continue where the export ended. Amounts are wei. docs/export.md has the columns.
    """
    if follow and last is not None:
        raise click.UsageError("--follow has no --to: it ends with Ctrl-C")
    if last is not None and last < first:
        raise click.UsageError(f"--to {last} is before --from {first}")
    try:
        with in_words(rpc_url):
            l1 = JsonRpcClient(HttpEndpoint(l1_url)) if l1_url is not None else None
            exporter = Exporter.open(
                JsonRpcClient(HttpEndpoint(rpc_url)), folder, kind, what, first=first, l1=l1, inbox=batch_inbox
            )
            head = exporter.head()
            if last is not None and last > head:
                raise ExportError(f"block {last} is not there: the head is {head}")
            _parts(exporter, head if last is None else last, part_blocks, as_json)
            while follow:
                time.sleep(_POLL_SECONDS)
                try:
                    _follow(exporter, part_blocks, as_json)
                except Temporary as error:
                    echo(f"waiting: {error}", err=True)
    except (ExportError, ValueError) as error:
        raise click.ClickException(str(error)) from error


def _follow(exporter: Exporter, part_blocks: int, as_json: bool) -> None:
    """Reads the chain once: removes blocks that are no longer canonical, and exports blocks that fill whole files."""
    exporter.take_back()
    whole = (exporter.head() + 1 - exporter.next_block) // part_blocks * part_blocks
    if whole > 0:
        _parts(exporter, exporter.next_block + whole - 1, part_blocks, as_json)


def _parts(exporter: Exporter, last: int, part_blocks: int, as_json: bool) -> None:
    for part in _waiting(exporter, last, part_blocks):
        rows = {name: entry["rows"] for name, entry in part.files.items()}
        if as_json:
            echo_json({"first": part.first, "last": part.last, "lastHash": part.last_hash, "rows": rows})
        else:
            counts = ", ".join(f"{count:,} {name}" for name, count in rows.items())
            echo(f"blocks {part.first} to {part.last}: {counts}")


def _waiting(exporter: Exporter, last: int, part_blocks: int) -> Iterator[Part]:
    """The parts until `last`; waits where the node's index has not come that far yet."""
    while True:
        try:
            yield from exporter.export(last, part_blocks)
            return
        except RpcError as error:
            if error.code != INDEX_BEHIND:
                raise
            echo(f"waiting: {error.message}", err=True)
            time.sleep(_POLL_SECONDS)
