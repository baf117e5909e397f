"""`openrollup economics measure`: the gas of every route, sent on a running chain."""

from pathlib import Path

import click

from rollup.cli.columns import print_columns
from rollup.cli.economics_options import COUNTS, OUTPUT, in_words, json_option
from rollup.cli.node_url import rpc_url_option
from rollup.cli.safe_text import echo_json, safe_console
from rollup.economics.errors import EconomicsError
from rollup.economics.profile import GasProfile
from rollup.economics.shape import MAX_ENTRIES


@click.command("measure")
@click.option("--entries", type=COUNTS, default="1,4", show_default=True, help="DataNets of the models to measure.")
@click.option("--output", type=OUTPUT, help="Write the profile here.")
@click.option("--commit", default="", help="Commit of the node, written into the profile.")
@rpc_url_option
@json_option("Print the profile as JSON.")
def command(entries: tuple[int, ...], output: Path | None, commit: str, rpc_url: str, as_json: bool) -> None:
    """Send every kind of call twice from new accounts, paid for by development account 0, and record the gas."""
    with in_words(rpc_url):
        if not entries or min(entries) < 1 or max(entries) > MAX_ENTRIES:
            raise EconomicsError(f"a model has 1 to {MAX_ENTRIES} DataNets")
        profile = GasProfile.from_chain(rpc_url, entries, commit=commit)
        if output is not None:
            profile.save(output)
    if as_json:
        echo_json(profile.to_json())
        return
    console = safe_console()
    console.print(f"{profile.source}, {profile.mode} mode, fee rules of {profile.fork}")
    rows = [
        [
            row.route,
            f"{row.entries}",
            row.state,
            f"{row.gas:,}",
            f"{row.raw_bytes}",
            f"{row.fjord_size_scaled / 1e6:.1f}",
        ]
        for row in profile.rows
    ]
    header = ("route", "DataNets", "state", "gas", "bytes", "Fjord size")
    print_columns(console, rows, header=header, right=range(3, 6))
