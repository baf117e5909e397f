"""What every contributor has earned, from a node with an index (open_listContributors)."""

from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import click
from eth_utils.address import to_checksum_address
from rich.console import Console
from web3.types import RPCEndpoint

from rollup.cli.attribution_session import Session, open_amount
from rollup.cli.columns import print_columns
from rollup.cli.people import names_of

_PAGE: Final = 1_000
_AMOUNTS: Final = ("direct", "settled", "pending")


def show_everyone(session: Session, datanet: int | None, texts: Path | None) -> None:
    """A line for each account with what it earned in all its DataNets, the highest first."""
    names = names_of(texts)
    sums: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_AMOUNTS, 0))
    for ident in [datanet] if datanet is not None else _datanets(session):
        for item in _contributors(session, ident):
            for name in _AMOUNTS:
                sums[to_checksum_address(item["account"])][name] += int(item[name], 16)
    rows = sorted(sums.items(), key=lambda row: (-sum(row[1].values()), row[0]))

    def render(console: Console) -> None:
        cells = [
            (
                open_amount(sum(amounts.values())),
                open_amount(amounts["direct"]),
                open_amount(amounts["settled"]),
                open_amount(amounts["pending"]),
                f"{names.get(account, '')} {account}".strip(),
            )
            for account, amounts in rows
        ]
        header = ("earned", "because quoted", "from pools", "waiting in pools", "contributor")
        print_columns(console, cells, header=header, right=(0, 1, 2, 3))

    listed = [
        {
            "account": account,
            "name": names.get(account),
            "earned": str(sum(amounts.values())),
            **{name: str(amount) for name, amount in amounts.items()},
        }
        for account, amounts in rows
    ]
    session.show({"contributors": listed}, render)


def _datanets(session: Session) -> list[int]:
    """The ids of all DataNets: they are given one after the other."""
    found = 0
    while "error" not in session.web3.provider.make_request(RPCEndpoint("open_getDatanet"), [hex(found + 1)]):
        found += 1
    return list(range(1, found + 1))


def _contributors(session: Session, datanet: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = "0x" + "00" * 20
    while cursor is not None:
        answer = session.web3.provider.make_request(
            RPCEndpoint("open_listContributors"), [hex(datanet), cursor, hex(_PAGE)]
        )
        if "error" in answer:
            error = answer["error"]
            raise click.ClickException(str(error.get("message", error) if isinstance(error, dict) else error))
        found += answer["result"]["contributors"]
        cursor = answer["result"]["cursor"]
    return found
