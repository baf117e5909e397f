"""A folder of texts by contributors, and for the demo the answers a model would give from them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from attribution_precompile.influence import Document
from rollup.cli.text_tables import SUFFIXES, TextTableError, read_text_table
from rollup.inputs.text_files import TextFileError, read_text_inside
from rollup.inputs.values import parse_address
from rollup.inputs.yaml_fields import Field, FieldError, read_yaml


@dataclass(slots=True, frozen=True)
class Text:
    """One registered text."""

    title: str
    contributor: str  # name
    address: str
    units: int
    content: str


@dataclass(slots=True, frozen=True)
class DataSet:
    """Texts by contributors: a folder with dataset.yaml (examples/medical), or the rows of a file."""

    name: str
    contributors: dict[str, str]  # name to address
    texts: list[Text]

    def documents(self, datanet_id: int) -> list[Document]:
        """The texts as the influence matcher wants them."""
        return [Document(datanet_id, int(text.address, 16), text.content) for text in self.texts]

    def answer(self, number: int) -> tuple[str, str]:
        """A question and an answer that quotes two of the texts. The same number gives the same result."""
        first = self.texts[number % len(self.texts)]
        second = self.texts[(number * 5 + 3) % len(self.texts)]
        quotes = [_sentence(first.content, number), _sentence(second.content, number // 2)]
        return f"{first.title}?", "In short: " + " ".join(dict.fromkeys(quotes))


def example_texts() -> Path:
    """The folder of the medical example: inside an installed package, or next to the packages in a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "examples" / "medical"
    return installed if installed.is_dir() else package.parent / "examples" / "medical"


def load_data_set(folder: Path) -> DataSet:
    """A folder's dataset.yaml and the texts it names, or a CSV or JSON lines file with a text in each row.

    ClickException names file, line and field.
    """
    if folder.suffix in SUFFIXES and not folder.is_dir():
        return _table(folder)
    index = folder if folder.suffix in (".yaml", ".yml") else folder / "dataset.yaml"
    try:
        root = read_yaml(index)
        contributors = {
            entry.need("name").text(): entry.need("address").parsed(parse_address)
            for entry in root.need("contributors").items()
        }
        texts = [_text(index.parent, entry, contributors) for entry in root.need("documents").items()]
        if not texts:
            raise root.need("documents").error("no texts")
        return DataSet(root.need("name").text(), dict(contributors), texts)
    except FieldError as error:
        raise click.ClickException(str(error)) from error


def _table(path: Path) -> DataSet:
    """A data set that is one file; it is called as the file is."""
    try:
        rows = read_text_table(path)
        contributors: dict[str, str] = {}
        for row in rows:
            known = contributors.get(row.contributor)
            if row.address is not None and known not in (None, row.address):
                raise TextTableError(f"{path}:{row.line}: {row.contributor!r} has another address further up")
            if row.address is not None:
                contributors[row.contributor] = row.address
        for row in rows:
            if row.contributor not in contributors:
                raise TextTableError(f"{path}:{row.line}: no row has an address of {row.contributor!r}")
    except TextTableError as error:
        raise click.ClickException(str(error)) from error
    texts = [Text(row.title, row.contributor, contributors[row.contributor], row.units, row.text) for row in rows]
    return DataSet(path.stem, contributors, texts)


def _text(folder: Path, entry: Field, contributors: Mapping[str, str]) -> Text:
    by = entry.need("contributor")
    if by.text() not in contributors:
        raise by.error(f"{by.text()!r} is not one of the contributors above")
    file = entry.need("file")
    try:
        content = read_text_inside(folder, file.text())
    except TextFileError as error:
        raise file.error(str(error)) from error
    units = entry.need("units").integer(1, 2**96 - 1)
    return Text(entry.need("title").text(), by.text(), contributors[by.text()], units, content)


def _sentence(content: str, number: int) -> str:
    sentences = [item.strip() for item in re.split(r"(?<=[.!?])\s+", content.replace("\n", " ")) if len(item) > 40]
    return sentences[number % len(sentences)]
