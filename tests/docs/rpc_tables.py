"""The tables of JSON-RPC methods in docs/, made from the methods' declarations.

python -m tests.docs.rpc_tables           compares the pages with the code
python -m tests.docs.rpc_tables --write   writes the pages

A page names the classes of a table between two comments. A row has a method's names, its parameters, and the first
paragraph of its docstring. Everything outside the comments is written by hand.
"""

import argparse
import importlib
import inspect
import pkgutil
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import rollup.rpc
import rollup.studio
from rollup import serve
from rollup.node import Node, NodeParams
from rollup.rpc.absent import ABSENT
from rollup.rpc.conditional_api import conditional
from rollup.rpc.methods import Declaration, declarations
from rollup.rpc.params import Optional, block_id, call_request, mapping
from rollup.serve import NodeServers
from rollup.studio.attach import attach_studio
from tests.docs.pages import ROOT

PAGES = ("rpc.md", "rpc-eth.md", "rpc-debug.md", "rpc-node.md", "open.md", "cheats.md", "studio.md")
COMMAND = "python -m tests.docs.rpc_tables --write"
_METHODS = re.compile(r"(<!-- methods of ([\w ,]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_TYPES = re.compile(r"(<!-- types of parameters -->\n).*?(<!-- end -->)", re.DOTALL)
_ABSENT = re.compile(r"(<!-- absent methods -->\n).*?(<!-- end -->)", re.DOTALL)
# Types that are called otherwise on the pages than their parsers in the code.
_TYPE_NAMES: Mapping[object, str] = {
    block_id: "block",
    call_request: "call",
    conditional: "condition",
    mapping: "object",
}


@dataclass(frozen=True)
class Row:
    """A method with all its names."""

    kind: type
    names: tuple[str, ...]
    parameters: tuple[tuple[str, Any], ...]
    text: str

    def line(self) -> str:
        """The row of a table."""
        names = ", ".join(f"`{name}`" for name in self.names)
        parameters = ", ".join(_parameter(name, parser) for name, parser in self.parameters)
        return f"| {names} | {parameters}{' ' if parameters else ''}| {self.text} |"


def servers_of(node: Node) -> NodeServers:
    """Every endpoint of a node with every method that options can add."""
    servers = NodeServers(node, serve.PORTS, "127.0.0.1", bytes(32), takes_conditions=True)
    attach_studio(servers)
    return servers


def names_by_port(servers: NodeServers) -> dict[str, frozenset[str]]:
    """The methods of each port, by the port's name."""
    return {name: server.names for name, server in servers.rpc_servers.items()}


@cache
def namespaces() -> dict[str, type]:
    """Every class that declares methods, by name."""
    found: dict[str, type] = {}
    for package in (rollup.rpc, rollup.studio):
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for name, kind in vars(importlib.import_module(info.name)).items():
                if inspect.isclass(kind) and kind.__module__ == info.name and any(declarations(kind)):
                    assert name not in found, f"two classes are called {name}"
                    found[name] = kind
    return found


def rows_of(kind: type) -> Iterator[Row]:
    """The methods of a class."""
    for attribute, declaration in declarations(kind):
        yield _row(kind, inspect.getattr_static(kind, attribute), declaration)


def written(page: str, text: str, ports: Mapping[str, frozenset[str]], known: set[str]) -> str:
    """The text of a page with its tables made again. known: the methods that earlier tables have; these are added."""

    def methods(match: re.Match[str]) -> str:
        kinds = [namespaces()[name.strip()] for name in match[2].split(",")]
        rows = [row for kind in kinds for row in rows_of(kind) if not known.issuperset(row.names)]
        known.update(name for row in rows for name in row.names)
        (on,) = {_ports(kind, ports) for kind in kinds}
        return f"{match[1]}{on}\n\n| method | parameters | answer |\n|---|---|---|\n{_lines(rows)}{match[3]}"

    def types(match: re.Match[str]) -> str:
        lines = (f"| {name} | {text} |\n" for name, text in sorted(explained_types().items()))
        return f"{match[1]}| type | value |\n|---|---|\n{''.join(lines)}{match[2]}"

    def absent(match: re.Match[str]) -> str:
        lines = (f"| {', '.join(names)} | {reason} |\n" for reason, names in absent_by_reason().items())
        return f"{match[1]}| method | reason |\n|---|---|\n{''.join(lines)}{match[2]}"

    return _ABSENT.sub(absent, _TYPES.sub(types, _METHODS.sub(methods, text)))


def written_pages(servers: NodeServers) -> dict[str, str]:
    """Every page with its tables made again."""
    ports, known = names_by_port(servers), set[str]()
    return {name: written(name, (ROOT / "docs" / name).read_text(), ports, known) for name in PAGES}


def absent_by_reason() -> dict[str, list[str]]:
    """The methods that no port has, in backticks, by the reason."""
    found: dict[str, list[str]] = {}
    for name, reason in ABSENT.items():
        found.setdefault(reason, []).append(f"`{name}`")
    return found


def explained_types() -> dict[str, str]:
    """An explanation of each type of parameter. Lists and bounded counts explain themselves."""
    parsers = {parser for kind in namespaces().values() for row in rows_of(kind) for _, parser in row.parameters}
    plain = {_parser(parser) for parser in parsers}
    named = {type_name(parser): parser for parser in plain if " of " not in type_name(parser)}
    return {name: _paragraph(parser) for name, parser in named.items()}


def type_name(parser: Any) -> str:
    """The name that the pages give to the values of a parser."""
    given = _TYPE_NAMES.get(parser)
    return given if given is not None else str(parser.__name__).strip("_").replace("_", " ")


def _row(kind: type, method: Any, declaration: Declaration) -> Row:
    arguments = list(inspect.signature(method).parameters)[1:]
    parameters = tuple(zip(arguments, declaration.parameters, strict=True))
    return Row(kind, declaration.names, parameters, _paragraph(method))


def _paragraph(documented: Any) -> str:
    return " ".join((inspect.getdoc(documented) or "").split("\n\n")[0].split())


def _parser(parameter: Any) -> Any:
    return parameter.parser if isinstance(parameter, Optional) else parameter


def _parameter(argument: str, parameter: Any) -> str:
    kind = type_name(_parser(parameter))
    name = "block" if argument == "block_id" else _camel(argument.strip("_"))
    text = name if kind in (name, argument.replace("_", " ")) else f"{name}: {kind}"
    if not isinstance(parameter, Optional):
        return text
    default = _default(parameter.default)
    return f"[{text} = {default}]" if default else f"[{text}]"


def _default(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | str) else ""


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _ports(kind: type, ports: Mapping[str, Collection[str]]) -> str:
    wanted = {name for row in rows_of(kind) for name in row.names}
    on = [f"{serve.PORTS[name]} ({name})" for name, names in ports.items() if wanted.issubset(names)]
    return f"Ports: {', '.join(on)}."


def _lines(rows: Sequence[Row]) -> str:
    return "".join(row.line() + "\n" for row in rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 when a page differs from the code."""
    parser = argparse.ArgumentParser(description="The tables of JSON-RPC methods in docs/.")
    parser.add_argument("--write", action="store_true", help="write the pages")
    options = parser.parse_args(arguments)
    node = Node.open(NodeParams(virtual_clock=True, genesis_time=1_700_000_000))
    try:
        pages = written_pages(servers_of(node))
    finally:
        node.close()
    stale = [name for name, text in pages.items() if text != (ROOT / "docs" / name).read_text()]
    if options.write:
        for name in stale:
            (ROOT / "docs" / name).write_text(pages[name])
        return 0
    for name in stale:
        print(f"docs/{name} is not what the code says: run {COMMAND}")
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
