"""`openrollup earnings`: what an account has earned, what of it was paid, what is due."""

from typing import Any

import click
from rich.console import Console
from web3.types import RPCEndpoint

from rollup.cli.attribution_history import History
from rollup.cli.attribution_session import Session, open_amount, with_session
from rollup.cli.attribution_values import ADDRESS
from rollup.cli.columns import print_columns


@click.command("earnings")
@click.argument("address", type=ADDRESS)
@with_session
def command(address: str, session: Session) -> None:
    """Earnings of ADDRESS: credited, pending by DataNet, claimed; and the revenue of the models it owns.

    The figures come from the precompile and its events, so any node will do. Where the node keeps an index (open_
    methods), the earnings by model are shown too.
    """
    client, history = session.client, History(session.client)
    datanets: list[dict[str, Any]] = []
    for ident in history.datanets_of(address):
        units, pending = client.member(ident, address)
        datanets.append({"datanetId": ident, "units": units, "pending": str(pending)})
    models = []
    for ident in history.models_of(address):
        usage = client.usage(ident)
        models.append({"modelId": ident, "inferences": usage.inferences, "revenue": str(usage.revenue)})
    credit, claimed = client.claimable(address), history.claimed(address)
    claimable = client.claimable(address, [row["datanetId"] for row in datanets])
    result = {
        "address": address,
        "earned": str(claimable + claimed),
        "claimed": str(claimed),
        "claimable": str(claimable),
        "credit": str(credit),
        "datanets": datanets,
        "models": models,
        "index": _from_index(session, address),
    }
    session.show(result, lambda console: _render(console, result))


def _from_index(session: Session, address: str) -> Any:
    """What open_earnings says; None from a node without an index."""
    answer = session.web3.provider.make_request(RPCEndpoint("open_earnings"), [address])
    return answer.get("result")


def _render(console: Console, result: dict[str, Any]) -> None:
    console.print(f"{result['address']}\n")
    rows = [
        ("earned in all", open_amount(int(result["earned"]))),
        ("  paid out", open_amount(int(result["claimed"]))),
        ("  due now", open_amount(int(result["claimable"]))),
        ("    credited", open_amount(int(result["credit"]))),
    ]
    for row in result["datanets"]:
        rows.append((f"    in DataNet {row['datanetId']}, {row['units']:,} units", open_amount(int(row["pending"]))))
    for row in result["models"]:
        name = f"model {row['modelId']}, its own: {row['inferences']:,} inferences, revenue"
        rows.append((name, open_amount(int(row["revenue"]))))
    print_columns(console, rows, right=(1,))
