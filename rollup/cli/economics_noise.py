"""`openrollup economics noise`: which paid inferences look real."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path

import click

from rollup.cli.columns import print_columns
from rollup.cli.economics_options import draw, in_words, json_option, share_option, svg_option
from rollup.cli.node_url import rpc_url_option
from rollup.cli.safe_text import echo_json, safe_console
from rollup.cli.screen import amount
from rollup.economics.answer_json import noise_json, volume_by_class
from rollup.economics.health import Health, health
from rollup.economics.noise import CLASSES, VERSION, Pair, independent_volume, label
from rollup.economics.noise_source import read_world
from rollup.economics.planted import found_by_kind
from rollup.l1.json_rpc import HttpEndpoint, JsonRpcClient


@click.command("noise")
@rpc_url_option
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="Pairs to show.")
@click.option("--planted", is_flag=True, help="Ask no chain: fake a part of a model's volume, and see what is found.")
@share_option("--share", 0.3, "With --planted: share of the model's volume that is faked.")
@click.option(
    "--runs", default=20, show_default=True, type=click.IntRange(1, 1_000), help="With --planted: simulated months."
)
@click.option(
    "--seed", default=1, show_default=True, type=click.IntRange(0), help="With --planted: seed of the random numbers."
)
@svg_option("the Lorenz curve of payers, or with --planted the part of each kind of noise that is found")
@json_option("Print all pairs as JSON; amounts are wei in strings.")
def command(
    rpc_url: str, limit: int, planted: bool, share: float, runs: int, seed: int, svg: Path | None, as_json: bool
) -> None:
    """Label each pair of payer and model: self-paid, linked, suspected, unattributed batch or independent.

    A label is a suspicion by rules R1 to R9 (docs/economics-simulations.md), never a proof. What came back to the
    payer's own accounts is exact.
    """
    if planted:
        _planted(share, runs, seed, svg, as_json)
        return
    with in_words(rpc_url):
        world = read_world(JsonRpcClient(HttpEndpoint(rpc_url)))
        pairs, found = label(world), health(world.paid)
        draw(svg, lambda plots: plots.lorenz_curve(_by_payer(pairs)))
    if as_json:
        echo_json(noise_json(pairs, found))
        return
    by_class = volume_by_class(pairs)
    console = safe_console()
    total = sum(by_class.values())
    console.print(f"{len(pairs)} pairs of payer and model, {_open(total)} of fees; rules version {VERSION}")
    rows = [[name, _open(by_class[name]), _percent(by_class[name], total)] for name in CLASSES]
    rows.append(["did not come back to its payers", *_volume(independent_volume(pairs), total)])
    print_columns(console, rows, header=("class", "fees", "share"), right=(1, 2))
    console.print(f"{_health(found)}\n")
    cells = [
        [
            f"{pair.model}",
            pair.payer,
            f"{pair.inferences:,}",
            _open(pair.volume),
            f"{pair.return_fraction:.3f}",
            f"{pair.cost_to_fake:.3f}",
            " ".join(pair.rules) or "–",
            pair.label,
        ]
        for pair in pairs[:limit]
    ]
    header = ("model", "payer", "inferences", "fees", "came back", "cost to fake", "rules", "class")
    print_columns(console, cells, header=header, right=(0, 2, 3, 4, 5))


def _health(found: Health) -> str:
    """One sentence for each figure of the health."""
    back = "too early to tell" if found.returning is None else f"{100 * found.returning:.1f} %"
    return (
        f"payers: {found.payers:,}, {found.on_two_days:,} of them on two days or more; "
        f"the {found.half:,} largest paid half\n"
        f"Gini {found.gini:.2f}, Herfindahl {found.hhi:.2f}; back after a week: {back}; "
        f"gas is {100 * found.gas:.2g} % of fees and gas"
    )


def _planted(share: float, runs: int, seed: int, svg: Path | None, as_json: bool) -> None:
    with in_words():
        rows = found_by_kind(share, runs, seed)
        draw(svg, lambda plots: plots.found_noise(rows))
    if as_json:
        echo_json({"share": share, "runs": runs, "seed": seed, "kinds": [asdict(row) for row in rows]})
        return
    console = safe_console()
    console.print(f"{100 * share:g} % of a model's volume faked*, by one kind at a time; {runs} runs, seed {seed}")
    cells = [
        [row.kind, *(f"{100 * value:.1f} %" for value in (row.found, row.mistaken, row.cost_to_fake))] for row in rows
    ]
    print_columns(console, cells, header=("kind", "found", "honest named too", "cost to fake"), right=(1, 2, 3))
    console.print(
        "* An assumption. Rules find the noise that they look for, and no other (docs/economics-simulations.md)."
    )


def _open(wei: int) -> str:
    return f"{amount(wei)} OPEN"


def _by_payer(pairs: list[Pair]) -> list[int]:
    volumes = Counter[str]()
    for pair in pairs:
        volumes[pair.payer] += pair.volume
    return list(volumes.values())


def _volume(wei: int, total: int) -> tuple[str, str]:
    return _open(wei), _percent(wei, total)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"
