"""openrollup_: the place of L2 blocks on L1, and the blocks that reorganisations replaced.

Numbers are JSON numbers as in optimism_, amounts of wei are quantities. Shapes: docs/explain.md.
"""

from typing import Any

from derivation.errors import Temporary
from rollup.execution.chain import Chain
from rollup.protocol.block import Block
from rollup.protocol.blockref import BlockId
from rollup.protocol.l2_blocks import l2_block_ref
from rollup.protocol.primitives import Hash
from rollup.rpc.batch_history import BatchHistory, id_json
from rollup.rpc.errors import RpcError
from rollup.rpc.methods import rpc
from rollup.rpc.orphans import Orphans
from rollup.rpc.params import Invalid, Optional, count_up_to, data, hash32, number, quantity64, text

DEFAULT_LIMIT, MAX_LIMIT = 25, 100


def cursor(value: Any) -> tuple[int, int]:
    """A cursor of an earlier answer: an L1 block's number and a transaction's index, joined by a dot."""
    parts = text(value).split(".")
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) < 20 for part in parts):
        raise Invalid("a cursor of an earlier answer is expected")
    return int(parts[0]), int(parts[1])


def channel_or_hash(value: Any) -> bytes:
    """A channel's id (16 bytes) or an L1 transaction's hash (32 bytes)."""
    found = data(value)
    if len(found) not in (16, 32):
        raise Invalid("a channel id of 16 bytes or a transaction hash of 32 bytes is expected")
    return found


def l2_block(value: Any) -> int | Hash:
    """An L2 block's number, or its hash."""
    if isinstance(value, str) and len(value) == 66:
        return bytes(hash32(value))
    found = number(value)
    if found >= 2**64:
        raise Invalid("a block number below 2^64 is expected")
    return found


def layer(value: Any) -> str:
    """`l1` or `l2`."""
    name = text(value).lower()
    if name not in ("l1", "l2"):
        raise Invalid("l1 or l2 is expected")
    return name


class OpenRollup:
    """Answers from the record of one derivation."""

    def __init__(self, chain: Chain, history: BatchHistory, l1_orphans: Orphans, l2_orphans: Orphans) -> None:
        self._chain = chain
        self._history = history
        self._orphans = {"l1": l1_orphans, "l2": l2_orphans}

    @rpc("openrollup_listBatches", Optional(cursor), Optional(count_up_to(MAX_LIMIT, "limit"), DEFAULT_LIMIT))
    def list_batches(self, cursor: tuple[int, int] | None, limit: int) -> dict[str, Any]:
        """Transactions to the batch inbox, newest first: channels, batches, cost, and what was dropped and by which
        rule.
        """
        try:
            rows = list(self._history.newest(cursor, limit))
        except Temporary as error:
            raise RpcError(f"L1 does not answer: {error}") from error
        last = rows[-1] if len(rows) == limit else None
        following = f"{last['l1Block']['number']}.{last['transactionIndex']}" if last is not None else None
        return {"batches": rows, "cursor": following}

    @rpc("openrollup_getBatch", channel_or_hash)
    def get_batch(self, name: bytes) -> dict[str, Any] | None:
        """One L1 transaction by its hash, or one channel by its id; `null` if L1 does not have it."""
        try:
            return self._history.transaction(name) if len(name) == 32 else self._history.channel(name)
        except Temporary as error:
            raise RpcError(f"L1 does not answer: {error}") from error

    @rpc("openrollup_blockOrigin", l2_block)
    def block_origin(self, block_id: int | Hash) -> dict[str, Any] | None:
        """The L1 transactions that carry an L2 block; `null` for an unknown block."""
        chain = self._chain
        block = chain.block(block_id) if isinstance(block_id, bytes) else chain.block_by_number(block_id)
        if block is None:
            return None
        try:
            return self._origin(block)
        except Temporary as error:
            raise RpcError(f"L1 does not answer: {error}") from error

    @rpc("openrollup_orphans", layer, Optional(quantity64, 0), Optional(quantity64))
    def orphans(self, layer: str, first: int, last: int | None) -> list[dict[str, Any]]:
        """Blocks of a layer that reorganisations replaced since the node started, newest first."""
        return self._orphans[layer].list(first, last)

    def _origin(self, block: Block) -> dict[str, Any]:
        history = self._history
        config, chain = history.config, self._chain
        l1_origin = l2_block_ref(config, block).l1_origin
        is_canonical = chain.is_canonical(block.hash)
        origin = history.origin(BlockId(block.hash, block.number)) if is_canonical else None
        found = history.batch(origin.batch) if origin is not None and origin.batch is not None else None
        channel, batch = found if found is not None else (None, None)
        return {
            "block": id_json(BlockId(block.hash, block.number)),
            "l1Origin": id_json(l1_origin),
            "safety": self._safety(block, is_canonical),
            "derivedFrom": id_json(origin.l1_block) if origin is not None else None,
            "isWithoutBatch": origin is not None and origin.batch is None,
            "channelId": channel["channelId"] if channel is not None else None,
            "batch": batch,
            "transactions": channel["carriers"] if channel is not None else [],
        }

    def _safety(self, block: Block, is_canonical: bool) -> str:
        chain = self._chain
        if not is_canonical:
            return "orphaned"
        if block.number <= chain.finalized.number:
            return "finalized"
        return "safe" if block.number <= chain.safe.number else "unsafe"
