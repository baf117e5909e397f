"""The option that names the L2 to ask, the same for every command that reads a running chain."""

from typing import Final

import click

DEFAULT_URL: Final = "http://127.0.0.1:9545"

rpc_url_option: Final = click.option(
    "--rpc-url",
    metavar="URL",
    default=DEFAULT_URL,
    envvar="OPENROLLUP_RPC_URL",
    show_envvar=True,
    show_default=True,
    help="JSON-RPC of the L2.",
)
