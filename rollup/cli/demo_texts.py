"""The demo's texts and contributors, and the answers a model would give from them."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import yaml

from attribution_precompile.influence import Document


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
    """A folder of texts by contributors (examples/medical/dataset.yaml)."""

    name: str
    contributors: dict[str, str]  # name to address
    texts: list[Text]

    def documents(self, datanet_id: int) -> list[Document]:
        """The texts as the influence matcher wants them."""
        return [Document(datanet_id, int(text.address, 16), text.content) for text in self.texts]

    def answer(self, number: int) -> tuple[str, str]:
        """A question and an answer that quotes two of the texts; the same number gives the same."""
        first = self.texts[number % len(self.texts)]
        second = self.texts[(number * 5 + 3) % len(self.texts)]
        quotes = [_sentence(first.content, number), _sentence(second.content, number // 2)]
        return f"{first.title}?", "In short: " + " ".join(dict.fromkeys(quotes))


def load_data_set(folder: Path) -> DataSet:
    """Reads dataset.yaml and the texts it names; raises ClickException."""
    index = folder / "dataset.yaml"
    try:
        data = yaml.safe_load(index.read_text())
        contributors = {entry["name"]: entry["address"] for entry in data["contributors"]}
        texts = [_text(folder, entry, contributors) for entry in data["documents"]]
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from error
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise click.ClickException(f"{index}: not a data set: {error!r}") from error
    return DataSet(data["name"], contributors, texts)


def _text(folder: Path, entry: dict[str, Any], contributors: dict[str, str]) -> Text:
    name = entry["contributor"]
    content = (folder / entry["file"]).read_text()
    return Text(entry["title"], name, contributors[name], int(entry["units"]), content)


def _sentence(content: str, number: int) -> str:
    sentences = [item.strip() for item in re.split(r"(?<=[.!?])\s+", content.replace("\n", " ")) if len(item) > 40]
    return sentences[number % len(sentences)]
