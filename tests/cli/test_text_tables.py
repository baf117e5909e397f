"""Texts from CSV and JSON lines files: the same data set as the folder, and errors with file, line and column."""

import csv
import json
from pathlib import Path

import click
import pytest

from rollup.cli.demo_texts import DataSet, load_data_set

MEDICAL = Path(__file__).resolve().parents[2] / "examples" / "medical"
LUCIA = "0xDf37F81dAAD2b0327A0A50003740e1C935C70913"
COLUMNS = ["title", "contributor", "address", "units", "text"]


def rows_of(data: DataSet) -> list[dict[str, str]]:
    return [
        {
            "title": text.title,
            "contributor": text.contributor,
            "address": text.address,
            "units": str(text.units),
            "text": text.content,
        }
        for text in data.texts
    ]


def written(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="") as file:
        if path.suffix == ".csv":
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        else:
            file.writelines(json.dumps(row) + "\n" for row in rows)
    return path


@pytest.mark.parametrize("name", ["medical.csv", "medical.jsonl"])
def test_a_file_gives_the_texts_of_the_folder_byte_for_byte(tmp_path: Path, name: str) -> None:
    folder = load_data_set(MEDICAL)
    found = load_data_set(written(tmp_path / name, rows_of(folder)))
    assert (found.texts, found.name) == (folder.texts, "medical")
    used = {text.contributor for text in folder.texts}
    assert found.contributors == {who: at for who, at in folder.contributors.items() if who in used}


def test_units_titles_and_repeated_addresses_may_be_left_out(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text(f'\ufefftext,contributor,address\n"Two\nlines, quoted",Lucia,{LUCIA}\nMore,Lucia,\n')
    found = load_data_set(file)
    assert [(text.title, text.units, text.content, text.address) for text in found.texts] == [
        ("Two lines, quoted", 1, "Two\nlines, quoted", LUCIA),
        ("More", 1, "More", LUCIA),
    ]
    lines = tmp_path / "t.jsonl"
    lines.write_text(
        json.dumps({"text": "A", "contributor": "Lucia", "address": LUCIA, "units": 2, "title": None}) + "\n\n"
    )
    assert [(text.title, text.units) for text in load_data_set(lines).texts] == [("A", 2)]


def test_a_contributor_may_be_an_address_and_other_columns_are_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    file.write_text(json.dumps({"text": "A", "contributor": LUCIA, "note": "mine", "language": "en"}) + "\n")
    assert [(text.contributor, text.address) for text in load_data_set(file).texts] == [(LUCIA, LUCIA)]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.csv", "", "t.csv: no texts"),
        ("t.csv", "text,contributor\n", "t.csv: no texts"),
        ("t.csv", "text,text\na,b\n", "t.csv:1: a column is there twice"),
        ("t.csv", "text,contributor\na\n", "t.csv:2: 2 fields are expected"),
        ("t.csv", "text,contributor\na,b,c\n", "t.csv:2: 2 fields are expected"),
        ("t.csv", 'text,contributor\n"a,b\n', "not CSV"),
        ("t.csv", "text,contributor,unit\na,b,3\n", "t.csv:2: unknown column 'unit'; is it 'units'?"),
        ("t.jsonl", '{"text": "\\ud800", "contributor": "L"}\n', "t.jsonl:1: "),
        ("t.csv", f'text,contributor,address\n"x\ny",Lucia,{LUCIA}\n,Lucia,\n', "t.csv:4: text: a text is expected"),
        ("t.csv", "text,contributor,address\na,Lucia,0x12\n", "t.csv:2: address: '0x12' is not an address"),
        ("t.csv", "text,contributor\na,Lucia\n", "t.csv:2: no row has an address of 'Lucia'"),
        (
            "t.csv",
            f"text,contributor,address\na,Lucia,{LUCIA}\nb,Lucia,0x{'11' * 20}\n",
            "t.csv:3: 'Lucia' has another address further up",
        ),
        ("t.csv", f"text,contributor,address,units\na,Lucia,{LUCIA},0\n", "t.csv:2: units: '0' is not a whole number"),
        ("t.csv", f"text,contributor,address,units\na,Lucia,{LUCIA},1.5\n", "t.csv:2: units: '1.5' is not"),
        ("t.jsonl", "{\n", "t.jsonl:1: not JSON"),
        ("t.jsonl", "[1]\n", "t.jsonl:1: an object is expected"),
        ("t.jsonl", "\n" + "[" * 100_000 + "\n", "t.jsonl:2: not JSON"),
        ("t.jsonl", '{"text": 5, "contributor": "L"}\n', "t.jsonl:1: text: a text is expected"),
        ("t.jsonl", '{"text": "a", "contributor": "L", "units": true}\n', "t.jsonl:1: units: True is not"),
    ],
)
def test_an_error_names_the_cause_with_file_and_line(tmp_path: Path, name: str, content: str, words: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(click.ClickException) as caught:
        load_data_set(tmp_path / name)
    assert words in str(caught.value)


def test_a_missing_file_and_foreign_bytes_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(click.ClickException, match=r"none\.csv: No such file"):
        load_data_set(tmp_path / "none.csv")
    (tmp_path / "bytes.csv").write_bytes(b"text,contributor\n\xff,b\n")
    with pytest.raises(click.ClickException, match="not UTF-8"):
        load_data_set(tmp_path / "bytes.csv")
