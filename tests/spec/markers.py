"""Where code and tests name rules of the specification: comments "spec: id, id" (in Solidity behind //)."""

import ast
import functools
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PRODUCT = ("derivation", "rollup", "sequencer", "contracts")
TESTS = ("tests",)
_PYTHON = re.compile(r"#\s*spec:\s*(.+)")
_SOLIDITY = re.compile(r"\s*//\s*spec:\s*(.+)")
_FUNCTION = re.compile(r"\s*(?:function|modifier)\s+(\w+)")


@dataclass(frozen=True)
class Marker:
    """One rule named in one place; function is empty outside of functions and named values."""

    rule: str
    path: str
    function: str


class MarkerError(ValueError):
    """A marker that belongs to no definition."""


@functools.cache  # a tree is read once per process
def find_markers(root: Path, folders: tuple[str, ...]) -> tuple[Marker, ...]:
    """All markers below the folders, by path and line."""
    found: list[Marker] = []
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if "node_modules" in path.parts or path.suffix not in (".py", ".sol"):
                continue
            text = path.read_text()
            if "spec:" in text:
                in_file = python_markers if path.suffix == ".py" else solidity_markers
                found += [
                    Marker(rule, str(path.relative_to(root)), function) for rule, function in in_file(text, str(path))
                ]
    return tuple(found)


def python_markers(text: str, name: str) -> Iterator[tuple[str, str]]:
    """The rules and the functions they are named in; a marker above an assignment belongs to its name."""
    places = _places(ast.parse(text))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        match = _PYTHON.fullmatch(token.string) if token.type == tokenize.COMMENT else None
        if match is None:
            continue
        line = token.start[0]
        inside = [(first, function) for first, last, function in places if first <= line <= last]
        if not inside:
            raise MarkerError(f"{name}:{line}: a spec marker in no function and above no value")
        for rule in _ids(match[1]):
            yield rule, max(inside)[1]


def solidity_markers(text: str, name: str) -> Iterator[tuple[str, str]]:
    """The rules and the functions or modifiers they are named in."""
    function = ""
    for line, content in enumerate(text.splitlines(), 1):
        if match := _FUNCTION.match(content):
            function = match[1]
        elif match := _SOLIDITY.fullmatch(content):
            if not function:
                raise MarkerError(f"{name}:{line}: a spec marker in no function")
            for rule in _ids(match[1]):
                yield rule, function


def _ids(text: str) -> list[str]:
    return [item.strip() for item in text.split(",")]


def _places(tree: ast.Module) -> list[tuple[int, int, str]]:
    """First line, last line and name of each function, and of each value of a module with the comments above it."""
    found: list[tuple[int, int, str]] = []

    def walk(body: list[ast.stmt], prefix: str) -> None:
        end = 0
        for item in body:
            last = item.end_lineno or item.lineno
            if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
                found.append((item.lineno, last, prefix + item.name))
            elif isinstance(item, ast.ClassDef):
                walk(item.body, f"{item.name}.")
            elif isinstance(item, ast.Assign | ast.AnnAssign) and not prefix:
                target = item.targets[0] if isinstance(item, ast.Assign) else item.target
                if isinstance(target, ast.Name):
                    found.append((end + 1, last, target.id))
            end = last

    walk(tree.body, "")
    return found
