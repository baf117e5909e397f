"""`openrollup datanet`: pools of contributors."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from eth_account.signers.local import LocalAccount
from rich.console import Console

from attribution_precompile.client import ZERO_HASH
from rollup.cli.answer import read_text_file
from rollup.cli.attribution_history import History
from rollup.cli.attribution_session import (
    Session,
    hexed,
    open_amount,
    receipt_json,
    show_receipt,
    with_account,
    with_session,
)
from rollup.cli.attribution_values import ADDRESS, HASH, ID, whole_number
from rollup.cli.columns import print_columns
from rollup.cli.counted import counted
from rollup.cli.demo_texts import Text, load_data_set
from rollup.cli.names import Names, named, with_names
from rollup.inputs.values import parse_address
from rollup.protocol.primitives import keccak256

_ROWS_A_CALL = 200
_UNITS = whole_number(0, 2**96 - 1)
Row = tuple[str, int, bytes]


@click.group("datanet")
def command() -> None:
    """Manage DataNets: pools of texts with their contributors and units."""


@command.command("create", short_help="Create a DataNet; the sender is its curator.")
@click.option("--name", help="Name of the DataNet; the chain stores only its hash.")
@click.option("--metadata", type=HASH, help="32 bytes of metadata, instead of --name.")
@with_session
@with_account
def create(
    name: str | None,
    metadata: bytes | None,
    session: Session,
    account: LocalAccount,
) -> None:
    """Create a DataNet; the sender is its curator."""
    if name is not None and metadata is not None:
        raise click.UsageError("give --name or --metadata, not both")
    chosen = metadata or (ZERO_HASH if name is None else keccak256(name.encode()))
    receipt = session.client.send(account, "createDatanet", chosen)
    ((_, event),) = session.client.events(receipt)
    datanet_id = event["datanetId"]

    def render(console: Console) -> None:
        console.print(f"DataNet {datanet_id}, curated by {account.address}")
        show_receipt(console, receipt)

    result = {"datanetId": datanet_id, "curator": account.address, "metadata": hexed(chosen)}
    session.show(result | receipt_json(receipt), render)


@command.command("contribute", short_help="Register texts and their contributors.")
@click.argument("datanet", type=ID)
@click.argument("dataset", required=False, type=click.Path(path_type=Path))
@click.option("--contributor", type=ADDRESS, help="Address of the text's contributor.")
@click.option("--units", type=whole_number(1, 2**96 - 1), help="Units of the text: how much it counts in the pool.")
@click.option("--text", type=click.Path(path_type=Path), help="The text file; the chain stores its keccak256.")
@click.option("--content-hash", type=HASH, help="keccak256 of the text, instead of --text.")
@with_session
@with_account
def contribute(
    datanet: int,
    dataset: Path | None,
    contributor: str | None,
    units: int | None,
    text: Path | None,
    content_hash: bytes | None,
    session: Session,
    account: LocalAccount,
) -> None:
    """Register texts: all of a DATASET, or one by --contributor, --units and --text.

    A DATASET is a folder with dataset.yaml, or a CSV or JSON lines file with the columns text, contributor, address,
    units and title (docs/attribution-cli.md).
    """
    rows = _rows(dataset, contributor, units, text, content_hash)
    _refuse_known(History(session.client).registered_texts(datanet), rows, datanet)
    receipts = [session.client.contribute(account, datanet, part) for part in _parts(rows)]
    people = len({who for who, _, _ in rows})
    total = sum(count for _, count, _ in rows)

    def render(console: Console) -> None:
        texts = f"{counted(len(rows), 'text')} by {counted(people, 'contributor')}"
        console.print(f"added to DataNet {datanet}: {texts}, {counted(total, 'unit')}")
        for receipt in receipts:
            show_receipt(console, receipt)

    listed = [{"contributor": who, "units": count, "contentHash": hexed(content)} for who, count, content in rows]
    transactions = [receipt_json(receipt) for receipt in receipts]
    session.show({"datanetId": datanet, "contributions": listed, "transactions": transactions}, render)


@command.command("set-units", short_help="Change a contributor's units.")
@click.argument("datanet", type=ID)
@click.argument("contributor", type=ADDRESS)
@click.argument("units", type=_UNITS)
@with_session
@with_account
def set_units(
    datanet: int,
    contributor: str,
    units: int,
    session: Session,
    account: LocalAccount,
) -> None:
    """Change a contributor's units from now on; earlier earnings stay."""
    receipt = session.client.send(account, "setUnits", datanet, contributor, units)

    def render(console: Console) -> None:
        console.print(f"{contributor} has {units:,} units in DataNet {datanet}")
        show_receipt(console, receipt)

    session.show({"datanetId": datanet, "contributor": contributor, "units": units} | receipt_json(receipt), render)


@command.command("show", short_help="Show curator, contributors, units and pending amounts.")
@click.argument("datanet", type=ID)
@with_names()
@with_session
def show(datanet: int, names: Names, session: Session) -> None:
    """Show the curator, the contributors, their units, and the amounts that they could harvest now."""
    client = session.client
    found = client.datanet(datanet)
    members = History(client).members(datanet)
    rows: list[dict[str, Any]] = [
        {
            "account": member.account,
            "name": names.get(member.account.lower()),
            "units": member.units,
            "texts": len(member.contents),
            "pending": str(client.member(datanet, member.account)[1]),
            "contentHashes": [hexed(content) for content in member.contents],
        }
        for member in members
    ]

    def render(console: Console) -> None:
        console.print(f"DataNet {datanet}, curated by {found.curator}")
        console.print(f"metadata {hexed(found.metadata)}")
        members = f"{counted(found.members, 'contributor')}, {counted(found.total_units, 'unit')}"
        console.print(f"{counted(found.contributions, 'text')}, {members}\n")
        lines = [
            (named(row["account"], names), f"{row['units']:,}", str(row["texts"]), open_amount(int(row["pending"])))
            for row in rows
        ]
        print_columns(console, lines, header=("contributor", "units", "texts", "pending"), right=(1, 2, 3))

    result = {
        "datanetId": datanet,
        "curator": found.curator,
        "metadata": hexed(found.metadata),
        "totalUnits": found.total_units,
        "members": found.members,
        "contributions": found.contributions,
        "contributors": rows,
    }
    session.show(result, render)


def _rows(
    dataset: Path | None, contributor: str | None, units: int | None, text: Path | None, content_hash: bytes | None
) -> list[Row]:
    single = (contributor, units, text, content_hash)
    if dataset is not None:
        if any(option is not None for option in single):
            raise click.UsageError("give a DATASET, or one text by --contributor, --units and --text")
        texts = load_data_set(dataset).texts
        _refuse_twice(texts)
        return [(parse_address(item.address), item.units, keccak256(item.content.encode())) for item in texts]
    if contributor is None or units is None or (text is None) == (content_hash is None):
        raise click.UsageError("give a DATASET, or --contributor, --units and one of --text and --content-hash")
    return [(contributor, units, content_hash or keccak256(read_text_file(text or Path("-")).encode()))]


def _refuse_twice(texts: Sequence[Text]) -> None:
    """Two equal texts in one data set: the precompile would name only a hash."""
    titles: dict[str, str] = {}
    for item in texts:
        if item.content in titles:
            raise click.ClickException(f"{item.title!r} is the same text as {titles[item.content]!r}")
        titles[item.content] = item.title


def _refuse_known(registered: dict[bytes, Any], rows: Sequence[Row], datanet: int) -> None:
    """Counts the texts that are already registered: the precompile would name only the first."""
    known = sum(content in registered for _, _, content in rows)
    if known:
        what = "the text is" if len(rows) == 1 else f"{known} of the {len(rows)} texts are"
        raise click.ClickException(f"{what} registered in DataNet {datanet} already; each is registered once")


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for first in range(0, len(rows), _ROWS_A_CALL):
        yield rows[first : first + _ROWS_A_CALL]
