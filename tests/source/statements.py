"""The statements of Python files, without their expressions: a third of the nodes."""

import ast
from collections.abc import Iterator

# The fields of a statement, an `except` and a `case` that hold statements.
BODIES = ("body", "orelse", "finalbody", "handlers", "cases")


def inner(node: ast.AST) -> Iterator[ast.AST]:
    """The statements, handlers and cases directly in a node."""
    for name in BODIES:
        yield from getattr(node, name, ())


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """A module or statement, and all that is in it at any depth."""
    yield node
    for child in inner(node):
        yield from statements(child)
