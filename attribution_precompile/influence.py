"""Influence from text: finds the registered texts that an answer repeats, as an influence vector with evidence.

The method of infini-gram and OLMoTrace (Liu et al. 2024, 2025): A suffix array over the registered texts gives the
longest span at each position of the output. The maximal ones are kept if they have at least `min_tokens` tokens and
occur at most `max_count` times. A span scores `length * 2^64 // count`. Spans are taken in order of falling score, and
none may overlap an earlier one. Each goes to the earliest registered text that contains it.

Everything is integers and bytes, so the same input gives the same vector and evidence on any machine. This runs
off-chain: the chain sees the vector, and the evidence hash.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from .layout import MASK_32
from .ledger import MAX_WEIGHTS
from .signatures import keccak256
from .suffixes import END, UNKNOWN, SuffixArray

# ASCII words, case-folded; every other visible byte is a token of its own. UTF-8 bytes above 127 count as letters.
TOKENIZATION: Final = b"openrollup/ascii-fold-words/1"

_WORD: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_") | frozenset(range(128, 256))
_BLANK: Final = frozenset(range(33)) | {127}


@dataclass(frozen=True, slots=True)
class Token:
    """A normalised token and its position in the UTF-8 bytes of the text: [start, end)."""

    value: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Document:
    """A registered text: its DataNet, its contributor (an address as an integer) and its content."""

    datanet_id: int
    contributor: int
    text: str

    @property
    def content_hash(self) -> bytes:
        """keccak256 of the UTF-8 text: what `contribute` registers."""
        return keccak256(self.text.encode())


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of a span. Raises ValueError for fewer than one token or occurrence."""

    min_tokens: int = 4
    max_count: int = 10

    def __post_init__(self) -> None:
        if self.min_tokens < 1 or self.max_count < 1:
            raise ValueError("a span has at least one token and one occurrence")

    def encode(self) -> bytes:
        """The ABI encoding: two words."""
        return self.min_tokens.to_bytes(32, "big") + self.max_count.to_bytes(32, "big")


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the output that occurs in the corpus.

    `start` and `end` are byte positions in the output's UTF-8; `tokens` its length; `count` the number of its
    occurrences in the corpus; `document` the index of the earliest registered text that contains it; `score` is `tokens
    * 2^64 // count`.
    """

    start: int
    end: int
    tokens: int
    count: int
    document: int
    score: int

    def encode(self) -> bytes:
        """The ABI encoding: six words."""
        values = (self.start, self.end, self.tokens, self.count, self.document, self.score)
        return b"".join([value.to_bytes(32, "big") for value in values])


class Scored(Protocol):
    """A part of an answer that a registered text is credited with."""

    @property
    def document(self) -> int: ...
    @property
    def score(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Trace:
    """The result for one output: the spans in order of position, the influence words, the evidence hash."""

    spans: tuple[Span, ...]
    influence: tuple[int, ...]
    evidence: bytes


def tokenize(text: str) -> list[Token]:
    """Splits a text by the rules of TOKENIZATION. Control characters and blanks separate tokens and are dropped."""
    data = text.encode().lower()
    tokens: list[Token] = []
    start = -1
    for position, byte in enumerate(data):
        if byte in _WORD:
            if start < 0:
                start = position
            continue
        if start >= 0:
            tokens.append(Token(data[start:position], start, position))
            start = -1
        if byte not in _BLANK:
            tokens.append(Token(data[position : position + 1], position, position + 1))
    if start >= 0:
        tokens.append(Token(data[start:], start, len(data)))
    return tokens


class Corpus:
    """The registered texts, in order of registration, and the suffix array over them."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = tuple(documents)
        self._starts: list[int] = []
        self._vocabulary: dict[bytes, int] = {}
        corpus: list[int] = []
        for document in self.documents:
            self._starts.append(len(corpus))
            for token in tokenize(document.text):
                corpus.append(self._vocabulary.setdefault(token.value, len(self._vocabulary) + 1))
            corpus.append(END)
        self._suffixes = SuffixArray(corpus)

    @property
    def root(self) -> bytes:
        """A commitment to the texts in order: keccak256 over (datanetId, contributor, content hash) words."""
        rows = [
            document.datanet_id.to_bytes(32, "big") + document.contributor.to_bytes(32, "big") + document.content_hash
            for document in self.documents
        ]
        return keccak256(b"".join(rows))

    def trace(self, output: str, parameters: Parameters | None = None) -> Trace:
        """Finds the spans of `output`, their contributors, and the resulting influence vector.

        The weight of a pair of DataNet and contributor is its score scaled to 32 bits. Only the best 32 pairs are kept;
        among equals the one registered first wins. Without a span the vector is empty, and the model's default weights
        apply.
        """
        chosen = parameters or Parameters()
        spans = _without_overlap(self._maximal_spans(tokenize(output), chosen))
        evidence = keccak256(
            b"".join([self.root, keccak256(TOKENIZATION), chosen.encode(), keccak256(output.encode())])
            + b"".join([span.encode() for span in spans])
        )
        return Trace(tuple(spans), self.influence_of(spans), evidence)

    def _maximal_spans(self, tokens: list[Token], parameters: Parameters) -> list[Span]:
        numbers = [self._vocabulary.get(token.value, UNKNOWN) for token in tokens]
        return [
            self._span(tokens, first, last, low, high)
            for first, last, low, high in self._suffixes.matches(numbers)
            if last - first >= parameters.min_tokens and high - low <= parameters.max_count
        ]

    def _span(self, tokens: list[Token], first: int, last: int, low: int, high: int) -> Span:
        position = min(self._suffixes.positions(low, high))
        document = bisect_right(self._starts, position) - 1
        length, count = last - first, high - low
        return Span(tokens[first].start, tokens[last - 1].end, length, count, document, (length << 64) // count)

    def influence_of(self, spans: Sequence[Scored]) -> tuple[int, ...]:
        """The influence words for parts of an answer, each with its text and its score."""
        scores: dict[tuple[int, int], int] = {}
        earliest: dict[tuple[int, int], int] = {}
        for span in spans:
            document = self.documents[span.document]
            key = (document.datanet_id, document.contributor)
            scores[key] = scores.get(key, 0) + span.score
            earliest[key] = min(earliest.get(key, span.document), span.document)
        if not scores:
            return ()
        best = sorted(scores, key=lambda key: (-scores[key], earliest[key]))[:MAX_WEIGHTS]
        top = scores[best[0]]
        return tuple(
            datanet_id << 192 | max(1, scores[datanet_id, who] * MASK_32 // top) << 160 | who
            for datanet_id, who in sorted(best)
        )


def _without_overlap(spans: Sequence[Span]) -> list[Span]:
    """The best spans without overlaps: by score, then by registration, then by position."""
    taken: list[Span] = []
    for span in sorted(spans, key=lambda span: (-span.score, span.document, span.start)):
        place = bisect_left(taken, span.start, key=lambda other: other.start)
        free_before = not place or taken[place - 1].end <= span.start
        if free_before and (place == len(taken) or span.end <= taken[place].start):
            taken.insert(place, span)
    return taken
