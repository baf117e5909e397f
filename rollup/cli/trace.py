"""`openrollup trace`: finds the registered texts that an answer repeats, and so the accounts that are paid for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
from eth_typing import HexStr
from eth_utils.address import to_checksum_address
from web3.exceptions import TransactionNotFound

from attribution_precompile.influence import Corpus, Parameters, Span, Trace, tokenize
from attribution_precompile.relevance import Passage, with_passages
from rollup.cli.answer import model_datanets, passages_of, read_text_file, registered_documents, related_option
from rollup.cli.attestation_file import influence_json
from rollup.cli.attribution_history import History, Place
from rollup.cli.attribution_session import Session, chain_options, connect, explained, hexed
from rollup.cli.attribution_values import HASH, ID, POSITIVE
from rollup.cli.demo_texts import DataSet, load_data_set
from rollup.cli.safe_text import echo_json, safe_console
from rollup.cli.trace_picture import Author, picture, svg
from rollup.files import write_file
from rollup.protocol.primitives import keccak256

_LINE: Final = 72  # characters of a sentence that is shown


@dataclass(slots=True, frozen=True)
class Recorded:
    """An inference as a transaction recorded it; `place` is its event's."""

    model_id: int
    place: Place
    response_hash: bytes
    influence: tuple[int, ...]
    evidence: bytes


@click.command("trace")
@click.argument("output", type=click.Path(path_type=Path))
@click.option(
    "--texts", "--text", required=True, type=click.Path(path_type=Path), help="Folder of texts with a dataset.yaml."
)
@click.option("--datanet", default=1, show_default=True, type=ID, help="DataNet that the texts belong to.")
@click.option("--model", type=ID, help="Take the texts' owners from the chain, in the DataNets of this model.")
@click.option("--tx", type=HASH, help="Compare the trace with the inference that this transaction recorded.")
@click.option(
    "--min-tokens", default=4, show_default=True, type=POSITIVE, help="Ignore matches shorter than this many tokens."
)
@click.option(
    "--max-count", default=10, show_default=True, type=POSITIVE, help="Ignore phrases that occur more often than this."
)
@related_option
@click.option("--svg", "svg_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the picture there too.")
@chain_options
def command(
    output: Path,
    texts: Path,
    datanet: int,
    model: int | None,
    tx: bytes | None,
    min_tokens: int,
    max_count: int,
    related: bool,
    svg_file: Path | None,
    rpc_url: str,
    chain_id: int | None,
    as_json: bool,
) -> None:
    """Show which spans of the answer OUTPUT (a text file; - is standard input) are in the texts, and who wrote them.

    Needs no chain, except with --model or --tx, which read the owners of the texts from one.
    """
    answer = read_text_file(output)
    data_set = load_data_set(texts)
    parameters = Parameters(min_tokens, max_count)
    recorded = None
    if model is None and tx is None:
        corpus = Corpus(data_set.documents(datanet))
    else:
        with explained(rpc_url):
            session = connect(rpc_url, chain_id, as_json)
            recorded = None if tx is None else _recorded(session, tx, model)
            corpus = _registered(session, recorded, model, data_set)
    trace = corpus.trace(answer, parameters)
    passages = passages_of(corpus, trace, answer)
    blended = with_passages(corpus, trace, passages, answer, parameters)
    if related or (recorded is not None and recorded.evidence == blended.evidence != trace.evidence):
        trace = blended
    shown, authors = _authors(corpus, trace, data_set)
    drawing = picture(answer, trace.spans, shown, authors)
    if svg_file is not None:
        _write(svg_file, svg(drawing, f"openrollup trace {output.name}"))
    problems = [] if recorded is None else _differences(recorded, trace, answer)
    if as_json:
        result = _json(corpus, trace, answer, parameters, data_set) | _related_json(corpus, passages, answer, data_set)
        echo_json(result | ({} if recorded is None else {"recorded": {"differences": problems}}))
    else:
        console = safe_console(emoji=False, soft_wrap=False)
        console.print(drawing)
        for line in _related(corpus, passages, answer, data_set):
            console.print(line, soft_wrap=True, markup=False, highlight=False)
        console.print(f"\nevidence {hexed(trace.evidence)}", soft_wrap=True)
        if recorded is not None and not problems:
            console.print("[green]equal[/] to what the transaction recorded: answer, influence and evidence")
    if problems:
        raise click.ClickException(f"not what the transaction recorded: {'; '.join(problems)}")


def _registered(session: Session, recorded: Recorded | None, model: int | None, texts: DataSet) -> Corpus:
    """The texts as the chain had them, at the head or when the inference was made."""
    model_id = recorded.model_id if recorded is not None else model
    assert model_id is not None
    history = History(session.client, None if recorded is None else recorded.place)
    return Corpus(registered_documents(history, model_datanets(session.client, model_id), texts))


def _recorded(session: Session, transaction: bytes, model: int | None) -> Recorded:
    """The one inference of a transaction. ClickException if there is none."""
    try:
        receipt = session.web3.eth.get_transaction_receipt(HexStr(hexed(transaction)))
    except TransactionNotFound as error:
        raise click.ClickException(f"{session.url} has no transaction {hexed(transaction)}") from error
    found = []
    for log in receipt["logs"]:
        for name, item in session.client.events({**receipt, "logs": [log]}):
            if name == "Inferred" and model in (None, item["modelId"]):
                place = (log["blockNumber"], log["logIndex"])
                hashes = bytes(item["responseHash"]), tuple(item["influence"]), bytes(item["evidence"])
                found.append(Recorded(item["modelId"], place, *hashes))
    if len(found) != 1:
        what = f" of model {model}" if model is not None else ""
        raise click.ClickException(f"transaction {hexed(transaction)} made {len(found)} inferences{what}, not one")
    return found[0]


def _authors(corpus: Corpus, trace: Trace, texts: DataSet) -> tuple[list[int], list[Author]]:
    """Each span's author by index, and the authors in order of appearance."""
    names = {int(address, 16): name for name, address in texts.contributors.items()}
    order = list(dict.fromkeys(corpus.documents[span.document].contributor for span in trace.spans))
    weights: dict[int, int] = {}
    for word in trace.influence:
        who = word & (1 << 160) - 1
        weights[who] = weights.get(who, 0) + (word >> 160 & 0xFFFFFFFF)
    authors = []
    for who in order:
        spans = [span for span in trace.spans if corpus.documents[span.document].contributor == who]
        authors.append(
            Author(
                _address(who),
                names.get(who, ""),
                tuple(dict.fromkeys(_title(corpus, span, texts) for span in spans)),
                sum(span.tokens for span in spans),
                len(spans),
                100 * weights.get(who, 0) / sum(weights.values()),
            )
        )
    return [order.index(corpus.documents[span.document].contributor) for span in trace.spans], authors


def _related(corpus: Corpus, passages: Sequence[Passage], answer: str, texts: DataSet) -> list[str]:
    """A line for each sentence that follows a text, and how much of the answer that is."""
    if not passages:
        return []
    data = answer.encode()
    lines = ["", "In other words:"]
    for passage in passages:
        words = " ".join(data[passage.start : passage.end].decode().split())
        shown = words if len(words) <= _LINE else words[:_LINE] + "…"
        percent = 100 * passage.shared // passage.total
        lines.append(f"  {percent:3} % of its words are in {_title(corpus, passage, texts)}: {shown}")
    followed, total = sum(passage.tokens for passage in passages), len(tokenize(answer))
    return [*lines, f"{100 * followed // total} % of the answer follows a text without quoting it; --related counts it"]


def _related_json(corpus: Corpus, passages: Sequence[Passage], answer: str, texts: DataSet) -> dict[str, Any]:
    data = answer.encode()
    found = [
        {
            "start": passage.start,
            "end": passage.end,
            "text": data[passage.start : passage.end].decode(),
            "tokens": passage.tokens,
            "shared": str(passage.shared),
            "total": str(passage.total),
            "score": str(passage.score),
            "datanetId": corpus.documents[passage.document].datanet_id,
            "contributor": _address(corpus.documents[passage.document].contributor),
            "title": _title(corpus, passage, texts),
        }
        for passage in passages
    ]
    return {"passages": found}


def _title(corpus: Corpus, span: Span | Passage, texts: DataSet) -> str:
    content = corpus.documents[span.document].text
    return next(text.title for text in texts.texts if text.content == content)


def _differences(recorded: Recorded, trace: Trace, answer: str) -> list[str]:
    pairs: Sequence[tuple[str, Any, Any]] = (
        ("another answer", recorded.response_hash, keccak256(answer.encode())),
        ("another influence", recorded.influence, trace.influence),
        ("another evidence (other texts, or other --min-tokens or --max-count)", recorded.evidence, trace.evidence),
    )
    return [words for words, theirs, ours in pairs if theirs != ours]


def _json(corpus: Corpus, trace: Trace, answer: str, parameters: Parameters, texts: DataSet) -> dict[str, Any]:
    data = answer.encode()
    spans = []
    for span in trace.spans:
        document = corpus.documents[span.document]
        spans.append(
            {
                "start": span.start,
                "end": span.end,
                "text": data[span.start : span.end].decode(),
                "tokens": span.tokens,
                "count": span.count,
                "score": str(span.score),
                "datanetId": document.datanet_id,
                "contributor": _address(document.contributor),
                "title": _title(corpus, span, texts),
                "contentHash": hexed(document.content_hash),
            }
        )
    return {
        "outputTokens": len(tokenize(answer)),
        "outputHash": hexed(keccak256(data)),
        "minTokens": parameters.min_tokens,
        "maxCount": parameters.max_count,
        "spans": spans,
        "influence": influence_json(trace.influence),
        "indexRoot": hexed(corpus.root),
        "evidence": hexed(trace.evidence),
    }


def _address(account: int) -> str:
    return to_checksum_address(account.to_bytes(20, "big"))


def _write(path: Path, content: str) -> None:
    try:
        write_file(path, content)
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from error
