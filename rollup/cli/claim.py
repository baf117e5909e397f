"""`openrollup claim`: pays out earnings."""

import click
from eth_account.signers.local import LocalAccount
from rich.console import Console

from rollup.cli.attribution_history import History
from rollup.cli.attribution_session import (
    Session,
    open_amount,
    receipt_json,
    show_receipt,
    with_account,
    with_session,
)
from rollup.cli.attribution_values import ADDRESS, ID


@click.command("claim")
@click.option(
    "--datanet", "datanets", type=ID, multiple=True, help="Claim from this DataNet; all by default. Repeatable."
)
@click.option("--to", "recipient", type=ADDRESS, help="Account that is paid; the sender by default.")
@click.option("--for", "beneficiary", type=ADDRESS, help="Pay this account its own earnings; you pay the gas.")
@with_session
@with_account
def command(
    datanets: tuple[int, ...],
    recipient: str | None,
    beneficiary: str | None,
    session: Session,
    account: LocalAccount,
) -> None:
    """Harvest the account's share of its DataNets and pay out all its credit.

    An account without coins cannot pay the gas of its own claim: another account can pay it, with --for.
    """
    if recipient is not None and beneficiary is not None:
        raise click.UsageError("--for pays the account itself: no --to")
    earner = beneficiary or account.address
    chosen = sorted(set(datanets)) or History(session.client).datanets_of(earner)
    if beneficiary is None:
        receipt = session.client.send(account, "claim", chosen, recipient or account.address)
    else:
        receipt = session.client.send(account, "claimFor", beneficiary, chosen)
    event = next(found for name, found in session.client.events(receipt) if name == "Claimed")

    def render(console: Console) -> None:
        console.print(f"{open_amount(event['amount'])} earned by {event['account']} paid to {event['recipient']}")
        show_receipt(console, receipt)

    result = {
        "account": event["account"],
        "recipient": event["recipient"],
        "amount": str(event["amount"]),
        "datanets": chosen,
    }
    session.show(result | receipt_json(receipt), render)
