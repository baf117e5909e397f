"""A trace as JSON. Spans are given by code points, as Python counts, and by UTF-16 units, as JavaScript does."""

from typing import Any, Final

from attribution_precompile.influence import Corpus, Span, Trace
from rollup.protocol.primitives import keccak256
from rollup.rpc.formats import hex_data, hex_quantity

_SNIPPET: Final = 80  # characters shown of a document around what was found


def trace_json(corpus: Corpus, trace: Trace, output: str) -> dict[str, Any]:
    """Spans, the influence words and the evidence hash."""
    data = output.encode()
    return {
        "outputHash": hex_data(keccak256(data)),
        "spans": [_span_json(corpus, span, data) for span in trace.spans],
        "influence": [hex_data(word.to_bytes(32, "big")) for word in trace.influence],
        "evidence": hex_data(trace.evidence),
        "indexRoot": hex_data(corpus.root),
    }


def _span_json(corpus: Corpus, span: Span, data: bytes) -> dict[str, Any]:
    document = corpus.documents[span.document]
    before, text = data[: span.start].decode(), data[span.start : span.end].decode()
    return {
        "text": text,
        "start": hex_quantity(len(before)),
        "end": hex_quantity(len(before) + len(text)),
        "utf16Start": hex_quantity(_units(before)),
        "utf16End": hex_quantity(_units(before) + _units(text)),
        "tokens": hex_quantity(span.tokens),
        "count": hex_quantity(span.count),
        "score": hex_quantity(span.score),
        "datanetId": hex_quantity(document.datanet_id),
        "contributor": hex_data(document.contributor.to_bytes(20, "big")),
        "contentHash": hex_data(document.content_hash),
        "snippet": _snippet(document.text, text),
    }


def _units(text: str) -> int:
    """How many UTF-16 units a text has: two for each character beyond the basic plane."""
    return len(text) + sum(character > "\uffff" for character in text)


def _snippet(document: str, text: str) -> str:
    """The document around its first passage with the same words; its beginning where blanks are written otherwise."""
    at = max(document.lower().find(text.lower()), 0)
    start, end = max(at - _SNIPPET, 0), min(at + len(text) + _SNIPPET, len(document))
    return ("…" if start else "") + " ".join(document[start:end].split()) + ("…" if end < len(document) else "")
