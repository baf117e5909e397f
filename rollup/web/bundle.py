"""The modules of the first page as one file, put together when the node starts.

A browser that loads forty small modules waits for forty answers, six at a time. So what `app/main.js` imports, directly
or through others, is served as one module. Each of its modules becomes a function that returns what it exports. The
modules of other pages stay files of their own, and import from the one file what is in it: a module has one instance.

The modules are plain ones: imports and exports stand at the beginning of a line, or in the first or last statement of a
vendored file. What this cannot read is a ValueError, at the start and in the tests.
"""

import posixpath
import re
from collections.abc import Mapping
from typing import Final

MAIN: Final = "app/main.js"
BUNDLE: Final = "app/bundle.js"

_IMPORT: Final = re.compile(
    r"""(?:^|(?<=;))import\s*(?:(?P<default>[\w$]+)\s+from\s*|\{(?P<names>[^}]*)\}\s*from\s*)?['"](?P<path>\.[^'"]+)['"];?""",
    re.MULTILINE,
)
_DYNAMIC: Final = re.compile(r"""(?<=[ (])import\(['"](\.[^'"]+)['"]\)(?=[.)])""")
_FORWARDED: Final = re.compile(r"""export\s*\{([^}]*)\}\s*from\s*['"](\.[^'"]+)['"];?""")
_LISTED: Final = re.compile(r"export\s*\{([^}]*)\};?")
_DEFAULT: Final = re.compile(r"(?:^|(?<=[;}]))export default ", re.MULTILINE)
_DECLARED: Final = re.compile(r"^export ((?:async )?(?:const|function|class) ([\w$]+))", re.MULTILINE)
_LEFT: Final = re.compile(r"^\s*(?:export\b|import\s*[\w${'\"])", re.MULTILINE)


def bundled(modules: Mapping[str, str]) -> dict[str, str]:
    """The modules as they are served, by path: the first page's as BUNDLE, the others with their imports of it.

    modules: the text of each module by its path. Raises ValueError for one that cannot be read.
    """
    order = _in_order(modules)
    names = {path: f"m{number}" for number, path in enumerate(order)}
    parts = [_as_function(path, modules[path], names) for path in order]
    others = {path: _importing(path, text, names) for path, text in modules.items() if path not in names}
    return {BUNDLE: "\n".join(parts), **others}


def _in_order(modules: Mapping[str, str]) -> list[str]:
    """MAIN and all modules that it imports, ordered so that each module comes after those that it imports."""
    order: list[str] = []
    opened: list[str] = []

    def visit(path: str) -> None:
        if path in order:
            return
        if path in opened:
            raise ValueError(f"modules import each other: {' -> '.join([*opened[opened.index(path) :], path])}")
        opened.append(path)
        text = modules[path]
        for target in [match["path"] for match in _IMPORT.finditer(text)] + [m[2] for m in _FORWARDED.finditer(text)]:
            visit(_resolved(path, target))
        opened.pop()
        order.append(path)

    visit(MAIN)
    return order


def _as_function(path: str, text: str, names: Mapping[str, str]) -> str:
    """A module of the bundle: a constant that holds what it exports."""
    exported: dict[str, str] = {}

    def forward(match: re.Match[str]) -> str:
        source = names[_resolved(path, match[2])]
        exported.update({outer: f"{source}.{inner}" for inner, outer in _pairs(match[1])})
        return ""

    def listed(match: re.Match[str]) -> str:
        exported.update({outer: inner for inner, outer in _pairs(match[1])})
        return ""

    def declared(match: re.Match[str]) -> str:
        exported[match[2]] = match[2]
        return match[1]

    def default(match: re.Match[str]) -> str:
        del match
        exported["default"] = "$default"
        return "const $default="

    def imported(match: re.Match[str]) -> str:
        return _taken(match, names[_resolved(path, match["path"])])

    def loaded(match: re.Match[str]) -> str:
        return f"import('./{posixpath.relpath(_resolved(path, match[1]), posixpath.dirname(BUNDLE))}')"

    text = _FORWARDED.sub(forward, text)
    text = _LISTED.sub(listed, text)
    text = _DECLARED.sub(declared, text)
    text = _DEFAULT.sub(default, text)
    text = _DYNAMIC.sub(loaded, _IMPORT.sub(imported, text))
    if _LEFT.search(text):
        raise ValueError(f"{path}: an import or export is written as no other is")
    values = ",".join(f"{outer}:{inner}" for outer, inner in exported.items())
    return f"// {path}\nexport const {names[path]}=(()=>{{\n{text}\nreturn {{{values}}};\n}})();"


def _importing(path: str, text: str, names: Mapping[str, str]) -> str:
    """A module outside the bundle, with its imports of the bundle's modules taken from there."""
    bundle = posixpath.relpath(BUNDLE, posixpath.dirname(path))
    bundle = bundle if bundle.startswith(".") else f"./{bundle}"

    def imported(match: re.Match[str]) -> str:
        name = names.get(_resolved(path, match["path"]))
        return match[0] if name is None else f"import {{{name}}} from '{bundle}';{_taken(match, name)}"

    return _IMPORT.sub(imported, text)


def _taken(match: re.Match[str], name: str) -> str:
    """The names of an import statement, as a constant that is taken from the imported module's own names."""
    if match["default"] is not None:
        return f"const {match['default']}={name}.default;"
    if match["names"] is None:
        return ""
    return f"const {{{','.join(f'{outer}:{inner}' for outer, inner in _pairs(match['names']))}}}={name};"


def _pairs(names: str) -> list[tuple[str, str]]:
    """The names of a list in braces, each with the one that it has on the other side."""
    found = [part.split() for part in names.split(",") if part.strip()]
    return [(words[0], words[-1]) for words in found]


def _resolved(path: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
