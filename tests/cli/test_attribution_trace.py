"""`openrollup trace`: the spans, the colours, and the picture in the README, which is what the command makes today."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from attribution_precompile.influence import Corpus
from rollup.cli import main
from rollup.cli.demo_texts import load_data_set

ROOT = Path(__file__).resolve().parents[2]
MEDICAL, ANSWER = ROOT / "examples" / "medical", ROOT / "examples" / "answers" / "night-shift.txt"
PICTURE = ROOT / "docs" / "images" / "trace.svg"


def trace(*arguments: object, env: dict[str, str] | None = None, stdin: str | None = None) -> str:
    result = CliRunner().invoke(
        main, ["trace", *map(str, arguments), "--texts", str(MEDICAL)], env=env or {}, input=stdin
    )
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"COLUMNS": "40", "TERM": "dumb", "NO_COLOR": "1"},
        {"COLUMNS": "200", "TERM": "xterm", "FORCE_COLOR": "1", "COLORTERM": "truecolor", "TTY_COMPATIBLE": "1"},
    ],
)
def test_the_picture_of_the_command_page(tmp_path: Path, environment: dict[str, str]) -> None:
    """Rewrite it with: openrollup trace examples/answers/night-shift.txt --texts examples/medical --svg FILE"""
    file = tmp_path / "trace.svg"
    trace(ANSWER, "--svg", file, env=environment)
    assert file.read_text() == PICTURE.read_text()
    assert "(images/trace.svg)" in (ROOT / "docs" / "attribution-cli.md").read_text()
    # It asks nobody for anything.
    assert "url(" not in file.read_text().replace("url(#", "")


def test_spans_as_json_are_those_of_the_matcher() -> None:
    found = json.loads(trace(ANSWER, "--json"))
    answer = ANSWER.read_bytes()
    texts = load_data_set(MEDICAL)
    expected = Corpus(texts.documents(1)).trace(answer.decode())
    assert [(span["start"], span["end"]) for span in found["spans"]] == [(s.start, s.end) for s in expected.spans]
    assert found["evidence"] == "0x" + expected.evidence.hex()
    assert len(found["spans"]) == 7
    by_title = {text.title: text for text in texts.texts}
    for span in found["spans"]:
        assert answer[span["start"] : span["end"]].decode() == span["text"]
        quoted, whole = (" ".join(text.lower().split()) for text in (span["text"], by_title[span["title"]].content))
        assert quoted in whole
        assert by_title[span["title"]].address == span["contributor"]
    weights = {entry["contributor"]: entry["weight"] for entry in found["influence"]}
    assert set(weights) == {span["contributor"] for span in found["spans"]}
    assert max(weights.values()) == 2**32 - 1


def test_each_author_has_a_colour_and_a_number() -> None:
    shown = trace(ANSWER, env={"FORCE_COLOR": "1", "TTY_COMPATIBLE": "1", "COLORTERM": "truecolor", "COLUMNS": "300"})
    orange, blue = "\x1b[38;2;0;0;0;48;2;240;163;94m", "\x1b[38;2;0;0;0;48;2;125;183;232m"
    assert orange + "attention in the early morning hours falls to a level comparable with drinking," in shown
    assert blue + "with shock, each hour of delay of the right antibiotic is followed by more deaths" in shown
    plain = trace(ANSWER, env={"NO_COLOR": "1", "COLUMNS": "300"})
    assert "comparable with drinking,[1] so ask" in plain
    assert "more deaths[2]." in plain
    (row,) = [line for line in plain.splitlines() if "Devraj Holloway" in line]
    assert row.split()[:6] == ["2", "Devraj", "Holloway", "3", "52", "47.71"]


def test_an_answer_of_its_own_words_and_from_standard_input() -> None:
    shown = trace("-", stdin="Nothing of this was ever written by [bold]anybody[/] here. :smile:")
    assert "no span of this answer is in the texts" in shown
    assert "[bold]anybody[/] here. :smile:" in shown
    found = json.loads(trace("-", "--json", stdin="ein Fieber: fever may be missing, above all in the old. Übel."))
    assert [span["text"] for span in found["spans"]] == ["fever may be missing, above all in the old."]


def test_parameters_count() -> None:
    assert len(json.loads(trace(ANSWER, "--json", "--min-tokens", 18))["spans"]) < 7
    first, second = (json.loads(trace(ANSWER, "--json", "--datanet", number)) for number in (1, 2))
    assert first["spans"][0]["datanetId"] == 1
    assert [entry["datanetId"] for entry in second["influence"]] == [2, 2, 2]
    assert first["indexRoot"] != second["indexRoot"]


PARAPHRASE = "Low ferritin tells of empty iron stores long before the blood count shows anaemia."


def test_a_sentence_that_follows_a_text_is_shown_and_counted_with_related() -> None:
    shown = trace("-", stdin=PARAPHRASE)
    assert "% of its words are in Iron deficiency without anaemia" in shown
    assert "100 % of the answer follows a text without quoting it" in shown
    quotes = json.loads(trace("-", "--json", stdin=PARAPHRASE))
    related = json.loads(trace("-", "--json", "--related", stdin=PARAPHRASE))
    assert quotes["passages"] == related["passages"]
    (passage,) = related["passages"]
    assert (passage["text"], quotes["influence"]) == (PARAPHRASE, [])
    assert [item["contributor"] for item in related["influence"]] == [passage["contributor"]]
    assert quotes["evidence"] != related["evidence"]
    assert "In other words" not in trace("-", stdin="Nothing of this was ever written by anybody here.")
