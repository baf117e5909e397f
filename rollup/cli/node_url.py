"""The option with the URL of the L2 node, the same for every command that reads a running chain."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

DEFAULT_URL: Final = "http://127.0.0.1:9545"
_Command = TypeVar("_Command", bound=Callable[..., Any])


def node_url_option(*other_names: str) -> Callable[[_Command], _Command]:
    """--rpc-url, as the argument `rpc_url`; the command may have other names for it too."""
    return click.option(
        *other_names,
        "--rpc-url",
        "rpc_url",
        metavar="URL",
        default=DEFAULT_URL,
        envvar="OPENROLLUP_RPC_URL",
        show_envvar=True,
        show_default=True,
        help="JSON-RPC of the L2.",
    )


rpc_url_option: Final = node_url_option()
