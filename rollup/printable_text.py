"""Foreign text made printable: a file, a model's answer or a node's message may hold terminal commands.

The commands show it through rollup/cli/safe_text.py, log lines through the processors below.
"""

import traceback
import unicodedata
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, Final, TextIO

# They change the order in which the text around them is shown, or hide text.
_REORDERING: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\u00ad")
_KEPT: Final = frozenset("\n\t")


def printable(text: str) -> str:
    """The text with every character that a terminal would act on, or XML forbids, as an escape like `\\x1b`.

    >>> printable("one \\x1b[2J two")
    'one \\\\x1b[2J two'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(character) if _is_unsafe(character) else character for character in text)


def _is_unsafe(character: str) -> bool:
    if character in _KEPT:
        return False
    point = ord(character)
    # Controls, surrogates, line and paragraph separators; tag characters; code points that are not characters.
    return (
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or character in _REORDERING
        or 0xE0000 <= point <= 0xE007F
        or point & 0xFFFE == 0xFFFE
    )


def _escaped(character: str) -> str:
    point = ord(character)
    if point < 0x100:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def printable_values(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: every value becomes printable text of one line, except tracebacks, which have lines."""
    del logger, method
    return {printable(name): value if name == "exc_info" else _log_value(name, value) for name, value in event.items()}


def write_traceback(file: TextIO, exc_info: tuple[type[BaseException], BaseException, TracebackType | None]) -> None:
    """A structlog exception formatter: Python's own traceback, printable, without the values of variables."""
    file.write("\n" + printable("".join(traceback.format_exception(*exc_info))).rstrip())


def _log_value(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = printable(value if isinstance(value, str) else repr(value))
    return text if name in ("exception", "stack") else text.replace("\n", "\\n")
