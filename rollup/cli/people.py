"""The names that a data set gives its contributors' addresses."""

from pathlib import Path

from rollup.cli.attribution_values import parse_address
from rollup.cli.demo_texts import load_data_set


def names_of(texts: Path | None) -> dict[str, str]:
    """Names by checksummed address; none without a data set. ClickException for a broken one."""
    if texts is None:
        return {}
    return {str(parse_address(address)): name for name, address in load_data_set(texts).contributors.items()}
