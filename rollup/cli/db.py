"""`openrollup db`: looking into a data directory."""

from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from rollup.cli.safe_text import echo_json, safe_console
from rollup.store.kv import LmdbStore, StoreError


@click.group("db")
def command() -> None:
    """Show what is in a data directory."""


@command.command("stat")
@click.argument("data_dir", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--json", "as_json", is_flag=True, help="The numbers as JSON.")
def stat(data_dir: Path, as_json: bool) -> None:
    """Show entries and bytes of every table of every chain in DATA_DIR (no node may be running on it)."""
    folders = [path for path in sorted(data_dir.iterdir()) if (path / "data.mdb").exists()]
    if (data_dir / "data.mdb").exists():
        folders = [data_dir]
    if not folders:
        raise click.ClickException(f"{data_dir}: no chain data here")
    result: dict[str, Any] = {}
    for folder in folders:
        try:
            store = LmdbStore.open(folder)
        except StoreError as error:
            raise click.ClickException(str(error)) from error
        result[folder.name] = store.stat()
        store.close()
    if as_json:
        echo_json(result)
        return
    console = safe_console()
    for name, tables in result.items():
        table = Table("table", "entries", "bytes", title=escape(name), title_justify="left")
        for table_name, numbers in tables.items():
            table.add_row(escape(table_name), f"{numbers['entries']:,}", f"{numbers['bytes']:,}")
        console.print(table)
