"""Names of accounts for people to read: a data set's contributors, and the roles that an account has in a payment."""

from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

import click

from rollup.cli.demo_texts import load_data_set

Names = Mapping[str, str]
_Command = Callable[..., Any]


def with_names(*also: str) -> Callable[[_Command], _Command]:
    """--names: the command gets `names`, of contributors by their address in lower case. `also` are other spellings."""

    def decorate(command: _Command) -> _Command:
        @click.option(
            "--names",
            *also,
            "named_by",
            type=click.Path(path_type=Path),
            envvar="OPENROLLUP_NAMES",
            show_envvar=True,
            help="Show the contributors' names in this data set next to their addresses.",
        )
        @wraps(command)
        def wrapped(*, named_by: Path | None, **options: Any) -> Any:
            return command(names={} if named_by is None else names_of(named_by), **options)

        return wrapped

    return decorate


def names_of(data_set: Path) -> dict[str, str]:
    """The contributors of a data set by their address in lower case. ClickException when it cannot be read."""
    return {address.lower(): name for name, address in load_data_set(data_set).contributors.items()}


def named(address: str, names: Names) -> str:
    """`Amara Lindqvist 0x09DB…`, or the address alone where no name is known."""
    name = names.get(address.lower())
    return address if name is None else f"{name} {address}"
