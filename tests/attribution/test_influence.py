"""The span matcher against a matcher that looks everywhere, and its determinism."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution_precompile.influence import Corpus, Document, Parameters, tokenize

FOX = Document(1, 0xA1, "The quick brown fox jumps over the lazy dog.")
SEA = Document(1, 0xA2, "It was a bright cold day in April, and the clocks were striking thirteen.")
TWIN = Document(2, 0xA3, "Again: the quick brown fox jumps over the lazy dog!")


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


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(words, min_size=1, max_size=4), words, st.integers(1, 3), st.integers(1, 5))
def test_spans_are_those_of_a_naive_search(
    documents: list[list[str]], output: list[str], least: int, most: int
) -> None:
    corpus = Corpus([Document(1, i + 1, " ".join(document)) for i, document in enumerate(documents)])
    text = " ".join(output)
    spans = corpus._maximal_spans(tokenize(text), Parameters(least, most))
    # Tokens are one letter and one blank: byte positions are twice the token's number.
    assert {(s.start // 2, (s.end + 1) // 2, s.count) for s in spans} == naive(documents, output, least, most)


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
