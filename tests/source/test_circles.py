"""No modules of the product import each other in a circle at run time."""

import ast
from collections.abc import Container, Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

import pytest

from tests.source.statements import inner

ROOT = Path(__file__).parents[2]
PRODUCT = ("openrollup", "rollup", "sequencer", "derivation", "attribution_precompile", "benchmarks")


def module_name(path: Path) -> str:
    """The name by which Python imports a file of the product."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for folder in PRODUCT for path in sorted((ROOT / folder).rglob("*.py"))}


def import_statements(body: Iterable[ast.AST]) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports that run, those inside functions too; not those under `if TYPE_CHECKING:`."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from import_statements(node.orelse)
        else:
            yield from import_statements(inner(node))


def imported(package: str, text: str, modules: Container[str]) -> set[str]:
    """Which of these modules a text imports at run time, when its module is in this package."""
    found: set[str] = set()
    for statement in import_statements([ast.parse(text)]):
        if isinstance(statement, ast.Import):
            found.update(alias.name for alias in statement.names)
            continue
        base = resolve_name("." * statement.level + (statement.module or ""), package)
        full_names = [f"{base}.{alias.name}" for alias in statement.names]
        found.update(full if full in modules else base for full in full_names)
    return {name for name in found if name in modules}


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle, the first one again at the end; empty if there are none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {}
    for name, path in MODULES.items():
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        graph[name] = imported(package, path.read_text(), MODULES) - {name}
    assert sum(map(len, graph.values())) > 1_000
    assert circle(graph) == []


def test_a_circle_is_found() -> None:
    assert sorted(set(circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}))) == ["a", "b", "c"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import a.b", {"a.b"}),
        ("import os", set()),
        ("from a import b, c as d", {"a", "a.b"}),
        ("from a import b", {"a.b"}),
        ("def f():\n    from a import c", {"a"}),
        ("try:\n    import os\nexcept E:\n    import a\nfinally:\n    import a.b", {"a", "a.b"}),
        ("match x:\n    case 1:\n        import a", {"a"}),
        ("if TYPE_CHECKING:\n    import a\nelse:\n    import a.b", {"a.b"}),
        ("from . import b", {"a.b"}),
        ("from .b import c", {"a.b"}),
    ],
)
def test_imports_are_read_from_the_text(text: str, found: set[str]) -> None:
    assert imported("a", text, {"a", "a.b"}) == found
