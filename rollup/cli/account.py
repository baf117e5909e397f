"""`openrollup account`: keys for people who have none yet."""

import json

import click
from eth_account import Account


@click.group("account")
def command() -> None:
    """Accounts: addresses for contributors, and the keys with which they claim."""


@command.command("new", short_help="Make an address and its key.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, one line.")
def new(as_json: bool) -> None:
    """Make an account. Nothing is kept: write the key down. Its owner claims with --private-key, or anyone does with
    `openrollup claim --for ADDRESS`."""
    made = Account.create()
    key = "0x" + bytes(made.key).hex()
    if as_json:
        click.echo(json.dumps({"address": made.address, "privateKey": key}))
        return
    click.echo(f"address      {made.address}")
    click.echo(f"private key  {key}")
    click.echo("Whoever has the key has the money. It is shown only now.")
