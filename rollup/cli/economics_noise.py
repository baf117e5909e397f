"""`openrollup economics noise`: which paid inferences look real."""

from collections import Counter
from pathlib import Path

import click

from rollup.cli.columns import print_columns
from rollup.cli.economics_options import draw, in_words, json_option, svg_option
from rollup.cli.node_url import rpc_url_option
from rollup.cli.safe_text import echo_json, safe_console
from rollup.cli.screen import amount
from rollup.economics.noise import CLASSES, VERSION, Pair, gini, independent_volume, label
from rollup.economics.noise_source import read_world
from rollup.l1.json_rpc import HttpEndpoint, JsonRpcClient


@click.command("noise")
@rpc_url_option
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="Pairs to show.")
@svg_option("the Lorenz curve of payers")
@json_option("Print all pairs as JSON; amounts are wei in strings.")
def command(rpc_url: str, limit: int, svg: Path | None, as_json: bool) -> None:
    """Label each pair of payer and model: self-paid, linked, suspected, unattributed batch or independent.

    A label is a suspicion by rules R1 to R9 (docs/economics.md), never a proof. What came back to the payer's own
    accounts is exact.
    """
    with in_words(rpc_url):
        pairs = label(read_world(JsonRpcClient(HttpEndpoint(rpc_url))))
        draw(svg, lambda plots: plots.lorenz_curve(_by_payer(pairs)))
    by_class = Counter[str]()
    for pair in pairs:
        by_class[pair.label] += pair.volume
    if as_json:
        echo_json(_json(pairs, by_class))
        return
    console = safe_console()
    total = sum(by_class.values())
    console.print(f"{len(pairs)} pairs of payer and model, {_open(total)} of fees; rules version {VERSION}")
    rows = [[name, _open(by_class[name]), _percent(by_class[name], total)] for name in CLASSES]
    rows.append(["did not come back to its payers", *_volume(independent_volume(pairs), total)])
    print_columns(console, rows, header=("class", "fees", "share"), right=(1, 2))
    console.print(f"Gini of payers {gini(_by_payer(pairs)):.2f}\n")
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


def _json(pairs: list[Pair], by_class: Counter[str]) -> dict[str, object]:
    return {
        "version": VERSION,
        "fees": str(sum(by_class.values())),
        "independentVolume": str(independent_volume(pairs)),
        "classes": {name: str(by_class[name]) for name in CLASSES},
        "pairs": [
            {
                "modelId": pair.model,
                "payer": pair.payer,
                "inferences": pair.inferences,
                "fees": str(pair.volume),
                "gas": str(pair.gas),
                "returned": str(pair.returned),
                "rules": list(pair.rules),
                "class": pair.label,
            }
            for pair in pairs
        ],
    }
