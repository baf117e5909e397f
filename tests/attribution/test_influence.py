"""The span matcher against a matcher that looks everywhere, and its determinism."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution_precompile.influence import Corpus, Document, Parameters, tokenize

FOX = Document(1, 0xA1, "The quick brown fox jumps over the lazy dog.")
SEA = Document(1, 0xA2, "It was a bright cold day in April, and the clocks were striking thirteen.")
TWIN = Document(2, 0xA3, "Again: the quick brown fox jumps over the lazy dog!")
GOLDEN_INFLUENCE = [
    "0x15b6db6db00000000000000000000000000000000000000a1",
    "0x1ffffffff00000000000000000000000000000000000000a2",
]
GOLDEN_EVIDENCE = "84ed228135cd59c288dda26d033635fa30a2e3cedb07726c4bf14bf4b9ff3f69"


def test_an_answer_made_of_two_texts_pays_both_by_length() -> None:
    corpus = Corpus([FOX, SEA])
    output = "They say the quick brown fox jumps, while the clocks were striking thirteen."
    trace = corpus.trace(output)
    assert [output.encode()[span.start : span.end].decode() for span in trace.spans] == [
        "the quick brown fox jumps",
        "the clocks were striking thirteen.",
    ]
    assert [(span.tokens, span.count, span.document) for span in trace.spans] == [(5, 1, 0), (6, 1, 1)]
    words = [(word >> 192, word & (1 << 160) - 1, word >> 160 & 0xFFFFFFFF) for word in trace.influence]
    assert words == [(1, 0xA1, (2**32 - 1) * 5 // 6), (1, 0xA2, 2**32 - 1)]


def test_the_earliest_registration_wins_a_tie() -> None:
    output = "the quick brown fox jumps over the lazy dog"
    for corpus, document in ((Corpus([FOX, TWIN]), 0), (Corpus([SEA, TWIN, FOX]), 1)):
        (span,) = corpus.trace(output).spans
        assert (span.document, span.count, span.score) == (document, 2, (9 << 64) // 2)


def test_rules_of_length_and_frequency() -> None:
    corpus = Corpus([FOX, SEA, TWIN])
    assert corpus.trace("the lazy cat").influence == ()
    assert len(corpus.trace("the lazy cat", Parameters(min_tokens=2)).spans) == 1
    assert corpus.trace("quick brown fox jumps", Parameters(max_count=1)).spans == ()
    assert corpus.trace("").spans == ()
    assert Corpus([]).trace("the quick brown fox jumps").influence == ()
    with pytest.raises(ValueError, match="at least one"):
        Parameters(min_tokens=0)


def test_tokens_are_whole_and_case_is_folded() -> None:
    values = [token.value for token in tokenize("Ünïcode, isn't\tTWO-faced\n\x1f\x1e")]
    assert values == ["Ünïcode".encode().lower(), b",", b"isn", b"'", b"t", b"two", b"-", b"faced"]
    corpus = Corpus([Document(1, 1, "alpha beta gamma delta")])
    assert corpus.trace("alph beta gamma delt", Parameters(min_tokens=1)).spans[0].tokens == 2
    # A span never runs from one text into the next.
    corpus = Corpus([Document(1, 1, "one two"), Document(1, 2, "three four")])
    assert [span.tokens for span in corpus.trace("one two three four", Parameters(min_tokens=1)).spans] == [2, 2]


def test_at_most_32_entries_the_best_first() -> None:
    documents = [Document(1, 100 + i, f"w{i}a w{i}b w{i}c w{i}d" + (" more" * (i == 39))) for i in range(40)]
    output = " ; ".join(document.text for document in documents)
    trace = Corpus(documents).trace(output)
    contributors = [word & (1 << 160) - 1 for word in trace.influence]
    assert contributors == [*range(100, 131), 139]


def naive(documents: list[list[str]], output: list[str], least: int, most: int) -> set[tuple[int, int, int]]:
    """Maximal matches as (first token, last token, count), by looking everywhere."""
    found: dict[int, tuple[int, int]] = {}
    for first in range(len(output)):
        for last in range(len(output), first, -1):
            wanted = output[first:last]
            count = sum(document[i : i + len(wanted)] == wanted for document in documents for i in range(len(document)))
            if count:
                found[first] = (last, count)
                break
    return {
        (first, last, count)
        for first, (last, count) in found.items()
        if last - first >= least
        and count <= most
        and not any(f < first and end >= last for f, (end, _) in found.items())
    }


words = st.lists(st.sampled_from(["a", "b", "c"]), max_size=12)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.lists(words, min_size=1, max_size=4), words, st.integers(1, 3), st.integers(1, 5))
def test_spans_are_those_of_a_naive_search(
    documents: list[list[str]], output: list[str], least: int, most: int
) -> None:
    corpus = Corpus([Document(1, i + 1, " ".join(document)) for i, document in enumerate(documents)])
    text = " ".join(output)
    spans = corpus._maximal_spans(tokenize(text), Parameters(least, most))
    # Tokens are one letter and one blank: byte positions are twice the token's number.
    assert {(s.start // 2, (s.end + 1) // 2, s.count) for s in spans} == naive(documents, output, least, most)


def naive_trace(
    documents: list[tuple[int, int, list[str]]], output: list[str], least: int, most: int
) -> tuple[list[tuple[int, int, int, int]], list[int]]:
    """Spans taken as (first, last, count, document), and the influence words, by the words of the module alone."""
    texts = [text for _, _, text in documents]
    found = []
    for first, last, count in naive(texts, output, least, most):
        wanted = output[first:last]
        holders = [
            index
            for index, text in enumerate(texts)
            if any(text[i : i + len(wanted)] == wanted for i in range(len(text)))
        ]
        found.append((-(((last - first) << 64) // count), min(holders), first, last, count))
    taken: list[tuple[int, int, int, int]] = []
    scores: dict[tuple[int, int], int] = {}
    for score, holder, first, last, count in sorted(found):
        if all(last <= f or first >= end for f, end, _, _ in taken):
            taken.append((first, last, count, holder))
            key = documents[holder][:2]
            scores[key] = scores.get(key, 0) - score
    top = max(scores.values(), default=1)
    return sorted(taken), [
        datanet << 192 | max(1, scores[datanet, who] * (2**32 - 1) // top) << 160 | who
        for datanet, who in sorted(scores)
    ]


registered = st.tuples(st.integers(1, 3), st.integers(1, 3), words)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.lists(registered, max_size=5), words, st.integers(1, 3), st.integers(1, 9))
def test_the_whole_trace_is_that_of_a_naive_search(
    documents: list[tuple[int, int, list[str]]], output: list[str], least: int, most: int
) -> None:
    """Earliest registration, scores, overlaps and the vector too."""
    corpus = Corpus([Document(datanet, who, " ".join(text)) for datanet, who, text in documents])
    trace = corpus.trace(" ".join(output), Parameters(least, most))
    spans = [(s.start // 2, (s.end + 1) // 2, s.count, s.document) for s in trace.spans]
    assert (spans, list(trace.influence)) == naive_trace(documents, output, least, most)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.lists(st.text(max_size=30), max_size=4), st.text(max_size=60), st.integers(1, 4))
def test_any_text_at_all(texts: list[str], output: str, least: int) -> None:
    """Whatever unicode: spans lie within the output, in order and apart, and at the stated places."""
    texts = [text for text in texts if text.isprintable() or text.isascii()]
    corpus = Corpus([Document(1, index + 1, text) for index, text in enumerate([*texts, output])])
    trace = corpus.trace(output, Parameters(least, 100))
    data, end = output.encode(), 0
    for span in trace.spans:
        assert end <= span.start < span.end <= len(data)
        end = span.end
        wanted = [token.value for token in tokenize(data[span.start : span.end].decode())]
        assert len(wanted) == span.tokens
        there = [token.value for token in tokenize(corpus.documents[span.document].text)]
        assert any(there[i : i + len(wanted)] == wanted for i in range(len(there)))
    assert bool(trace.spans) == (len(tokenize(output)) >= least)


def test_a_lone_surrogate_is_not_text() -> None:
    with pytest.raises(UnicodeEncodeError):
        Corpus([]).trace("\ud800")


def test_documents_of_one_byte_and_without_words_are_traced() -> None:
    corpus = Corpus([Document(1, 1, "a"), Document(1, 2, "!"), Document(1, 3, ""), Document(1, 4, "\0\n ")])
    one = Parameters(1, 10)
    assert [(span.document, span.count) for span in corpus.trace("A", one).spans] == [(0, 1)]
    assert [(span.start, span.document) for span in corpus.trace(" !", one).spans] == [(1, 1)]
    assert corpus.trace("\0", one).spans == ()


MEGABYTE = 2**20


@pytest.mark.parametrize("pattern", ["a", "a ", ".", "ab\n", "a b c "])
def test_the_same_letter_again_and_again(pattern: str) -> None:
    """A hundredth of a megabyte, and half of it: time by the length, whatever repeats. The whole one is slow."""
    assert_in_time(pattern, MEGABYTE // 100, 3)


@pytest.mark.slow
@pytest.mark.parametrize("pattern", ["a", "a ", ".", "ab\n", "a b c "])
def test_a_megabyte_of_the_same_letter(pattern: str) -> None:
    assert_in_time(pattern, MEGABYTE, 200)


def assert_in_time(pattern: str, length: int, seconds: float) -> None:
    half, whole = pattern * (length // 2 // len(pattern)), pattern * (length // len(pattern))
    started = time.process_time()
    for texts, output in (([half], whole), ([whole], half), ([half, whole], whole), ([half + " x " + half], whole)):
        corpus = Corpus([Document(1, index + 1, text) for index, text in enumerate(texts)])
        trace = corpus.trace(output, Parameters(1, 10**9))
        assert trace.spans or (pattern == "a" and output not in texts)
    assert time.process_time() - started < seconds


def test_many_spans_apart() -> None:
    """Each its own: what is taken is looked through by halves, not one by one."""
    pieces = [f"n{i} is a number {i}" for i in range(3_000)]
    corpus = Corpus([Document(1 + i % 7, i + 1, piece) for i, piece in enumerate(pieces)])
    started = time.process_time()
    trace = corpus.trace(" ; ".join(reversed(pieces)))
    assert len(trace.spans) == 3_000
    assert len(trace.influence) == 32
    assert time.process_time() - started < 5


PROGRAM = """
from attribution_precompile.influence import Corpus, Document
texts = [f"number {i} is followed by number {i + 1} and by number {i * i}" for i in range(200)]
corpus = Corpus([Document(1 + i % 3, 1000 + i % 17, text) for i, text in enumerate(texts)])
trace = corpus.trace(" and then ".join(texts[::9]))
print(trace.evidence.hex(), [hex(word) for word in trace.influence], len(trace.spans))
"""


def test_the_same_bytes_whatever_the_seed_and_thread_count() -> None:
    root = str(Path(__file__).resolve().parents[2])
    answers = set()
    for seed, threads in (("0", "1"), ("7", "2"), ("99", "8")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": threads, "PYTHONPATH": root}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
        )
        answers.add(done.stdout)
    assert len(answers) == 1


def test_the_same_bytes_on_every_machine() -> None:
    """Written down once: another machine, or a later version of the matcher, gives these bytes or is wrong."""
    trace = Corpus([FOX, SEA, TWIN]).trace("The QUICK brown fox jumps; bright cold day in April, and so on.")
    assert [hex(word) for word in trace.influence] == GOLDEN_INFLUENCE
    assert trace.evidence.hex() == GOLDEN_EVIDENCE


def test_evidence_binds_everything() -> None:
    output = "the quick brown fox jumps over the lazy dog"
    base = Corpus([FOX, SEA]).trace(output)
    others = [
        Corpus([FOX]).trace(output),
        Corpus([SEA, FOX]).trace(output),
        Corpus([FOX, SEA]).trace(output, Parameters(3, 10)),
        Corpus([FOX, SEA]).trace(output + " "),
        Corpus([Document(2, 0xA1, FOX.text), SEA]).trace(output),
    ]
    assert len({base.evidence, *(other.evidence for other in others)}) == 6
    assert Corpus([FOX, SEA]).trace(output) == base
