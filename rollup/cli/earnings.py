"""`openrollup earnings`: an account's earnings, paid and due."""

from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from web3.types import RPCEndpoint

from rollup.cli.attribution_history import History
from rollup.cli.attribution_session import Session, open_amount, with_session
from rollup.cli.attribution_values import ADDRESS, ID
from rollup.cli.columns import print_columns
from rollup.cli.counted import counted
from rollup.cli.earnings_all import earned_open, everyone, print_everyone
from rollup.cli.economics_options import draw, in_words, svg_option
from rollup.cli.names import Names, with_names

# The roles of open_earnings.
_ROLES: Final = {
    "platform": "as the platform",
    "owner": "as an owner",
    "member": "directly, for quoted texts",
    "pool": "from its DataNets' pools",
    "emptyPool": "as an owner, for DataNets without units",
}


@click.command("earnings")
@click.argument("address", type=ADDRESS, required=False)
@click.option("--all", "of_all", is_flag=True, help="All accounts that earned or could have earned, the largest first.")
@svg_option("what each account has earned, with --all")
@click.option("--datanet", type=ID, help="With --all: only accounts that ever had units in this DataNet.")
@with_names("--texts")
@with_session
def command(
    address: str | None, of_all: bool, datanet: int | None, svg: Path | None, names: Names, session: Session
) -> None:
    """Show the earnings of ADDRESS: credited, pending in each DataNet, paid out; and the models it owns.

    Everything is read from the precompile and its events, so any node works. A node with an index (open_earnings) also
    shows the earnings by model and role. --all shows a line for each contributor, each model owner and the platform.
    """
    if (address is None) is not of_all or ((datanet is not None or svg is not None) and not of_all):
        raise click.UsageError("give an ADDRESS, or --all (with --datanet and --svg if you like)")
    if address is None:
        everybody = everyone(session, names, datanet)
        with in_words():
            draw(svg, lambda plots: plots.earnings_bars(earned_open(everybody)))
        session.show(everybody, lambda console: print_everyone(console, everybody))
        return
    client, history = session.client, History(session.client)
    datanets: list[dict[str, Any]] = []
    for ident in history.datanets_of(address):
        units, pending = client.member(ident, address)
        datanets.append({"datanetId": ident, "units": units, "pending": str(pending)})
    models = []
    for ident in history.models_of(address):
        usage = client.usage(ident)
        models.append({"modelId": ident, "inferences": usage.inferences, "revenue": str(usage.revenue)})
    credit, claimed, refunded = client.claimable(address), history.claimed(address), history.refunded(address)
    claimable = client.claimable(address, [row["datanetId"] for row in datanets])
    result = {
        "address": address,
        "name": names.get(address.lower()),
        "earned": str(claimable + claimed - refunded),
        "refunded": str(refunded),
        "claimed": str(claimed),
        "claimable": str(claimable),
        "credit": str(credit),
        "datanets": datanets,
        "models": models,
        "byModel": _by_model(session, address),
    }
    session.show(result, lambda console: _render(console, result))


def _by_model(session: Session, address: str) -> list[dict[str, Any]] | None:
    """The result of open_earnings: wei by model and role. None if the node has no index."""
    answer = session.web3.provider.make_request(RPCEndpoint("open_earnings"), [address])
    found = answer.get("result")
    if not isinstance(found, dict):
        return None
    return [
        {
            "modelId": int(row["modelId"], 16),
            "total": str(int(row["total"], 16)),
            "roles": {role: str(int(wei, 16)) for role, wei in row["roles"].items()},
        }
        for row in found.get("byModel", [])
    ]


def _render(console: Console, result: dict[str, Any]) -> None:
    console.print(" ".join(filter(None, (result["name"], result["address"]))) + "\n", markup=False)
    rows: list[tuple[str, str]] = [
        ("earned in all", open_amount(int(result["earned"]))),
        ("  paid out", open_amount(int(result["claimed"]))),
        ("  due now", open_amount(int(result["claimable"]))),
        ("    in its credit", open_amount(int(result["credit"]))),
    ]
    for row in result["datanets"]:
        rows.append((f"    in DataNet {row['datanetId']}, {row['units']:,} units", open_amount(int(row["pending"]))))
    if result["refunded"] != "0":
        rows.append(("refunds of its jobs, not counted as earned", open_amount(int(result["refunded"]))))
    for row in result["byModel"] or ():
        rows.append((f"earned from model {row['modelId']}", open_amount(int(row["total"]))))
        rows += [(f"  {_ROLES.get(role, role)}", open_amount(int(wei))) for role, wei in row["roles"].items()]
    for row in result["models"]:
        name = f"revenue of model {row['modelId']}, which it owns, {counted(row['inferences'], 'inference')}"
        rows.append((name, open_amount(int(row["revenue"]))))
    print_columns(console, rows, right=(1,))
