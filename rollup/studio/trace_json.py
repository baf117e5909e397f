"""A trace as JSON. Spans are given by code points, as Python counts, and by UTF-16 units, as JavaScript does."""

from collections.abc import Sequence
from typing import Any, Final

from attribution_precompile.influence import Corpus, Document, Span, Trace
from attribution_precompile.relevance import Passage
from rollup.protocol.primitives import keccak256
from rollup.rpc.formats import hex_data, hex_quantity

_SNIPPET: Final = 80  # characters shown of a document around what was found


def trace_json(corpus: Corpus, trace: Trace, output: str) -> dict[str, Any]:
    """Spans, the influence words and the evidence hash."""
    data = output.encode()
    return {
        "outputHash": hex_data(keccak256(data)),
        "spans": [_span_json(corpus, span, data) for span in trace.spans],
        "influence": _words(trace),
        "evidence": hex_data(trace.evidence),
        "indexRoot": hex_data(corpus.root),
    }


def passages_json(corpus: Corpus, passages: Sequence[Passage], blended: Trace, output: str) -> dict[str, Any]:
    """The sentences that follow a text, with the influence and the evidence that include them in addition to the spans.

    coverage: the tokens of the output that each rule covers.
    """
    data = output.encode()
    return {
        "passages": [_passage_json(corpus, passage, data) for passage in passages],
        "influence": _words(blended),
        "evidence": hex_data(blended.evidence),
        "coverage": {
            "quoted": hex_quantity(sum(span.tokens for span in blended.spans)),
            "followed": hex_quantity(sum(passage.tokens for passage in passages)),
        },
    }


def _words(trace: Trace) -> list[str]:
    return [hex_data(word.to_bytes(32, "big")) for word in trace.influence]


def _span_json(corpus: Corpus, span: Span, data: bytes) -> dict[str, Any]:
    placed = _placed(data, span.start, span.end)
    return {
        **placed,
        "tokens": hex_quantity(span.tokens),
        "count": hex_quantity(span.count),
        "score": hex_quantity(span.score),
        **source_json(corpus.documents[span.document]),
        "snippet": _snippet(corpus.documents[span.document].text, placed["text"]),
    }


def _passage_json(corpus: Corpus, passage: Passage, data: bytes) -> dict[str, Any]:
    return {
        **_placed(data, passage.start, passage.end),
        "tokens": hex_quantity(passage.tokens),
        "shared": hex_quantity(passage.shared),
        "total": hex_quantity(passage.total),
        "score": hex_quantity(passage.score),
        **source_json(corpus.documents[passage.document]),
        "snippet": _snippet(corpus.documents[passage.document].text, ""),
    }


def _placed(data: bytes, start: int, end: int) -> dict[str, Any]:
    before, text = data[:start].decode(), data[start:end].decode()
    return {
        "text": text,
        "start": hex_quantity(len(before)),
        "end": hex_quantity(len(before) + len(text)),
        "utf16Start": hex_quantity(_units(before)),
        "utf16End": hex_quantity(_units(before) + _units(text)),
    }


def source_json(document: Document) -> dict[str, str]:
    """Which registered text this is, and whose."""
    return {
        "datanetId": hex_quantity(document.datanet_id),
        "contributor": hex_data(document.contributor.to_bytes(20, "big")),
        "contentHash": hex_data(document.content_hash),
    }


def _units(text: str) -> int:
    """How many UTF-16 units a text has: two for each character beyond the basic plane."""
    return len(text) + sum(character > "\uffff" for character in text)


def _snippet(document: str, text: str) -> str:
    """The document around its first passage with the same words; its beginning where blanks are written otherwise."""
    at = max(document.lower().find(text.lower()), 0)
    start, end = max(at - _SNIPPET, 0), min(at + len(text) + _SNIPPET, len(document))
    return ("…" if start else "") + " ".join(document[start:end].split()) + ("…" if end < len(document) else "")
