"""Foreign text made safe to show: a file, a model's answer or a node's message may hold terminal commands."""

import unicodedata
from collections.abc import Iterable
from typing import Any, Final

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

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
    # Controls, surrogates, line and paragraph separators; tag characters; code points that are no characters.
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


class SafeConsole(Console):
    """A rich console that shows all text through `printable`; colours and layout are its own, so they stay."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of a renderable, their text made safe."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)


def safe_console(**options: Any) -> SafeConsole:
    """The console of every command: no guesses at what a number means, and long lines are the terminal's business."""
    return SafeConsole(**{"highlight": False, "soft_wrap": True} | options)
