"""The common parts of the economics commands: options and their types, error messages, figures."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeVar

import click

from derivation.errors import Temporary
from rollup.cli.attribution_values import Parsed
from rollup.economics.errors import EconomicsError
from rollup.economics.values import parse_count, parse_usd
from rollup.files import write_file
from rollup.inputs.yaml_fields import FieldError
from rollup.l1.json_rpc import RpcError

_Command = TypeVar("_Command", bound=Callable[..., Any])


def parse_counts(text: str) -> tuple[int, ...]:
    """`50,1000,50_000`; ValueError for anything else."""
    try:
        return tuple(map(parse_count, text.split(",")))
    except ValueError as error:
        raise ValueError(f"{text!r} is not a list of whole numbers, such as 50,1000") from error


def parse_pair(text: str) -> tuple[int, int]:
    """`IN,OUT`, each below 2^32; ValueError for anything else."""
    counts = parse_counts(text)
    if len(counts) != 2 or max(counts) >> 32:
        raise ValueError(f"{text!r} is not IN,OUT, such as 812,640")
    return counts[0], counts[1]


def joined(counts: tuple[int, ...]) -> str:
    """Counts as the user would write them."""
    return ",".join(map(str, counts))


COUNTS: Final = Parsed("n,n…", parse_counts)
PAIR: Final = Parsed("in,out", parse_pair)
USD: Final = Parsed("dollars", parse_usd)
OUTPUT: Final = click.Path(path_type=Path, dir_okay=False)


@contextmanager
def in_words(url: str | None = None) -> Iterator[None]:
    """Turns errors of an input or a node into one sentence and exit status 1."""
    try:
        yield
    except (EconomicsError, FieldError, Temporary) as error:
        raise click.ClickException(str(error)) from error
    except RpcError as error:
        raise click.ClickException(f"{url} answered: {error}") from error
    except OSError as error:
        raise click.ClickException(f"{error.filename or 'a file'}: {error.strerror}") from error


def json_option(help: str = "Print the result as JSON.") -> Callable[[_Command], _Command]:
    """--json, as the argument `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help=help)


def csv_option(help: str) -> Callable[[_Command], _Command]:
    """--csv FILE, as the argument `csv_file`."""
    return click.option("--csv", "csv_file", type=OUTPUT, help=help)


def svg_option(what: str) -> Callable[[_Command], _Command]:
    """--svg FILE, which draws `what`."""
    return click.option("--svg", type=OUTPUT, help=f"Draw {what} (.svg or .png; extra: plots).")


def share_option(name: str, default: float, help: str) -> Callable[[_Command], _Command]:
    """An option for a share from 0 to 1."""
    return click.option(name, type=click.FloatRange(0, 1), default=default, show_default=True, help=help)


def draw(path: Path | None, figure: Callable[[ModuleType], Any]) -> None:
    """Writes the figure that `figure` makes with rollup.economics.plots; nothing without a path. Raises OSError."""
    if path is None:
        return
    from rollup.economics import plots

    plots.format_of(path.suffix)  # an ending that is refused is refused before anything is drawn
    write_file(path, plots.figure_bytes(figure(plots), path.suffix))
