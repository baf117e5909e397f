"""Influence beyond quotes: the registered text that each sentence of an answer follows, by BM25 in integers.

Spans (`influence.py`) find what an answer repeats word for word. A paraphrase repeats little, but it uses the rare
words of its source. BM25 (Robertson and Zaragoza 2009, k1 = 1.2, b = 0.75) ranks the registered texts by the words
that they share with a sentence. The inverse document frequency is a binary logarithm with 16 fractional bits, and a
score is a sum of floored integer divisions. So the same input gives the same result on any machine.

A sentence follows the best text if the two share enough of the sentence's words, each counted by how rare it is. The
words of quotes do not count: they are paid for already.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from .influence import TOKENIZATION, Corpus, Document, Parameters, Span, Token, Trace, tokenize
from .signatures import keccak256

# Everything below that decides a result: a change of it is a new name.
RULE: Final = b"openrollup/bm25-sentences/1"

_MIN_LETTERS: Final = 3  # bytes of a word that counts
_MIN_WORDS: Final = 3  # different words, each in at most half of the texts, that a sentence shares with its text
_MIN_SHARE: Final = 4  # one quarter of the sentence's words, by their rarity
_ENDS: Final = frozenset((b".", b"!", b"?"))
_FRACTION: Final = 16  # bits of an inverse document frequency behind the binary point
_WORK: Final = 48  # bits behind the point while a logarithm is computed


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence of the output and the registered text that it follows.

    `start` and `end` are byte positions in the output's UTF-8, without quotes at its ends. `tokens` is the number of
    its tokens outside quotes, and `document` the index of the text. `shared` of `total` is how much of the sentence the
    text has, by the rarity of the words. `score` is comparable with a span's: a passage weighs at most half of a quote
    of the same length.
    """

    start: int
    end: int
    tokens: int
    document: int
    shared: int
    total: int
    score: int

    def encode(self) -> bytes:
        """The ABI encoding: seven words."""
        values = (self.start, self.end, self.tokens, self.document, self.shared, self.total, self.score)
        return b"".join([value.to_bytes(32, "big") for value in values])


class Relevance:
    """The registered texts, in order of registration, and which words each has."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._lengths: list[int] = []
        self._places: dict[bytes, list[tuple[int, int]]] = {}  # by word: documents, and how often each has it
        for number, document in enumerate(documents):
            words = Counter(_words(tokenize(document.text)))
            self._lengths.append(words.total())
            for word, count in words.items():
                self._places.setdefault(word, []).append((number, count))
        self._total = sum(self._lengths)

    def ranked(self, text: str, most: int) -> list[int]:
        """The texts that have most in common with `text`, best first; the earlier registered first among equals."""
        scores = self._scores(dict.fromkeys(_words(tokenize(text))))
        return sorted(scores, key=lambda document: (-scores[document], document))[:most]

    def passages(self, output: str, spans: Sequence[Span] = ()) -> tuple[Passage, ...]:
        """The sentences of `output` that follow a registered text. spans: its quotes, in order of position."""
        sentences = _sentences(tokenize(output), output.encode())
        free = ([token for token in sentence if not _is_quoted(token, spans)] for sentence in sentences)
        found = (self._passage(sentence) for sentence in free)
        return tuple(passage for passage in found if passage is not None)

    def _passage(self, sentence: Sequence[Token]) -> Passage | None:
        words = dict.fromkeys(_words(sentence))
        scores = self._scores(words)
        if not scores:
            return None
        best = min(scores, key=lambda document: (-scores[document], document))
        has = [word for word in words if any(document == best for document, _ in self._places.get(word, ()))]
        shared, total = sum(map(self._rarity, has)), sum(map(self._rarity, words))
        telling = sum(2 * len(self._places[word]) <= max(2, len(self._lengths)) for word in has)
        if telling < _MIN_WORDS or shared * _MIN_SHARE < total:
            return None
        count = len(sentence)
        score = (count << 64) * shared // (2 * total)
        return Passage(sentence[0].start, sentence[-1].end, count, best, shared, total, score)

    def _scores(self, words: Iterator[bytes] | dict[bytes, None]) -> dict[int, int]:
        """The BM25 score of each text that has one of the words."""
        scores: dict[int, int] = {}
        texts = len(self._lengths)
        for word in words:
            rarity = self._rarity(word)
            for document, count in self._places.get(word, ()):
                # idf * tf (k1 + 1) / (tf + k1 (1 - b + b length / average)), with k1 = 6/5, b = 3/4, over one fraction
                norm = 10 * count * self._total + 3 * self._total + 9 * self._lengths[document] * texts
                scores[document] = scores.get(document, 0) + rarity * 22 * count * self._total // norm
        return scores

    def _rarity(self, word: bytes) -> int:
        """The inverse document frequency: log2 of (texts + 1) / (texts with the word + 1/2)."""
        return _log2(2 * len(self._lengths) + 2, 2 * len(self._places.get(word, ())) + 1)


def with_passages(
    corpus: Corpus, trace: Trace, passages: Sequence[Passage], output: str, parameters: Parameters | None = None
) -> Trace:
    """A trace whose influence and evidence include passages as well as spans; the trace itself if there are none.

    parameters: those of the trace.
    """
    if not passages:
        return trace
    evidence = keccak256(
        b"".join([corpus.root, keccak256(TOKENIZATION), keccak256(RULE), (parameters or Parameters()).encode()])
        + keccak256(output.encode())
        + b"".join([*(span.encode() for span in trace.spans), *(passage.encode() for passage in passages)])
    )
    return Trace(trace.spans, corpus.influence_of((*trace.spans, *passages)), evidence)


def _words(tokens: Sequence[Token]) -> Iterator[bytes]:
    return (token.value for token in tokens if len(token.value) >= _MIN_LETTERS)


def _is_quoted(token: Token, spans: Sequence[Span]) -> bool:
    place = bisect_left(spans, token.end, key=lambda span: span.end)
    return place < len(spans) and spans[place].start <= token.start


def _sentences(tokens: Sequence[Token], data: bytes) -> Iterator[list[Token]]:
    """Runs of tokens that end with a line, or with a mark that a blank follows. The point of 3.5 does not end a
    sentence.
    """
    sentence: list[Token] = []
    for token in tokens:
        if sentence and b"\n" in data[sentence[-1].end : token.start]:
            yield sentence
            sentence = []
        sentence.append(token)
        if token.value in _ENDS and not data[token.end : token.end + 1].strip():
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def _log2(numerator: int, denominator: int) -> int:
    """The floor of the binary logarithm of a fraction of at least 1, times 2^16."""
    value = (numerator << _WORK) // denominator
    whole = value.bit_length() - 1 - _WORK
    value >>= whole
    result = whole
    for _ in range(_FRACTION):
        value = value * value >> _WORK
        bit = value >> (_WORK + 1)
        value >>= bit
        result = result << 1 | bit
    return result
