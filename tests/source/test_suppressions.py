"""The product has few comments that switch a check off, and all of them name the check."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("openrollup", "rollup", "sequencer", "derivation", "attribution_precompile")
FOUND = [
    (path.relative_to(ROOT), line)
    for folder in PRODUCT
    for path in sorted((ROOT / folder).rglob("*.py"))
    for line in path.read_text().splitlines()
    if re.search(r"#\s*(noqa|type:\s*ignore|ruff:|mypy:)", line)
]


def test_they_are_fewer_than_forty() -> None:
    assert 0 < len(FOUND) < 40, FOUND


def test_each_suppression_names_what_it_switches_off() -> None:
    for path, line in FOUND:
        assert re.search(r"# (noqa: [A-Z]+\d+|type: ignore\[[a-z-]+\])", line), f"{path}: {line}"


def test_no_method_of_the_rpc_needs_one_for_its_name() -> None:
    assert not [line for path, line in FOUND if "N802" in line or "N815" in line]
