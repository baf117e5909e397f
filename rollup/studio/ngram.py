"""An n-gram model over a corpus: each next token is drawn from what follows the longest ending that the corpus has.

The method of infini-gram (Liu et al. 2024) with a bound on the ending, so that a small corpus is not only read aloud.
The answer is text of the corpus's own, so that every span has an author. Drawing is by integers from a seed: the same
corpus, prompt and seed give the same answer on any machine. This is not a language model, and is labelled so.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from attribution_precompile.influence import Document, Token, tokenize
from rollup.protocol.primitives import keccak256

MAX_TOKENS: Final = 400
_LONGEST: Final = 8  # tokens of an ending that is looked up
_TURN_AFTER: Final = 24  # tokens taken from one place before a shorter ending may lead elsewhere
_SHORT: Final = 3
_ENDS: Final = (b".", b"!", b"?")


@dataclass(slots=True, frozen=True)
class _Place:
    """A token of the corpus: which document it is in, and where in that document's tokens."""

    document: int
    index: int


class NgramModel:
    """Made once for a corpus, and asked many times."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._data = [item.text.encode() for item in documents]
        self._tokens = [tokenize(item.text) for item in documents]
        self._after: dict[tuple[bytes, ...], list[_Place]] = defaultdict(list)
        self._found_in: Counter[bytes] = Counter()
        for number, tokens in enumerate(self._tokens):
            values = [token.value for token in tokens]
            self._found_in.update(set(values))
            for index in range(len(values)):
                for length in range(1, min(_LONGEST, index) + 1):
                    self._after[tuple(values[index - length : index])].append(_Place(number, index))

    def answer(self, prompt: str, seed: int, most: int) -> str:
        """At most `most` tokens that continue what the prompt asks about; it ends at the end of a sentence. Empty
        where the corpus is."""
        start = self._start([token.value for token in tokenize(prompt)], seed)
        if start is None:
            return ""
        places = [start]
        since_turn = 0
        while len(places) < most:
            here = self._next(places, seed, since_turn >= _TURN_AFTER)
            if here is None:
                break
            since_turn = since_turn + 1 if here.index == places[-1].index + 1 else 0
            places.append(here)
        return self._written(self._to_last_sentence(places))

    def _start(self, prompt: Sequence[bytes], seed: int) -> _Place | None:
        """The sentence that shares the most of the prompt's rare words; the seed decides among the best."""
        sentences = [place for number in range(len(self._tokens)) for place in self._sentences(number)]
        if not sentences:
            return None
        wanted = {word for word in prompt if self._found_in[word] and len(word) > 2}

        def score(place: _Place) -> int:
            tokens = self._tokens[place.document][place.index : place.index + 40]
            shared = wanted & {token.value for token in tokens}
            return sum((len(self._tokens) << 16) // self._found_in[word] for word in shared)

        ranked = sorted(sentences, key=lambda place: (-score(place), place.document, place.index))
        best = [place for place in ranked if score(place) == score(ranked[0])]
        return best[_drawn(seed, 0, len(best))]

    def _sentences(self, document: int) -> list[_Place]:
        tokens = self._tokens[document]
        firsts = [0] + [index + 1 for index, token in enumerate(tokens) if token.value in _ENDS]
        return [_Place(document, index) for index in firsts if index + 1 < len(tokens)]

    def _next(self, places: Sequence[_Place], seed: int, may_turn: bool) -> _Place | None:
        """Where the next token is taken from: a place behind the longest ending, or behind a short one at a turn."""
        values = [self._token(place).value for place in places[-_LONGEST:]]
        is_turn = may_turn and values[-1] in _ENDS
        longest = min(_SHORT if may_turn else _LONGEST, len(values))
        if is_turn:
            longest = 1
        for length in range(longest, 0, -1):
            found = self._after.get(tuple(values[-length:]))
            if found:
                return found[_drawn(seed, len(places), len(found))]
        return None

    def _token(self, place: _Place) -> Token:
        return self._tokens[place.document][place.index]

    def _to_last_sentence(self, places: list[_Place]) -> list[_Place]:
        ends = [index for index, place in enumerate(places) if self._token(place).value in _ENDS]
        return places[: ends[-1] + 1] if ends else places

    def _written(self, places: Sequence[_Place]) -> str:
        """The tokens as their documents write them, with the blanks before each."""
        parts: list[bytes] = []
        for place in places:
            token, data = self._token(place), self._data[place.document]
            before = self._tokens[place.document][place.index - 1].end if place.index else token.start
            gap = b" " if token.start > before else b""
            parts.append((gap if parts else b"") + data[token.start : token.end])
        return b"".join(parts).decode()


def _drawn(seed: int, step: int, count: int) -> int:
    """An index below `count` that only the arguments decide."""
    digest = keccak256(seed.to_bytes(32, "big") + step.to_bytes(32, "big"))
    return int.from_bytes(digest, "big") % count
