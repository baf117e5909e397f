"""Values of `openrollup run` that click has no type for."""

from collections.abc import Callable
from typing import Any

import click

from rollup.rpc.front.fronts import are_possible


class Forks(click.ParamType[str]):
    """Forks in the words that a parser of schedules reads."""

    name = "forks"

    def __init__(self, parse: Callable[[str, int], object]) -> None:
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            self._parse(value, 0)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return str(value).lower().replace(" ", "")


class OnOff(click.ParamType[bool]):
    """`on`, which is True, or `off`."""

    name = "on|off"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bool:
        return value is True or click.Choice(["on", "off"]).convert(value, param, ctx) == "on"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "[on|off]"


class Processes(click.ParamType["int | None"]):
    """A number of processes, or `auto`, which is None."""

    name = "processes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        if value == "auto":
            return None
        count = click.IntRange(1, 64).convert(value, param, ctx)
        if count > 1 and not are_possible():
            self.fail("this system cannot pass connections between processes", param, ctx)
        return count
