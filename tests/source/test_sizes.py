"""Functions, classes and files of the product are short, unless a comment on the line or above it says why not."""

import ast
from pathlib import Path

import pytest

from tests.source.statements import statements

ROOT = Path(__file__).parents[2]
PRODUCT = ("openrollup", "rollup", "sequencer", "derivation", "attribution_precompile", "benchmarks")
FILES = [path for folder in PRODUCT for path in sorted((ROOT / folder).rglob("*.py"))]
REASON = "# long: "  # followed by the reason
MOST = {ast.FunctionDef: 60, ast.AsyncFunctionDef: 60, ast.ClassDef: 250, ast.Module: 450}


def long_parts(text: str) -> list[str]:
    """The names of the functions and classes that are too long and have no reason, and "file"."""
    lines = text.splitlines()
    found = []
    for node in statements(ast.parse(text)):
        if isinstance(node, ast.Module):
            size, name, first = len(lines), "file", 1
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            size, name, first = node.end_lineno - node.lineno + 1, node.name, node.lineno
        else:
            continue
        has_reason = any(line.partition(REASON)[2].strip() for line in lines[max(first - 2, 0) : first])
        if size > MOST[type(node)] and not has_reason:
            found.append(name)
    return found


def test_no_part_of_a_file_is_long() -> None:
    assert len(FILES) > 400
    found = {str(path.relative_to(ROOT)): long_parts(path.read_text()) for path in FILES}
    assert {path: parts for path, parts in found.items() if parts} == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("def f():\n" + "    x = 1\n" * 59, []),
        ("def f():\n" + "    x = 1\n" * 60, ["f"]),
        ("async def f():\n" + "    x = 1\n" * 60, ["f"]),
        ("# long: a table\ndef f():\n" + "    x = 1\n" * 60, []),
        ("# long: \ndef f():\n" + "    x = 1\n" * 60, ["f"]),
        ("if x:\n    pass\nelse:\n    def f():\n" + "        x = 1\n" * 60, ["f"]),
        ("try:\n    pass\nexcept E:\n    class C:\n        def f():\n" + "            x = 1\n" * 60, ["f"]),
        ("match x:\n    case 1:\n        def f():\n" + "            x = 1\n" * 60, ["f"]),
        ("try:\n    pass\nfinally:\n    def f():\n" + "        x = 1\n" * 60, ["f"]),
        ("class C:\n" + "    x = 1\n" * 250, ["C"]),
        ("class C:  # long: a protocol\n" + "    x = 1\n" * 250, []),
        ("x = 1\n" * 451, ["file"]),
    ],
)
def test_a_long_part_is_found_unless_it_has_a_reason(text: str, found: list[str]) -> None:
    assert long_parts(text) == found
