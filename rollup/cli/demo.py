"""`openrollup demo`: inferences paid for, contributors credited, and the books at the end."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from rollup.cli.attribution_session import explained
from rollup.cli.counted import counted
from rollup.cli.demo_node import Endpoints, own_node
from rollup.cli.demo_story import Demo, DemoResult
from rollup.cli.demo_texts import example_texts, load_data_set
from rollup.cli.safe_text import echo_json, safe_console
from rollup.cli.screen import amount
from rollup.cli.web3_client import web3_client

_TEXTS = example_texts()


@click.command("demo")
@click.option("--l2", help="JSON-RPC of a running L2; without it the demo starts its own node.")
@click.option("--verifier", help="JSON-RPC of its verifier.  [default: port 9546 on the host of --l2]")
@click.option(
    "--texts", default=_TEXTS, type=click.Path(path_type=Path), help="Texts: a folder, or a CSV or JSON lines file."
)
@click.option(
    "--inferences", default=200, show_default=True, type=click.IntRange(1, 10_000), help="Number of inferences."
)
@click.option("--keep", is_flag=True, help="Keep the demo's own node running at the end, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
def command(l2: str | None, verifier: str | None, texts: Path, inferences: int, keep: bool, as_json: bool) -> None:
    """Pay for inferences on a medical model, credit those whose texts it learned from, and show the books."""
    if keep and l2 is not None:
        raise click.UsageError("--keep is for the demo's own node: that of --l2 runs on anyway")
    data_set = load_data_set(texts)
    console = safe_console(stderr=as_json)
    if l2 is None:
        console.print("starting a node of its own …")
    if l2 is not None and verifier is None and l2.rstrip("/").endswith(":9545"):
        verifier = l2.rstrip("/")[:-4] + "9546"
    node = own_node() if l2 is None else nullcontext(Endpoints(l2, verifier))
    with node as endpoints, explained(endpoints.l2):
        demo = Demo(_connect(endpoints.l2), _connect(endpoints.verifier), data_set, console.print)
        result = demo.run(inferences)
        if as_json:
            echo_json(result.to_json())
        else:
            _show(console, result)
        if keep:
            _say_where(console, endpoints, result.model_id, texts)
            endpoints.until_stopped()
    if not result.is_conserved or (endpoints.verifier is not None and not result.is_verified):
        raise SystemExit(1)


def _connect(url: str | None) -> Any:
    return None if url is None else web3_client(url)


def _say_where(console: Console, endpoints: Endpoints, model_id: int, texts: Path) -> None:
    console.print(f"\nThe node runs on until Ctrl-C: L2 {endpoints.l2}, verifier {endpoints.verifier}", markup=False)
    console.print("Look at it from another terminal:", markup=False)
    console.print(f"  export OPENROLLUP_RPC_URL={endpoints.l2} OPENROLLUP_NAMES={texts}", markup=False)
    for line in (f"inference {model_id} 1", "earnings --all", f"model show {model_id}"):
        console.print(f"  openrollup {line}", markup=False)


def _show(console: Console, result: DemoResult) -> None:
    table = Table(title="\nContributors, in OPEN", title_justify="left")
    table.add_column("contributor")
    for name in ("units", "credited", "claimed"):
        table.add_column(name, justify="right")
    for row in result.contributors:
        table.add_row(
            escape(row.name), str(row.units), amount(row.credited), amount(row.claimed) if row.claimed else "–"
        )
    credited = sum(row.credited for row in result.contributors)
    table.add_section()
    table.add_row("all", str(sum(row.units for row in result.contributors)), amount(credited), amount(result.claimed))
    console.print(table)
    books = Table(title="\nBooks, in OPEN", title_justify="left", show_header=False)
    books.add_column(justify="left")
    books.add_column(justify="right")
    rows = [
        (
            f"fees of {counted(result.inferences, 'inference')} ({result.attested} of them by traced influence)",
            result.fees,
        ),
        (f"  to the platform, {result.platform_bps / 100:g} %", result.platform),
        ("  to the model's owner", result.owner),
        ("  to contributors", credited),
        ("  fractions of a wei, in the pool", result.in_pool),
        ("gas, in addition to the fees", result.gas),
        ("  execution", result.execution_fee),
        ("  L1 data", result.l1_fee),
        ("  operator fee", result.operator_fee),
    ]
    for name, wei in rows:
        books.add_row(name, amount(wei))
    books.add_row("gas as a share of the fees", f"{100 * result.gas / result.fees:.3f} %")
    console.print(books)
    verdict = "exact to the wei" if result.is_conserved else "[red]BROKEN[/]"
    console.print(f"\nconservation: fees in = credited + pool + paid out, {verdict}")
    console.print(f"L2 block {result.block} {result.block_hash}")
    if result.verifier_root is None:
        console.print("no verifier was asked (give --verifier)")
    elif result.is_verified:
        console.print(f"[green]verifier: state root equal[/] {result.state_root}")
    else:
        console.print(f"[red]verifier: state root {result.verifier_root}, the sequencer has {result.state_root}[/]")
