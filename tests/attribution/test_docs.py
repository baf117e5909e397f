"""What docs/attribution.md prints is what the code does."""

from .gas_report import PAGE, rendered


def test_the_generated_tables_are_current() -> None:
    """Rewrite them with: python -m tests.attribution.gas_report"""
    page = PAGE.read_text()
    assert rendered(page) == page
