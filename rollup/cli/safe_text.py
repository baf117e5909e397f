"""Writing to the terminal: every command does it through here, so that no foreign control sequence passes."""

import json
import logging
import sys
import traceback
from collections.abc import Iterable
from types import TracebackType
from typing import Any

import click
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from rollup.printable_text import printable


class SafeConsole(Console):
    """A rich console that shows all text through `printable`; colours and layout are its own, so they stay."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of a renderable, their text made safe."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)


def safe_console(**options: Any) -> SafeConsole:
    """The console of every command. It does not highlight numbers, and leaves long lines to the terminal."""
    return SafeConsole(**{"highlight": False, "soft_wrap": True} | options)


def echo(text: str, *, err: bool = False) -> None:
    """Writes a line to standard output, or to standard error."""
    click.echo(printable(text), err=err)


def echo_json(value: Any, *, indent: int | None = None) -> None:
    """Writes a value as JSON in ASCII to standard output. json.dumps escapes all control characters except DEL."""
    click.echo(json.dumps(value, indent=indent).replace("\x7f", "\\u007f"))


class PrintableFormatter(logging.Formatter):
    """Formats a record of Python's logging as printable text."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's text, with its traceback."""
        return printable(super().format(record))


def write_uncaught(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    """A sys.excepthook: the message of an exception may quote foreign text."""
    sys.stderr.write(printable("".join(traceback.format_exception(kind, error, where))))
