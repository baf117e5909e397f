"""open_: the attribution account's models, DataNets, inferences and money, from the index of its events.

Methods and shapes: docs/open.md.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from derivation.errors import Temporary
from rollup.cooperative import pause, running_time
from rollup.execution.state.database import StateUnavailable
from rollup.index import inferences, registry
from rollup.index.audit import audit
from rollup.index.earnings import datanet_earnings, earnings_of
from rollup.index.history import replay_history
from rollup.index.index import Index, IndexUnavailable
from rollup.index.inferences import Filter, InferenceRecord
from rollup.index.rows import DatanetRow, ModelRow
from rollup.index.usage import usage_of
from rollup.protocol.block import Block
from rollup.protocol.blockref import BlockId
from rollup.protocol.l2_blocks import NotAnL2Block, l1_attributes_of
from rollup.protocol.primitives import Address, Hash
from rollup.rpc import open_json as shapes
from rollup.rpc.errors import InvalidParams, RpcError, index_behind
from rollup.rpc.formats import hex_data, hex_quantity
from rollup.rpc.methods import reads_index, rpc
from rollup.rpc.open_batches import BatchFinder
from rollup.rpc.params import Invalid, Optional, address, count_up_to, hash32, mapping, quantity64

DEFAULT_LIMIT, MAX_LIMIT = 100, 1_000
MAX_SHARES = 100
_MAX_ID = 2**63 - 1
_PATIENCE = 1.0  # seconds a question may take to read blocks
_AT_ONCE = 0.02  # seconds of these between two check points

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")


def number63(value: Any) -> int:
    """A quantity, or a plain JSON number, below 2^63."""
    is_plain = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    found: int = value if is_plain else quantity64(value)
    if found > _MAX_ID:
        raise Invalid("a quantity below 2^63 is expected")
    return found


limit_of = count_up_to(MAX_LIMIT, "limit", number63)


def id_or_hash(value: Any) -> int | Hash:
    """A model's id as a number63, or a transaction's hash."""
    if isinstance(value, str) and len(value) == 66:
        return bytes(hash32(value))
    return number63(value)


def inference_filter(value: Any) -> Filter:
    """`{modelId, payer, contributor}`, each of them optional."""
    source = mapping(value)
    unknown = sorted(set(source) - {"modelId", "payer", "contributor"})
    if unknown:
        raise Invalid(f"unknown field {unknown[0]}: modelId, payer, contributor are expected")
    found: dict[str, Any] = {}
    for name, field, parser in (
        ("modelId", "model", number63),
        ("payer", "payer", address),
        ("contributor", "contributor", address),
    ):
        if source.get(name) is not None:
            try:
                found[field] = parser(source[name])
            except Invalid as error:
                raise Invalid(f"{name}: {error}") from error
    return Filter(**found)


def up_to_date(index: Index) -> Index:
    """The index brought up to the head; raises RpcError where that fails or takes too long."""
    end = running_time() + _PATIENCE
    try:
        while not index.update(min(_AT_ONCE, _PATIENCE)):
            if running_time() >= end:
                raise index_behind(index.tip[0], index.chain.head.number)
            pause()
    except (IndexUnavailable, StateUnavailable) as error:
        raise RpcError(str(error)) from error
    return index


def at_head(
    method: Callable[Concatenate["Open", Parameters], Answer],
) -> Callable[Concatenate["Open", Parameters], Answer]:
    """The method with the index brought up to the head, where the index stays until the answer is made."""

    @wraps(method)
    def answer(namespace: "Open", /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Answer:
        with namespace._reading():
            return method(namespace, *args, **kwargs)

    return answer


class Open:
    """Every answer is as of the head, which the index is brought up to first."""

    def __init__(self, index: Index, batches: BatchFinder | None = None) -> None:
        """Without a way to L1, inferences do not say which batch carried them."""
        self._index = index
        self._batches = batches

    # ------------------------------------------------------------ models and DataNets
    @reads_index
    @rpc("open_listModels", Optional(number63, 0), Optional(limit_of, DEFAULT_LIMIT))
    @at_head
    def list_models(self, cursor: int, limit: int) -> dict[str, Any]:
        """`{models, cursor}`: models by id, those after the cursor."""
        index = self._index
        found = registry.models(index, cursor, limit)
        return {
            "models": [self._model_json(model_id, row) for model_id, row in found],
            "cursor": hex_quantity(found[-1][0]) if len(found) == limit else None,
        }

    @reads_index
    @rpc("open_getModel", number63)
    @at_head
    def get_model(self, model_id: int) -> dict[str, Any]:
        """One model."""
        return self._model_json(model_id, self._model(model_id))

    @reads_index
    @rpc("open_getDatanet", number63)
    @at_head
    def get_datanet(self, datanet_id: int) -> dict[str, Any]:
        """One DataNet."""
        index = self._index
        row = self._datanet(datanet_id)
        return shapes.datanet_json(datanet_id, row, registry.unsettled_scaled(row), registry.flows(index, datanet_id))

    @reads_index
    @rpc("open_listContributors", number63, Optional(address, b""), Optional(limit_of, DEFAULT_LIMIT))
    @at_head
    def list_contributors(self, datanet_id: int, cursor: Address, limit: int) -> dict[str, Any]:
        """`{contributors, cursor}`: the contributors of a DataNet by address, those after the cursor, also those
        without units.
        """
        index = self._index
        self._datanet(datanet_id)
        found = registry.members(index, datanet_id, cursor, limit)
        return {
            "contributors": [
                shapes.contributor_json(who, member, datanet_earnings(index, datanet_id, who, member))
                for who, member in found
            ],
            "cursor": hex_data(found[-1][0]) if len(found) == limit else None,
        }

    # ------------------------------------------------------------ inferences
    @reads_index
    @rpc("open_getInference", id_or_hash, Optional(number63))
    @at_head
    def get_inference(self, model_or_transaction: int | Hash, inference_or_index: int | None) -> dict[str, Any]:
        """An inference, its credits and the batch that carried it: by model and inference id, or by transaction hash
        and the index among those of the transaction (0 by default).
        """
        index = self._index
        if isinstance(model_or_transaction, bytes):
            found = inferences.by_transaction(index, model_or_transaction)
            place = inference_or_index or 0
            if not found:
                raise RpcError(f"no inference in transaction {hex_data(model_or_transaction)}")
            if place >= len(found):
                raise RpcError(
                    f"transaction {hex_data(model_or_transaction)} made {len(found)} inferences: there is no {place}"
                )
            return self._inference_json(found[place])
        if inference_or_index is None:
            raise InvalidParams("missing value for required argument 1")
        model = self._model(model_or_transaction)
        record = inferences.by_id(index, model_or_transaction, inference_or_index) if inference_or_index else None
        if record is None:
            raise RpcError(
                f"no inference {inference_or_index} of model {model_or_transaction}: it has {model.inferences}"
            )
        return self._inference_json(record)

    @reads_index
    @rpc(
        "open_listInferences",
        Optional(inference_filter, Filter()),
        Optional(number63),
        Optional(limit_of, DEFAULT_LIMIT),
    )
    @at_head
    def list_inferences(self, filter_: Filter, cursor: int | None, limit: int) -> dict[str, Any]:
        """`{inferences, cursor}`: inferences, newest first, those before the cursor. The cursor stays valid while newer
        ones are added.
        """
        index = self._index
        found = inferences.listed(index, filter_, cursor, limit)
        return {
            "inferences": [
                shapes.inference_summary_json(record, self._block_id(record), inferences.transaction(index, record))
                for record in found
            ],
            "cursor": hex_quantity(found[-1].position) if len(found) == limit else None,
        }

    # ------------------------------------------------------------ money
    @reads_index
    @rpc("open_earnings", address)
    @at_head
    def earnings(self, address: Address) -> dict[str, Any]:
        """The earnings of an account; zeros if it earned nothing."""
        return shapes.earnings_json(address, earnings_of(self._index, address))

    @reads_index
    @rpc("open_usage", number63, number63, number63, Optional(number63))
    @at_head
    def usage(self, model_id: int, start: int, end: int, step: int | None) -> dict[str, Any]:
        """`{modelId, steps}`: a model's use from one time up to, not including, another, in steps of this many seconds;
        by default in one step.
        """
        index = self._index
        self._model(model_id)
        try:
            steps = usage_of(index, model_id, start, end, end - start if step is None else step)
        except ValueError as error:
            raise InvalidParams(str(error)) from error
        return {"modelId": hex_quantity(model_id), "steps": [shapes.usage_json(item) for item in steps]}

    @reads_index
    @rpc("open_audit")
    @at_head
    def audit(self) -> dict[str, Any]:
        """The books: every amount in the state is counted again and compared with what was received and claimed."""
        index = self._index
        return shapes.audit_json(index.head, audit(index))

    @reads_index
    @rpc("open_verifyHistory", number63)
    @at_head
    def verify_history(self, model_id: int) -> dict[str, Any]:
        """Replays a model's events and compares them with its commitments."""
        index = self._index
        self._model(model_id)
        return shapes.replay_json(model_id, index.head, replay_history(index, model_id))

    # ------------------------------------------------------------ inside
    @contextmanager
    def _reading(self) -> Iterator[None]:
        """The index at the head, where it stays."""
        try:
            with up_to_date(self._index).reading():
                yield
                chain, (number, block_hash) = self._index.chain, self._index.tip
                if not chain.is_canonical(block_hash):  # reorganised between two check points
                    raise index_behind(number, chain.head.number)
        except (IndexUnavailable, StateUnavailable) as error:
            raise RpcError(str(error)) from error

    def _model(self, model_id: int) -> ModelRow:
        row = self._index.rows.models.get(model_id)
        if row is None:
            raise RpcError(f"unknown model {model_id}")
        return row

    def _datanet(self, datanet_id: int) -> DatanetRow:
        row = self._index.rows.datanets.get(datanet_id)
        if row is None:
            raise RpcError(f"unknown DataNet {datanet_id}")
        return row

    def _model_json(self, model_id: int, row: ModelRow) -> dict[str, Any]:
        terms = registry.terms(self._index, model_id)
        return shapes.model_json(model_id, row, terms, registry.lineage(self._index, row))

    def _block(self, record: InferenceRecord) -> Block:
        block = self._index.chain.block_by_number(record.block)
        if block is None:
            raise RpcError(f"block {record.block} is missing")
        return block

    def _block_id(self, record: InferenceRecord) -> BlockId:
        block_hash = self._index.chain.canonical_hash(record.block)
        if block_hash is None:
            raise RpcError(f"block {record.block} is missing")
        return BlockId(block_hash, record.block)

    def _inference_json(self, record: InferenceRecord) -> dict[str, Any]:
        index, block = self._index, self._block(record)
        levels = [record.event.model, *registry.lineage(index, self._model(record.event.model))]
        credits = []
        for position, credit in inferences.credits_made(index, record):
            members, shares = inferences.shares_of(index, position, credit, MAX_SHARES)
            credits.append(shapes.credit_json(credit, levels.index(credit.model), members, shares))
        return {
            **shapes.inference_summary_json(
                record, BlockId(block.hash, block.number), inferences.transaction(index, record)
            ),
            "credits": credits,
            "l1Origin": _l1_origin(block),
            "safety": self._safety(block),
            "batch": self._batch(block),
        }

    def _safety(self, block: Block) -> str:
        chain = self._index.chain
        if block.number <= chain.finalized.number:
            return "finalized"
        return "safe" if block.number <= chain.safe.number else "unsafe"

    def _batch(self, block: Block) -> dict[str, Any] | None:
        """Null while it is not on L1, or where L1 cannot be asked now."""
        if self._batches is None:
            return None
        try:
            carrier = self._batches.find(block)
        except (Temporary, NotAnL2Block):
            return None
        return None if carrier is None else shapes.carrier_json(carrier)


def _l1_origin(block: Block) -> dict[str, Any] | None:
    try:
        attributes = l1_attributes_of(block)
    except NotAnL2Block:
        return None
    return shapes.block_id_json(BlockId(attributes.block_hash, attributes.number))
