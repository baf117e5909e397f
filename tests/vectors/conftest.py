"""Counts the cases that ran, file by file, and prints the table at the end (also from xdist's workers)."""

from collections import Counter
from collections.abc import Callable

import pytest

Ran = Callable[..., None]
_KEY = "vector-cases"


@pytest.fixture
def ran(request: pytest.FixtureRequest) -> Ran:
    """ran("fees/fastlz.json"[, count]): this test ran so many cases of a file. Call it after the assertions."""

    def note(file: str, count: int = 1) -> None:
        request.node.user_properties.append((_KEY, (file, count)))

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            for key, value in getattr(report, "user_properties", ()):
                # A report a phase, each with the test's properties: the call's counts.
                if key == _KEY and report.when == "call":
                    counts[value[0]] += value[1]
    if not counts:
        return
    terminalreporter.section("vectors: cases run, a file a line")
    for file, count in sorted(counts.items()):
        terminalreporter.write_line(f"{count:7}  {file}")
    terminalreporter.write_line(f"{sum(counts.values()):7}  in all, {len(counts)} files")
