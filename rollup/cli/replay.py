"""`openrollup replay`: real blocks executed against their witness, to the hash."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click

from rollup.cli.safe_text import echo, echo_json
from rollup.execution.chain_variants import VariantError, known_variants, load_variants
from rollup.execution.config import ChainVariant
from rollup.execution.replay import ReplayError, find_cases, load_case, replay


@click.command("replay")
@click.argument("paths", metavar="FILE…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--variants",
    type=click.Path(path_type=Path, dir_okay=False),
    help="JSON: chains whose fees differ from the OP Stack's, by chain id.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per block.")
def command(paths: tuple[Path, ...], variants: Path | None, as_json: bool) -> None:
    """Execute the blocks in files or folders and compare hashes; exit 1 if one differs."""
    failed = count = 0
    try:
        chains = known_variants() if variants is None else load_variants(variants)
        for path in find_cases(list(paths)):
            count += 1
            failed += not _replayed(path, chains, as_json)
    except (ReplayError, VariantError) as error:
        raise click.ClickException(str(error)) from error
    if not count:
        raise click.ClickException(
            f"no recorded blocks in {', '.join(map(str, paths))}: *.json or *.json.gz are expected"
        )
    if not as_json:
        echo(f"{count - failed} of {count} hashes equal")
    if failed:
        raise SystemExit(1)


def _replayed(path: Path, variants: Mapping[int, ChainVariant], as_json: bool) -> bool:
    """Prints the result of a file. A file that cannot be read does not stop the others."""
    try:
        result = replay(load_case(path, variants))
    except ReplayError as error:
        if as_json:
            echo_json({"name": path.name, "difference": str(error), "equal": False})
        else:
            echo(f"Error: {error}", err=True)
        return False
    if as_json:
        echo_json({**asdict(result), "fork": result.fork.name.lower(), "equal": result.equal})
    else:
        echo(result.line())
    return result.equal
