"""All twenty acceptance cases of the precompile are tested by their number, in the normal run."""

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
# A18 is about chains too, and so tested with them.
FOLDERS = ("attribution", "execution", "scenarios")


@cache
def _numbered() -> tuple[tuple[str, bool], ...]:
    """The names of all tests that begin with a case's number, and whether they are left out of the normal run."""
    paths = [path for folder in FOLDERS for path in sorted((TESTS / folder).glob("test_*.py"))]
    nodes = [node for path in paths for node in ast.parse(path.read_text()).body]
    return tuple(
        (node.name, any("slow" in ast.unparse(mark) for mark in node.decorator_list))
        for node in nodes
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_a") and node.name[6:8].isdigit()
    )


@pytest.mark.parametrize("case", range(1, 21))
def test_the_case_is_tested_by_its_number(case: int) -> None:
    assert [name for name, slow in _numbered() if name.startswith(f"test_a{case:02}_") and not slow]


def test_no_other_test_numbers_exist() -> None:
    assert {int(name[6:8]) for name, _ in _numbered()} == set(range(1, 21))
