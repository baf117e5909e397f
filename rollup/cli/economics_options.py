"""What the economics commands share: their option types, their errors in one sentence, files written whole."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import click

from derivation.errors import Temporary
from rollup.cli.attribution_values import Parsed
from rollup.economics.errors import EconomicsError
from rollup.inputs.yaml_fields import FieldError
from rollup.l1.json_rpc import RpcError

_MAX_DIGITS: Final = 30


def parse_counts(text: str) -> tuple[int, ...]:
    """`50,1000,50_000`; ValueError for anything else."""
    parts = [part.strip().replace("_", "") for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) <= _MAX_DIGITS for part in parts):
        raise ValueError(f"{text!r} is not a list of whole numbers, such as 50,1000")
    return tuple(map(int, parts))


def parse_pair(text: str) -> tuple[int, int]:
    """`IN,OUT`, each below 2^32; ValueError for anything else."""
    counts = parse_counts(text)
    if len(counts) != 2 or max(counts) >> 32:
        raise ValueError(f"{text!r} is not IN,OUT, such as 812,640")
    return counts[0], counts[1]


def parse_usd(text: str) -> Fraction:
    """A decimal number of dollars, at least 0; ValueError for anything else."""
    digits = text.removeprefix("$").replace("_", "")
    if (
        not digits.replace(".", "", 1).isascii()
        or not digits.replace(".", "", 1).isdigit()
        or len(digits) > _MAX_DIGITS
    ):
        raise ValueError(f"{text!r} is not an amount of dollars, such as 0.20")
    return Fraction(digits)


COUNTS: Final = Parsed("n,n…", parse_counts)
PAIR: Final = Parsed("in,out", parse_pair)
USD: Final = Parsed("dollars", parse_usd)


@contextmanager
def in_words(url: str | None = None) -> Iterator[None]:
    """Turns what an input or a node may get wrong into one sentence and exit status 1."""
    try:
        yield
    except (EconomicsError, FieldError, Temporary) as error:
        raise click.ClickException(str(error)) from error
    except RpcError as error:
        raise click.ClickException(f"{url} answered: {error}") from error
    except OSError as error:
        raise click.ClickException(f"{error.filename or 'a file'}: {error.strerror}") from error


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--json, --csv and --svg."""
    path = click.Path(path_type=Path, dir_okay=False)
    for option in (
        click.option("--svg", type=path, help="Draw the figure (SVG, or PNG by the file's ending; extra: plots)."),
        click.option("--csv", "csv_file", type=path, help="Write every number with its unit and source."),
        click.option("--json", "as_json", is_flag=True, help="Print the result as JSON; amounts are wei in strings."),
    ):
        command = option(command)
    return command
