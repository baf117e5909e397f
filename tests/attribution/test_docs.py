"""The tables on the attribution pages show what the code does."""

from pathlib import Path

import pytest

from .gas_report import PAGES, rendered


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_generated_tables_are_current(path: Path) -> None:
    """Rewrite them with: python -m tests.attribution.gas_report"""
    assert rendered(path) == path.read_text()
