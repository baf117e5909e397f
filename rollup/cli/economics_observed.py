"""`openrollup economics observed`: the use that a chain has really seen, and the market that it implies."""

from pathlib import Path
from typing import Any

import click
import yaml

from rollup.cli.attribution_values import UINT64
from rollup.cli.columns import print_columns
from rollup.cli.economics_options import OUTPUT, in_words, json_option
from rollup.cli.node_url import rpc_url_option
from rollup.cli.safe_text import echo_json, safe_console
from rollup.economics.observed import Observed, observe
from rollup.economics.units import open_text
from rollup.files import write_file
from rollup.l1.json_rpc import HttpEndpoint, JsonRpcClient


@click.command("observed")
@click.option("--from", "first", type=UINT64, default=0, show_default=True, help="First block.")
@click.option("--to", "last", type=UINT64, help="Last block.  [default: the head]")
@click.option("--output", type=OUTPUT, help="Write a scenario for `openrollup economics demand` (YAML).")
@rpc_url_option
@json_option("Print the result as JSON; amounts are wei in strings.")
def command(first: int, last: int | None, output: Path | None, rpc_url: str, as_json: bool) -> None:
    """Count the inferences of a running chain by model: payers, fees and real gas, and the rate per month.

    Needs a node with open_. With --output, the fee, gas, users, queries per user and Zipf exponent that were observed
    become the parameters of a market; all its other parameters stay assumptions.
    """
    with in_words(rpc_url):
        found = observe(JsonRpcClient(HttpEndpoint(rpc_url)), first, last)
        if output is not None:
            write_file(output, _scenario(found, rpc_url))
    if as_json:
        echo_json(_json(found))
        return
    console = safe_console()
    exponent = "too few models to tell" if found.zipf is None else f"{found.zipf:.2f}"
    console.print(
        f"blocks {found.first_block:,} to {found.last_block:,}, {found.seconds:,} s: {found.inferences:,} inferences "
        f"by {found.payers:,} payers, {found.per_month:,.0f} per month at this rate; Zipf exponent: {exponent}"
    )
    rows = [
        [
            f"{use.model}",
            f"{use.inferences:,}",
            f"{use.payers:,}",
            f"{open_text(use.fees)} OPEN",
            *(f"{gas:,}" for gas in use.gas),
        ]
        for use in found.models
    ]
    header = ("model", "inferences", "payers", "fees", "least gas", "median gas", "most gas")
    print_columns(console, rows, header=header, right=range(len(header)))
    console.print(f"gas in addition to the fees: {open_text(found.costs)} OPEN")


def _scenario(found: Observed, url: str) -> str:
    source = (
        f"# Observed at {url}, blocks {found.first_block} to {found.last_block}. What is not named is an assumption.\n"
    )
    return source + yaml.safe_dump({"parameters": found.market()}, sort_keys=False)


def _json(found: Observed) -> dict[str, Any]:
    models = [
        {
            "modelId": use.model,
            "inferences": use.inferences,
            "records": use.records,
            "payers": use.payers,
            "fees": str(use.fees),
            "gas": dict(zip(("least", "median", "most"), use.gas, strict=True)),
        }
        for use in found.models
    ]
    return {
        "firstBlock": found.first_block,
        "lastBlock": found.last_block,
        "seconds": found.seconds,
        "inferences": found.inferences,
        "payers": found.payers,
        "fees": str(found.fees),
        "gasCosts": str(found.costs),
        "perMonth": found.per_month,
        "zipf": found.zipf,
        "models": models,
        "market": found.market(),
    }
