"""`openrollup economics MODEL`: who gets what in a month, what gas takes, from when on the model pays."""

from fractions import Fraction
from pathlib import Path
from typing import Final

import click

from rollup.cli.attribution_values import AMOUNT, POSITIVE
from rollup.cli.economics_options import COUNTS, PAIR, USD, csv_option, draw, in_words, joined, json_option, svg_option
from rollup.cli.economics_source import Source, read_source
from rollup.cli.economics_tables import show_answer
from rollup.cli.node_url import DEFAULT_URL
from rollup.cli.safe_text import echo_json, safe_console
from rollup.economics.answer_json import answer_json
from rollup.economics.builder import DEFAULT_QUERIES, Wishes, answer
from rollup.economics.facts import csv_text, facts
from rollup.economics.measure import DEFAULT_BATCH, DEFAULT_TOKENS
from rollup.economics.prices import PRESETS, Prices
from rollup.economics.profile import GasProfile
from rollup.files import write_file

_FIGURES: Final = {"break-even": "breakeven_map", "heat-map": "net_map", "gas": "gas_shares"}


@click.command("model")
@click.argument("model")
@click.option("--queries", type=COUNTS, default=joined(DEFAULT_QUERIES), show_default=True, help="Queries per month.")
@click.option(
    "--tokens", type=PAIR, default=joined(DEFAULT_TOKENS), show_default=True, help="Tokens of one query, in and out."
)
@click.option("--fee", metavar="AMOUNT", help="Fee per query, such as 0.05open; by default the model's quote.")
@click.option(
    "--prices",
    type=click.Choice(["chain", *PRESETS]),
    help="Prices of gas and data: the chain's own, or a scenario.  [default: chain with a chain, else op-parity]",
)
@click.option(
    "--gas-price", type=AMOUNT, help="L2 gas price, base fee and tip, such as 2gwei; instead of that of --prices."
)
@click.option("--l1-base-fee", type=AMOUNT, help="L1 base fee, in OPEN per gas; instead of that of --prices.")
@click.option(
    "--blob-base-fee", type=AMOUNT, help="L1 blob base fee, in OPEN per blob gas; instead of that of --prices."
)
@click.option(
    "--open-usd", type=USD, default="0.20", show_default=True, help="Dollars per OPEN: a scenario, no forecast."
)
@click.option("--hosting", type=USD, default="2", show_default=True, help="Hosting, in dollars per month.")
@click.option("--cost-per-query", type=USD, default="0", show_default=True, help="Compute, in dollars per query.")
@click.option(
    "--target-income",
    type=USD,
    default="0",
    show_default=True,
    help="Income wanted above the costs, in dollars per month.",
)
@click.option(
    "--batch", type=POSITIVE, default=DEFAULT_BATCH, show_default=True, help="Queries billed by one inferBatch."
)
@click.option("--profile", "profile_file", type=click.Path(path_type=Path), help="Gas profile of `economics measure`.")
@click.option(
    "--rpc-url", metavar="URL", envvar="OPENROLLUP_RPC_URL", show_envvar=True, help="JSON-RPC of an L2 to ask."
)
@json_option("Print the result as JSON; amounts are wei in strings.")
@csv_option("Write every number with its unit and source.")
@svg_option("the figure")
@click.option(
    "--figure",
    type=click.Choice(list(_FIGURES)),
    default="break-even",
    show_default=True,
    help="For --svg: the fee from which each route pays, the owner's net by fee and queries, or the share of gas.",
)
def command(
    model: str,
    queries: tuple[int, ...],
    tokens: tuple[int, int],
    fee: str | None,
    prices: str | None,
    gas_price: int | None,
    l1_base_fee: int | None,
    blob_base_fee: int | None,
    profile_file: Path | None,
    rpc_url: str | None,
    batch: int,
    as_json: bool,
    csv_file: Path | None,
    svg: Path | None,
    figure: str,
    **wishes: Fraction,
) -> None:
    """Does MODEL pay? MODEL is a YAML file (examples/model.yaml) or the id of a model on a chain."""
    with in_words(rpc_url):
        source = read_source(model, rpc_url, DEFAULT_URL, tokens, fee)
        found = answer(
            source.model,
            _prices(prices, source).with_changes(gas_price, l1_base_fee, blob_base_fee),
            queries,
            wishes=Wishes(wishes["hosting"], wishes["cost_per_query"], wishes["target_income"], wishes["open_usd"]),
            profile=_profile(profile_file, source),
            tokens=tokens,
            batch=batch,
        )
        if csv_file is not None:
            write_file(csv_file, csv_text(facts(found)))
        draw(svg, lambda plots: getattr(plots, _FIGURES[figure])(found))
    if as_json:
        echo_json(answer_json(found))
    else:
        show_answer(safe_console(), found)


def _prices(name: str | None, source: Source) -> Prices:
    if source.chain is not None and name in (None, "chain"):
        return Prices.from_chain(source.chain.url)
    if name == "chain":
        raise click.UsageError("--prices chain needs a chain: give --rpc-url, or a model's id")
    return Prices.preset(name or "op-parity")


def _profile(path: Path | None, source: Source) -> GasProfile | None:
    if path is None:
        return None
    profile = GasProfile.load(path)
    if source.chain is not None:
        profile.check_chain(source.chain.chain_id)
    return profile
