"""Language models of the Studio: a model answers a prompt from registered texts that are given to it.

Retrieve, then generate: the texts that have most in common with the prompt are put before it. So an answer that repeats
or follows one of them has a cause, and the trace finds what the model was given.
"""

from collections.abc import Sequence
from typing import Final, Protocol

MOST_TEXTS: Final = 3  # texts that a model is given with a prompt
MOST_CHARACTERS: Final = 6_000  # of all of them

_INSTRUCTION: Final = "Answer the question from the texts below, and keep their wording where it fits.\n\n"


class NoAnswer(Exception):
    """The model did not answer; the message says why."""


class LanguageModel(Protocol):
    """A model that can be asked."""

    @property
    def name(self) -> str:
        """The model's name on the page."""

    async def answer(self, messages: Sequence[dict[str, str]], most_tokens: int) -> str:
        """The text that follows the messages of a chat. Raises NoAnswer."""


def messages_for(prompt: str, texts: Sequence[str]) -> list[dict[str, str]]:
    """The messages of a chat: the texts, where there are any, and the prompt."""
    asked = [{"role": "user", "content": prompt}]
    if not texts:
        return asked
    return [{"role": "system", "content": _INSTRUCTION + "\n\n".join(texts)}, *asked]


def within_limit(texts: Sequence[str]) -> list[str]:
    """The first texts that have at most MOST_CHARACTERS together; the last of them may be cut."""
    kept: list[str] = []
    left = MOST_CHARACTERS
    for text in texts:
        if left <= 0:
            break
        kept.append(text[:left])
        left -= len(text)
    return kept
