"""open_: what the Studio's pages ask in addition to the chain's data: texts, traces, answers, and a model as YAML.

Each does what a command of the command line does, by the same functions: `trace`, `model register`, `infer --texts`.
Methods and shapes: docs/studio.md.
"""

import asyncio
from collections import OrderedDict
from typing import Any, Final

from attribution_precompile.influence import Document, tokenize
from attribution_precompile.relevance import with_passages
from rollup.index.index import Index
from rollup.index.registry import registered_texts
from rollup.protocol.primitives import Hash, keccak256
from rollup.rpc.errors import RpcError
from rollup.rpc.formats import hex_data, hex_quantity
from rollup.rpc.methods import for_local_callers, reads_index, rpc
from rollup.rpc.open import number63, up_to_date
from rollup.rpc.open_reader import IndexReader
from rollup.rpc.params import Invalid, Optional, hash32, text
from rollup.studio.corpora import Corpora, CorpusTooLarge, Indexed, Sources, datanets_of, sources_of
from rollup.studio.interface import interface_json
from rollup.studio.language_model import MOST_TEXTS, LanguageModel, NoAnswer, messages_for, within_limit
from rollup.studio.ngram import MAX_TOKENS, NgramModel
from rollup.studio.remote_model import RemoteModel, remote_model
from rollup.studio.texts import MAX_TEXT, TextRefused, TextStore
from rollup.studio.trace_json import passages_json, source_json, trace_json

_KEPT_MODELS: Final = 4
_NGRAM: Final = "n-gram model"


def short_text(value: Any) -> str:
    """A string of at most 1 MiB in UTF-8."""
    found = text(value)
    try:
        size = len(found.encode())
    except UnicodeEncodeError as error:
        raise Invalid("a text without halves of surrogate pairs is expected") from error
    if size > MAX_TEXT:
        raise Invalid(f"a text of at most {MAX_TEXT:,} bytes is expected")
    return found


def token_count(value: Any) -> int:
    """A number63 from 1 to 400."""
    found = number63(value)
    if not 0 < found <= MAX_TOKENS:
        raise Invalid(f"1 to {MAX_TOKENS} tokens are expected")
    return found


class Studio:
    """Texts are kept by this node; what it does not have cannot be traced, and answers say how many are missing."""

    def __init__(self, reader: IndexReader, texts: TextStore, model: LanguageModel | None = None) -> None:
        """model: the language model that answers in `open_generate`."""
        self._reader = reader
        self._texts = texts
        self._model = model
        self._corpora = Corpora()
        self._models: OrderedDict[tuple[Document, ...], NgramModel] = OrderedDict()

    # ------------------------------------------------------------ texts
    @rpc("open_putContent", short_text)
    def put_content(self, text: str) -> dict[str, Any]:
        """Keeps a text of at most 1 MiB; `{contentHash, tokens}`. The chain has only its hash."""
        try:
            name = self._texts.put(text)
        except TextRefused as error:
            raise RpcError(str(error)) from error
        except OSError as error:
            raise RpcError(f"the text cannot be kept: {error.strerror}") from error
        return {"contentHash": hex_data(name), "tokens": hex_quantity(len(tokenize(text)))}

    @rpc("open_getContent", hash32)
    def get_content(self, hash_: Hash) -> str | None:
        """The text of a hash; `null` if this node does not have it."""
        return self._texts.get(hash_)

    @reads_index
    @rpc("open_listContents", number63)
    def list_contents(self, datanet_id: int) -> list[dict[str, Any]]:
        """`[{contributor, contentHash, isHere}]`: the registered texts of a DataNet, in order of registration, and
        whether this node has them.
        """
        index = self._current()
        if index.rows.datanets.get(datanet_id) is None:
            raise RpcError(f"unknown DataNet {datanet_id}")
        return [
            {
                "contributor": hex_data(account),
                "contentHash": hex_data(content),
                "isHere": self._texts.get(content) is not None,
            }
            for account, content in registered_texts(index, datanet_id)
        ]

    # ------------------------------------------------------------ traces and answers
    @rpc("open_trace", number63, short_text, Optional(short_text, ""))
    async def trace(self, model_id: int, output: str, prompt: str) -> dict[str, Any]:
        """Whose texts an answer of a model repeats: spans, influence words and evidence, as `openrollup trace`."""
        found, sources = await self._corpus(model_id)
        corpus = found.corpus

        def traced() -> dict[str, Any]:
            trace = corpus.trace(output)
            passages = found.relevance.passages(output, trace.spans)
            blended = with_passages(corpus, trace, passages, output)
            return {
                **trace_json(corpus, trace, output),
                "related": passages_json(corpus, passages, blended, output),
            }

        return {
            "inputTokens": hex_quantity(len(tokenize(prompt))),
            "outputTokens": hex_quantity(len(tokenize(output))),
            "requestHash": hex_data(keccak256(prompt.encode())),
            "responseHash": hex_data(keccak256(output.encode())),
            "missing": hex_quantity(sources.missing),
            **await asyncio.to_thread(traced),
        }

    @rpc("open_generate", number63, short_text, Optional(number63, 0), Optional(token_count, 120))
    async def generate(self, model_id: int, prompt: str, seed: int, tokens: int) -> dict[str, Any]:
        """`{text, source, retrieved}`: an answer of the language model, if the node has one; otherwise it is drawn from
        the model's own texts.
        """
        if self._model is not None:
            return await self._generated(self._model, model_id, prompt, tokens)
        _, sources = await self._corpus(model_id)
        if not sources.documents:
            raise RpcError(f"no text of model {model_id} is on this node: an answer cannot be drawn from them")
        drawn = await self._drawn_from(sources)
        answer = await asyncio.to_thread(drawn.answer, prompt, seed, tokens)
        return {"text": answer, "source": _NGRAM, "retrieved": []}

    @for_local_callers
    @rpc("open_generateFrom", remote_model, number63, short_text, Optional(token_count, 120))
    async def generate_from(self, place: RemoteModel, model_id: int, prompt: str, tokens: int) -> dict[str, Any]:
        """An answer, like `open_generate`, but by the language model at a URL that the caller names."""
        ours = self._model
        if isinstance(ours, RemoteModel) and ours.url == place.url:
            place = RemoteModel(place.url, place.name, ours.key)
        return await self._generated(place, model_id, prompt, tokens)

    @rpc("open_answerSource")
    def answer_source(self) -> dict[str, Any]:
        """`{source, url}`: what answers in `open_generate`, the n-gram model or a language model by name and URL."""
        model = self._model
        url = model.url if isinstance(model, RemoteModel) else None
        return {"source": _NGRAM if model is None else model.name, "url": url}

    # ------------------------------------------------------------ models
    @rpc("open_readModel", short_text)
    def read_model(self, yaml: str) -> dict[str, Any]:
        """A model's terms in YAML, checked as `openrollup model register` does; an error names line and field."""
        from rollup.studio.model_json import read_model_json

        return read_model_json(yaml)

    @rpc("open_interface")
    def interface(self) -> dict[str, Any]:
        """The attribution account's ABI, with selectors and topics."""
        return interface_json()

    @reads_index
    @rpc("open_platform")
    def platform(self) -> dict[str, Any]:
        """`{bps, treasury}`: the platform's share of each fee."""
        row = self._current().rows.platform.get(0)
        bps, treasury = (0, bytes(20)) if row is None else (row.bps, row.treasury)
        return {"bps": hex_quantity(bps), "treasury": hex_data(treasury)}

    # ------------------------------------------------------------ inside
    def _current(self) -> Index:
        return up_to_date(self._reader.index)

    async def _generated(self, model: LanguageModel, model_id: int, prompt: str, most: int) -> dict[str, Any]:
        """The answer of a language model that is given the registered texts nearest to the prompt."""
        found, sources = await self._corpus(model_id)
        ranked = await asyncio.to_thread(found.relevance.ranked, prompt, MOST_TEXTS)
        nearest = [sources.documents[number] for number in ranked]
        given = within_limit([document.text for document in nearest])
        try:
            answer = await model.answer(messages_for(prompt, given), most)
        except NoAnswer as error:
            raise RpcError(str(error)) from error
        return {
            "text": answer,
            "source": model.name,
            "retrieved": [source_json(document) for document in nearest[: len(given)]],
        }

    async def _corpus(self, model_id: int) -> tuple[Indexed, Sources]:
        sources = await self._reader.read(lambda index: self._sources(index, model_id))
        try:
            return await self._corpora.over(sources), sources
        except CorpusTooLarge as error:
            raise RpcError(str(error)) from error

    def _sources(self, index: Index, model_id: int) -> Sources:
        datanets = datanets_of(index, model_id)
        if not datanets:
            raise RpcError(f"unknown model {model_id}")
        return sources_of(index, self._texts, datanets)

    async def _drawn_from(self, sources: Sources) -> NgramModel:
        found = self._models.get(sources.documents)
        if found is None:
            found = await asyncio.to_thread(NgramModel, sources.documents)
            self._models[sources.documents] = found
        while len(self._models) > _KEPT_MODELS:
            self._models.popitem(last=False)
        return found
