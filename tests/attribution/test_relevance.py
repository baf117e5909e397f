"""Influence beyond quotes: paraphrases are found, other sentences are not, and integers agree with BM25 in floats."""

import math
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution_precompile.influence import Corpus, Document, tokenize
from attribution_precompile.relevance import Relevance, _log2, with_passages
from rollup.cli.demo_texts import load_data_set

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TEXTS = load_data_set(EXAMPLES / "medical").documents(1)
ONE_UNIT = 1 << 16

# One for each text of the example, in its order, written without its sentences.
PARAPHRASES = (
    "To get an honest cuff reading, let the patient rest for some minutes with both feet flat and the bladder empty.",
    "A spoon of salt with sugar in clean water lets the gut take up water again, so a child need not dry out.",
    "Germs that survive a course of an antibiotic breed, and soon resistant strains are all that is left.",
    "When a face droops or an arm hangs, call the ambulance at once, since brain cells die by the minute in a stroke.",
    "In type 2 diabetes insulin still flows, but muscle and liver answer it badly; losing weight can bring remission.",
    "A vaccine shows the immune system a harmless piece of the germ, and memory cells remember it for years.",
    "Clean hands carry fewer infections between beds: alcohol rub for half a minute, soap for spores.",
    "Most people use their asthma inhaler wrongly, breathing in too fast so that the spray stays in the throat.",
    "Low ferritin tells of empty iron stores long before the blood count shows anaemia.",
    "Shift workers sleep badly by day; forward rotas, bright light and a nap before the night help the body clock.",
    "In sepsis the first hour counts: take cultures, give antibiotics, fluids, and measure lactate.",
    "Even sugar pills ease pain when the patient expects relief, and nocebo harms come from warnings.",
)
UNRELATED = (
    "The stock market fell by three percent on Monday after the central bank raised its rates.",
    "Preheat the oven and whisk the eggs with flour until the batter is smooth.",
    "The striker scored twice in the second half and the crowd sang until midnight.",
    "Compile the kernel with the new flags and reboot the machine before you run the tests.",
    "Her novel tells of two sisters who inherit a house at the sea and cannot agree what to do with it.",
    "The train to the coast leaves at eight from the platform behind the old station.",
    "A rollup posts its batches to the first layer and derives the blocks from there.",
    "The orchestra played the slow movement with great care and the hall was silent.",
    "Plant the tomatoes in May, water them in the evening and cut the lower leaves.",
    "The court held that the contract was void because the seller had not signed it.",
    "Saturn has rings of ice, and its largest moon has lakes of methane.",
    "Vote counting will last through the night, said the mayor of the town.",
)


def passages(output):
    return Relevance(TEXTS).passages(output, Corpus(TEXTS).trace(output).spans)


def test_eleven_of_twelve_paraphrases_are_credited_to_their_text_and_no_other():
    found = [[item.document for item in passages(text)] for text in PARAPHRASES]
    assert [rows for rows in found if rows] == [[number] for number, rows in enumerate(found) if rows]
    assert sum(map(bool, found)) == 11


def test_each_paraphrase_is_ranked_first_for_its_text():
    relevance = Relevance(TEXTS)
    assert [relevance.ranked(text, 1) for text in PARAPHRASES] == [[number] for number in range(12)]


@pytest.mark.parametrize("text", UNRELATED, ids=range(len(UNRELATED)))
def test_a_sentence_about_something_else_follows_no_text(text):
    assert passages(text) == ()


def test_the_words_of_quotes_do_not_count_again():
    quote = "Someone who works at night eats when the liver expects a fast and sleeps when the body is warming up."
    assert quote in TEXTS[9].text
    assert passages(quote) == ()
    output = f"{PARAPHRASES[8]} {quote} {PARAPHRASES[6]}"
    data = output.encode()
    # The quote begins with the mark before it, as the text does.
    found = [data[item.start : item.end].decode() for item in passages(output)]
    assert found == [PARAPHRASES[8].removesuffix("."), PARAPHRASES[6]]


def test_a_passage_weighs_at_most_half_of_a_quote_of_its_length():
    (found,) = passages(PARAPHRASES[8])
    assert 0 < found.shared < found.total
    assert found.score == (found.tokens << 64) * found.shared // found.total // 2


def test_both_rules_together_credit_both_contributors_and_change_the_evidence():
    corpus = Corpus(TEXTS)
    quoted = "attention in the early morning hours falls to a level comparable with drinking."
    output = f"{PARAPHRASES[8]} And {quoted}"
    trace = corpus.trace(output)
    blended = with_passages(corpus, trace, passages(output), output)
    who = {word & (1 << 160) - 1: word >> 160 & 0xFFFFFFFF for word in blended.influence}
    assert who == {
        TEXTS[9].contributor: 2**32 - 1,
        TEXTS[8].contributor: who[TEXTS[8].contributor],
    }
    assert 0 < who[TEXTS[8].contributor] < 2**31
    assert blended.spans == trace.spans
    assert blended.evidence != trace.evidence
    assert list(blended.influence) == sorted(set(blended.influence))
    assert with_passages(corpus, trace, (), output) is trace


def test_sentences_end_at_marks_before_a_blank_and_at_lines():
    text = (
        "Dose of warfarin is 3.5 milligrams daily for adults. Older adults need lower doses\nnobody knows why exactly?"
    )
    relevance = Relevance([Document(1, 1, text)])
    data = text.encode()
    assert [data[item.start : item.end].decode() for item in relevance.passages(text)] == [
        "Dose of warfarin is 3.5 milligrams daily for adults.",
        "Older adults need lower doses",
        "nobody knows why exactly?",
    ]


def test_empty_texts_give_no_passages():
    assert Relevance([]).passages("Anything that one can say about it.") == ()
    assert Relevance([]).ranked("anything", 3) == []
    assert Relevance(TEXTS).passages("") == ()
    assert Relevance([Document(1, 1, "!!! ?")]).passages("a b c d e f. !") == ()


def in_floats(documents, query):
    """BM25 as it is usually written, by floating point, with the same words and the same logarithm."""
    texts = [Counter(token.value for token in tokenize(item.text) if len(token.value) >= 3) for item in documents]
    average = sum(text.total() for text in texts) / len(texts)
    scores = []
    for text in texts:
        score = 0.0
        for word in {token.value for token in tokenize(query) if len(token.value) >= 3}:
            n = sum(word in other for other in texts)
            idf = math.log2(1 + (len(texts) - n + 0.5) / (n + 0.5))
            norm = 1.2 * (1 - 0.75 + 0.75 * text.total() / average)
            score += idf * text[word] * 2.2 / (text[word] + norm)
        scores.append(score)
    return scores


@pytest.mark.parametrize("query", [*PARAPHRASES, *UNRELATED], ids=range(24))
def test_integers_give_the_scores_that_floats_give(query):
    words = dict.fromkeys(token.value for token in tokenize(query) if len(token.value) >= 3)
    found = Relevance(TEXTS)._scores(words)
    expected = in_floats(TEXTS, query)
    for document, score in enumerate(expected):
        assert found.get(document, 0) / ONE_UNIT == pytest.approx(score, abs=len(words) * 3 / ONE_UNIT)


@given(st.integers(1, 2**64), st.integers(1, 2**64))
def test_the_logarithm_is_the_floor_of_the_real_one(one, other):
    numerator, denominator = max(one, other), min(one, other)
    real = math.log2(numerator) - math.log2(denominator)
    assert abs(_log2(numerator, denominator) / ONE_UNIT - real) < 2 / ONE_UNIT


def test_another_process_with_another_hash_seed_finds_the_same():
    code = (
        "import ast, sys;"
        "from attribution_precompile.influence import Corpus, Document;"
        "from attribution_precompile.relevance import Relevance, with_passages;"
        "rows, output = ast.literal_eval(sys.stdin.read());"
        "texts = [Document(*row) for row in rows];"
        "corpus = Corpus(texts); trace = corpus.trace(output);"
        "print(with_passages(corpus, trace, Relevance(texts).passages(output, trace.spans), output).evidence.hex())"
    )
    given = repr(([(text.datanet_id, text.contributor, text.text) for text in TEXTS], " ".join(PARAPHRASES)))
    found = subprocess.run(
        [sys.executable, "-c", code],
        input=given,
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "1"},
    )
    assert found.stdout.strip() == GOLDEN


GOLDEN = "c8787f49be56f7a2a5a597b9edaf7d7038e41ad348657d22e0012bd1e5a4487f"
