"""The texts that a model learned from, in the order of their registration, and the indexes over them.

The chain says whose each text is; the words come from the texts that this node keeps. The same documents in the same
order as `openrollup trace --model` reads them, so that vector and evidence are the same.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from attribution_precompile.influence import Corpus, Document
from attribution_precompile.relevance import Relevance
from rollup.index.index import Index
from rollup.index.registry import registered_texts, weights_of
from rollup.studio.texts import TextStore

_KEPT: Final = 4
MAX_CORPUS: Final = 8 * 2**20  # bytes of the texts of one model


class CorpusTooLarge(ValueError):
    """A model whose texts are more than is traced here; the message says how many bytes."""


@dataclass(slots=True, frozen=True)
class Sources:
    """The documents that can be traced, and how many registered texts cannot, as their words are not here."""

    documents: tuple[Document, ...]
    missing: int


def sources_of(index: Index, store: TextStore, datanets: list[int]) -> Sources:
    """The texts of these DataNets, without those of contributors who have no units left."""
    documents: list[Document] = []
    missing = 0
    for datanet in datanets:
        for account, content in registered_texts(index, datanet):
            member = index.rows.members.get(datanet, account)
            text = store.get(content)
            if text is None:
                missing += 1
            elif member is not None and member.units:
                documents.append(Document(datanet, int.from_bytes(account, "big"), text))
    return Sources(tuple(documents), missing)


def datanets_of(index: Index, model_id: int) -> list[int]:
    """The DataNets that a model learned from, ascending; none for a model that there is not."""
    row = index.rows.models.get(model_id)
    return [] if row is None else [datanet for datanet, _ in weights_of(row)]


@dataclass(slots=True, frozen=True)
class Indexed:
    """The texts of a model, searched for quotes and for shared words."""

    corpus: Corpus
    relevance: Relevance


def _indexed(documents: tuple[Document, ...]) -> Indexed:
    return Indexed(Corpus(documents), Relevance(documents))


class Corpora:
    """The newest few indexes. Making one takes time, so it is made in a thread."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[tuple[int, int, bytes], ...], Indexed] = OrderedDict()

    async def over(self, sources: Sources) -> Indexed:
        """The indexes over these documents. Raises CorpusTooLarge."""
        size = sum(len(item.text) for item in sources.documents)
        if size > MAX_CORPUS:
            raise CorpusTooLarge(f"the model's texts have {size:,} characters; at most {MAX_CORPUS:,} are traced here")
        key = tuple((item.datanet_id, item.contributor, item.content_hash) for item in sources.documents)
        found = self._made.get(key)
        if found is None:
            found = await asyncio.to_thread(_indexed, sources.documents)
            self._made[key] = found
        self._made.move_to_end(key)
        while len(self._made) > _KEPT:
            self._made.popitem(last=False)
        return found
