"""`openrollup account`: keys for contributors and payers."""

from pathlib import Path

import click
from eth_account import Account

from rollup.cli.attribution_session import make_console
from rollup.cli.safe_text import echo_json
from rollup.files import write_file


@click.group("account")
def command() -> None:
    """Manage accounts: private keys and their addresses."""


@command.command("new", short_help="Make a private key and its address.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the key to this new file.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
def new(out: Path | None, as_json: bool) -> None:
    """Make a private key from the machine's randomness, and print it with its address; no node is needed.

    With --out the key is not printed: it is in the file, which only you can read. The address goes into dataset.yaml.
    The account has no coins; `openrollup claim --for ADDRESS` pays it what it earned, and the sender pays the gas.
    """
    made = Account.create()
    key = made.key.to_0x_hex()
    if out is not None:
        if out.exists() or out.is_symlink():
            raise click.ClickException(f"{out} is there already: a key is never overwritten")
        try:
            write_file(out, key + "\n", mode=0o600)
        except OSError as error:
            raise click.ClickException(f"{out}: {error.strerror}") from error
    place = {"privateKey": key} if out is None else {"file": str(out)}
    if as_json:
        echo_json({"address": made.address, **place})
        return
    console = make_console()
    console.print(f"address      {made.address}")
    if out is None:
        console.print(f"private key  {key}")
        console.print("Keep the key: anyone who has it controls the account, and a lost key cannot be restored.")
    else:
        console.print(f"private key  in {out}", markup=False)
        console.print(f'use it by    export OPENROLLUP_PRIVATE_KEY="$(cat {out})"', markup=False)
