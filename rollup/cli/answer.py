"""One answer of a model as the commands take it: sizes, hashes, and whose work is in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from attribution_precompile.client import ZERO_HASH, AttributionClient, Influence, encode_influence
from attribution_precompile.influence import Corpus, Document, Parameters, Trace, tokenize
from attribution_precompile.relevance import Passage, Relevance, with_passages
from rollup.cli.attribution_history import History
from rollup.cli.attribution_values import HASH, INFLUENCE, UINT32
from rollup.cli.demo_texts import DataSet, load_data_set
from rollup.inputs.text_files import TextFileError, read_text
from rollup.protocol.primitives import keccak256

_Command = TypeVar("_Command", bound=Callable[..., Any])
_NO_TRACE: Final = "--texts and --output go together: the texts a span may come from, and the answer"


@dataclass(slots=True, frozen=True)
class Answer:
    """Token counts, keccak256 of request and response, the influence words (empty: default weights) and evidence."""

    input_tokens: int
    output_tokens: int
    request_hash: bytes
    response_hash: bytes
    influence: tuple[int, ...]
    evidence: bytes


@dataclass(slots=True, frozen=True)
class AnswerOptions:
    """The values given on the command line; None for those that were not given."""

    input_tokens: int | None
    output_tokens: int | None
    request: Path | None
    output: Path | None
    request_hash: bytes | None
    response_hash: bytes | None
    texts: Path | None
    influence: tuple[Influence, ...]
    evidence: bytes | None
    related: bool

    def resolve(self, client: AttributionClient, model_id: int) -> Answer:
        """Reads the files, and traces the influence if that was asked for. ClickException for contradicting values."""
        request = None if self.request is None else read_text_file(self.request)
        output = None if self.output is None else read_text_file(self.output)
        influence, evidence = self._influence(client, model_id, output)
        return Answer(
            _first(self.input_tokens, None if request is None else len(tokenize(request)), 0),
            _first(self.output_tokens, None if output is None else len(tokenize(output)), 0),
            _first(self.request_hash, None if request is None else keccak256(request.encode()), ZERO_HASH),
            _first(self.response_hash, None if output is None else keccak256(output.encode()), ZERO_HASH),
            influence,
            _first(self.evidence, evidence, ZERO_HASH),
        )

    def _influence(
        self, client: AttributionClient, model_id: int, output: str | None
    ) -> tuple[tuple[int, ...], bytes | None]:
        if self.texts is None:
            if self.related:
                raise click.UsageError("--related needs --texts: the texts that a sentence may follow")
            try:
                return tuple(encode_influence(self.influence)), None
            except ValueError as error:
                raise click.ClickException(f"--influence: {error}") from error
        if output is None:
            raise click.UsageError(_NO_TRACE)
        if self.influence:
            raise click.UsageError("give --influence or --texts, not both")
        corpus, trace = trace_for_model(client, model_id, load_data_set(self.texts), output)
        if self.related:
            trace = with_passages(corpus, trace, passages_of(corpus, trace, output), output)
        return trace.influence, trace.evidence


related_option = click.option(
    "--related", is_flag=True, help="In addition to quotes, count sentences that follow a text in other words (BM25)."
)


def passages_of(corpus: Corpus, trace: Trace, output: str) -> tuple[Passage, ...]:
    """The sentences of an answer, outside its quotes, that follow a text of the corpus."""
    return Relevance(corpus.documents).passages(output, trace.spans)


def answer_options(command: _Command) -> _Command:
    """The options of AnswerOptions; a command gets them by its names and gives them to `take_answer`."""
    for option in (
        click.option("--evidence", type=HASH, help="Hash of the evidence for the influence; --texts sets it."),
        click.option("--influence", type=INFLUENCE, multiple=True, help="One influence entry. Repeatable, at most 32."),
        click.option(
            "--texts",
            "--text",
            type=click.Path(path_type=Path),
            help="Folder of registered texts to trace --output in.",
        ),
        related_option,
        click.option("--response-hash", type=HASH, help="Hash of the answer, instead of --output."),
        click.option("--request-hash", type=HASH, help="Hash of the question, instead of --request."),
        click.option(
            "--output", type=click.Path(path_type=Path), help="Text file with the answer; - is standard input."
        ),
        click.option("--request", type=click.Path(path_type=Path), help="Text file with the question."),
        click.option("--output-tokens", type=UINT32, help="Output tokens; counted from --output by default."),
        click.option("--input-tokens", type=UINT32, help="Input tokens; counted from --request by default."),
    ):
        command = option(command)
    return command


def take_answer(options: dict[str, Any]) -> AnswerOptions:
    """Takes the options of `answer_options` out of a command's."""
    return AnswerOptions(**{name: options.pop(name) for name in AnswerOptions.__slots__})


def read_text_file(path: Path) -> str:
    """A text; ClickException when it cannot be read."""
    try:
        return read_text(path)
    except TextFileError as error:
        raise click.ClickException(str(error)) from error


def trace_for_model(
    client: AttributionClient, model_id: int, texts: DataSet, output: str, parameters: Parameters | None = None
) -> tuple[Corpus, Trace]:
    """Traces an answer over those of the texts that the model's DataNets have; the chain says whose they are."""
    corpus = Corpus(registered_documents(History(client), model_datanets(client, model_id), texts))
    return corpus, corpus.trace(output, parameters)


def model_datanets(client: AttributionClient, model_id: int) -> list[int]:
    """The DataNets a model learned from; they never change."""
    return [datanet_id for datanet_id, _ in client.model(model_id).weights]


def registered_documents(history: History, datanets: Sequence[int], texts: DataSet) -> list[Document]:
    """The texts in order of registration, DataNet by DataNet; without those whose contributor has no units left.

    ClickException when one of them is in none of the DataNets: its author could not be paid.
    """
    contents = {keccak256(text.content.encode()): text for text in texts.texts}
    found: list[Document] = []
    missing = dict(contents)
    for datanet_id in datanets:
        units = {member.account: member.units for member in history.members(datanet_id)}
        for content, owner in history.registered_texts(datanet_id).items():
            if content not in contents:
                continue
            missing.pop(content, None)
            if units[owner]:
                found.append(Document(datanet_id, int(owner, 16), contents[content].content))
    if missing:
        titles = ", ".join(repr(text.title) for text in missing.values())
        where = ", ".join(map(str, datanets))
        raise click.ClickException(f"not registered in DataNet {where}, so nobody could be paid for it: {titles}")
    return found


_Value = TypeVar("_Value")


def _first(given: _Value | None, found: _Value | None, otherwise: _Value) -> _Value:
    if given is not None:
        return given
    return otherwise if found is None else found
