"""YAML read with its line numbers, so that an error names the line and the field."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml

from rollup.inputs.text_files import FileTooLong, read_bytes

_Value = TypeVar("_Value")
_DIGITS = 40
_MAX_BYTES, _MAX_DEPTH = 16 * 2**20, 32


class FieldError(ValueError):
    """An error in a YAML file. The message has the file, the line and the field."""


@dataclass(slots=True, frozen=True)
class Field:
    """A node of a YAML file and its path, such as `price.per_call`."""

    file: str
    path: str
    node: yaml.Node

    def error(self, message: str) -> FieldError:
        """`file:line: path: message`"""
        where = f"{self.file}:{self.node.start_mark.line + 1}: "
        return FieldError(where + (f"{self.path}: " if self.path else "") + message)

    # ------------------------------------------------------------ mappings and lists
    def fields(self) -> "dict[str, Field]":
        """The fields of a mapping, by key. FieldError for anything else and for a key given twice."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.error(f"a mapping is expected, not {_what(self.node)}")
        found: dict[str, Field] = {}
        for key, value in self.node.value:
            name = str(key.value)
            if name in found:
                raise Field(self.file, self.path, key).error(f"{name!r} is given twice")
            found[name] = Field(self.file, f"{self.path}.{name}" if self.path else name, value)
        return found

    def only(self, *names: str) -> "dict[str, Field]":
        """The fields of the mapping. Raises FieldError for a key that is not one of `names`, usually a misspelling."""
        found = self.fields()
        for name, field in found.items():
            if name not in names:
                raise field.error(f"unknown field; known here: {', '.join(names)}")
        return found

    def items(self) -> "Iterator[Field]":
        """The elements of a list. FieldError for anything else."""
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.error(f"a list is expected, not {_what(self.node)}")
        for index, node in enumerate(self.node.value):
            yield Field(self.file, f"{self.path}[{index}]", node)

    def need(self, name: str) -> "Field":
        """One of a mapping's fields; FieldError when it is absent."""
        found = self.fields().get(name)
        if found is None:
            raise self.error(f"the field {name!r} is missing")
        return found

    # ------------------------------------------------------------ values
    def text(self) -> str:
        """A scalar as it is written."""
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.error(f"a single value is expected, not {_what(self.node)}")
        return str(self.node.value)

    def integer(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        text = self.text().replace("_", "")
        if not text.isascii() or not text.isdigit() or len(text) > _DIGITS:
            raise self.error(f"{self.text()!r} is not a whole number")
        if not low <= int(text) <= high:
            raise self.error(f"{text} is not from {low:,} to {high:,}")
        return int(text)

    def parsed(self, parse: Callable[[str], _Value]) -> _Value:
        """The result of `parse` for the field's text. A ValueError of `parse` becomes a FieldError."""
        try:
            return parse(self.text())
        except FieldError:
            raise
        except ValueError as error:
            raise self.error(str(error)) from error


class _Loader(yaml.SafeLoader):
    """Stops at deep nesting, for which PyYAML takes time that grows with the square of the depth."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Composes one node of the document, and through it those inside."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise yaml.composer.ComposerError(None, None, f"nested deeper than {_MAX_DEPTH}", self.get_mark())
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


def read_yaml(path: Path) -> Field:
    """The file's one document. FieldError when it cannot be read or is not YAML."""
    try:
        data = read_bytes(path, _MAX_BYTES)
    except FileTooLong as error:
        raise FieldError(str(error)) from error
    except OSError as error:
        raise FieldError(f"{path}: {error.strerror}") from error
    return parse_yaml(data, str(path))


def parse_yaml(data: bytes, name: str) -> Field:
    """The one document of a text; `name` is what errors call the text. FieldError when it is not YAML."""
    try:
        node = yaml.compose(data.decode(), Loader=_Loader)
    except UnicodeDecodeError as error:
        raise FieldError(f"{name}: not UTF-8: {error.reason} at byte {error.start}") from error
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise FieldError(f"{name}{line}: not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise FieldError(f"{name}: not YAML: {error}") from error
    if node is None:
        raise FieldError(f"{name}: the file is empty")
    return Field(name, "", node)


def _what(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    return "a list" if isinstance(node, yaml.SequenceNode) else "a single value"
