"""When a batch is good (specs protocol/derivation.md, "Batch Queue"; delta/span-batches.md; holocene/derivation.md)."""

from collections.abc import Sequence
from enum import Enum
from typing import Protocol

from derivation.batches import SingularBatch
from derivation.span_batch_transactions import POST_EXEC
from derivation.span_batches import SpanBatch
from rollup.protocol.block import Block
from rollup.protocol.blockref import L1BlockRef, L2BlockRef
from rollup.protocol.config import RollupConfig
from rollup.protocol.l2_blocks import NotAnL2Block, l2_block_ref
from rollup.protocol.transaction import DEPOSIT, SET_CODE


class Validity(Enum):
    """What is to be done with a batch."""

    ACCEPT = "accept"
    DROP = "drop"
    UNDECIDED = "undecided"  # more L1 blocks or L2 blocks are needed
    FUTURE = "future"
    PAST = "past"  # from Holocene: passed over without dropping its channel


class SafeChain(Protocol):
    """The L2 blocks derived so far, which an overlapping span batch must repeat."""

    def block_by_number(self, number: int) -> Block | None: ...


def check_singular_batch(
    config: RollupConfig,
    l1_blocks: Sequence[L1BlockRef],
    safe_head: L2BlockRef,
    batch: SingularBatch,
    inclusion: L1BlockRef,
) -> Validity:
    """l1_blocks: from the safe head's epoch on. inclusion: the L1 block the batch's channel ended in."""
    # spec: batch.constraints, batch.undecided, batch.future, batch.too-old, batch.parent-hash, batch.window
    # spec: batch.epoch-not-older, batch.epoch-advance-unknown, batch.epoch-one-step, batch.epoch-hash
    # spec: batch.time-not-before-origin, epoch.block-every-block-time, holocene.no-future
    if not l1_blocks:
        return Validity.UNDECIDED
    epoch, next_time = l1_blocks[0], safe_head.timestamp + config.block_time
    is_holocene = config.is_holocene(inclusion.timestamp)
    if batch.timestamp > next_time:
        return Validity.DROP if is_holocene else Validity.FUTURE
    if batch.timestamp < next_time:
        return Validity.PAST if is_holocene else Validity.DROP
    if batch.parent_hash != safe_head.hash or batch.epoch_number + config.seq_window_size < inclusion.number:
        return Validity.DROP
    if batch.epoch_number == epoch.number:
        origin = epoch
    elif batch.epoch_number == epoch.number + 1:
        if len(l1_blocks) < 2:
            return Validity.UNDECIDED
        origin = l1_blocks[1]
    else:
        return Validity.DROP
    if batch.epoch_hash != origin.hash or batch.timestamp < origin.timestamp:
        return Validity.DROP
    drift = _check_drift(config, l1_blocks, 0, origin, batch.timestamp, batch.transactions, origin is not epoch)
    if drift is not Validity.ACCEPT:
        return drift
    return _check_transactions(config, batch.timestamp, batch.transactions)


def check_span_batch_prefix(
    config: RollupConfig,
    l1_blocks: Sequence[L1BlockRef],
    safe_head: L2BlockRef,
    batch: SpanBatch,
    inclusion: L1BlockRef,
    chain: SafeChain,
) -> tuple[Validity, L2BlockRef | None]:
    """The checks of a span as a whole; with the block it builds on where they pass."""
    # spec: holocene.span-origin-check, holocene.span-parent-check, holocene.span-no-gap, span.undecided, span.delta
    # spec: span.future, span.one-new-block, span.parent-check, span.window, span.epoch-one-step, span.origin-check
    # spec: span.epoch-not-older
    if not l1_blocks:
        return Validity.UNDECIDED, None
    origin, start = l1_blocks[0], batch.start_epoch
    if start == origin.number + 1:
        if len(l1_blocks) < 2:
            return Validity.UNDECIDED, None
        origin = l1_blocks[1]
    if not config.is_delta(origin.timestamp):
        return Validity.DROP, None
    next_time, is_holocene = safe_head.timestamp + config.block_time, config.is_holocene(inclusion.timestamp)
    if batch.timestamp > next_time:
        return (Validity.DROP if is_holocene else Validity.FUTURE), None
    if batch.blocks[-1].timestamp < next_time:
        return (Validity.PAST if is_holocene else Validity.DROP), None
    validity, parent = _span_parent(config, safe_head, batch, chain)
    if parent is None:
        return validity, None
    if batch.parent_check != parent.hash[:20] or start + config.seq_window_size < inclusion.number:
        return Validity.DROP, None
    if start > parent.l1_origin.number + 1:
        return Validity.DROP, None
    last = next((block for block in l1_blocks if block.number == batch.end_epoch), None)
    if last is None:
        return Validity.UNDECIDED, None
    if batch.l1_origin_check != last.hash[:20] or start < parent.l1_origin.number:
        return Validity.DROP, None
    return Validity.ACCEPT, parent


def check_span_batch(
    config: RollupConfig,
    l1_blocks: Sequence[L1BlockRef],
    safe_head: L2BlockRef,
    batch: SpanBatch,
    inclusion: L1BlockRef,
    chain: SafeChain,
) -> Validity:
    """All checks of a span, before Holocene: it is good as a whole or not at all."""
    # spec: span.block-epoch-not-older, span.block-time
    validity, parent = check_span_batch_prefix(config, l1_blocks, safe_head, batch, inclusion, chain)
    if parent is None:
        return validity
    first, blocks = batch.blocks_after(safe_head.timestamp)
    previous_epoch = batch.blocks[first - 1].epoch_number if first else parent.l1_origin.number
    origin_index = 0
    for block in blocks:
        advanced, previous_epoch = block.epoch_number > previous_epoch, block.epoch_number
        if block.epoch_number < safe_head.l1_origin.number:
            return Validity.DROP
        for index in range(origin_index, len(l1_blocks)):
            if l1_blocks[index].number == block.epoch_number:
                origin_index = index
                break
        else:
            return Validity.DROP
        origin = l1_blocks[origin_index]
        if block.timestamp < origin.timestamp:
            return Validity.DROP
        validity = _check_drift(config, l1_blocks, origin_index, origin, block.timestamp, block.transactions, advanced)
        if validity is Validity.ACCEPT:
            validity = _check_transactions(config, block.timestamp, block.transactions)
        if validity is not Validity.ACCEPT:
            return validity
    return _check_overlap(config, safe_head, batch, parent, chain)


def check_span_batch_holocene(
    config: RollupConfig,
    l1_blocks: Sequence[L1BlockRef],
    safe_head: L2BlockRef,
    batch: SpanBatch,
    inclusion: L1BlockRef,
    chain: SafeChain,
) -> Validity:
    """The checks of a span from Holocene: the prefix, then the overlap with the safe chain.

    holocene/derivation.md, "Span Batches", with specs #928, which adds the overlap checks for every chain since
    Holocene (op-node v1.19.6 has them, v1.19.0 does not). The span's new blocks are checked one by one as they come up.
    """
    # spec: span.overlap
    validity, parent = check_span_batch_prefix(config, l1_blocks, safe_head, batch, inclusion, chain)
    if parent is None:
        return validity
    return _check_overlap(config, safe_head, batch, parent, chain)


def _span_parent(
    config: RollupConfig, safe_head: L2BlockRef, batch: SpanBatch, chain: SafeChain
) -> tuple[Validity, L2BlockRef | None]:
    """The block a span builds on: the safe head, or one before it where the span overlaps the safe chain."""
    # spec: span.aligned
    if batch.timestamp >= safe_head.timestamp + config.block_time:
        return Validity.ACCEPT, safe_head
    behind = safe_head.timestamp - batch.timestamp
    if behind < 0 or behind % config.block_time:
        return Validity.DROP, None
    number = safe_head.number - behind // config.block_time - 1
    if number < config.genesis.l2.number:
        return Validity.DROP, None
    block = chain.block_by_number(number)
    if block is None:
        return Validity.UNDECIDED, None
    return Validity.ACCEPT, l2_block_ref(config, block)


def _check_overlap(
    config: RollupConfig, safe_head: L2BlockRef, batch: SpanBatch, parent: L2BlockRef, chain: SafeChain
) -> Validity:
    """What a span repeats of the safe chain must be equal to it (delta/span-batches.md, "Overlapped blocks checks")."""
    # spec: span.overlap-validated
    for number, theirs in zip(range(parent.number + 1, safe_head.number + 1), batch.blocks, strict=False):
        block = chain.block_by_number(number)
        if block is None:
            return Validity.UNDECIDED
        ours = [item.encode() for item in block.transactions if not item.is_deposit]
        if ours != theirs.transactions:
            return Validity.DROP
        try:
            ref = l2_block_ref(config, block)
        except NotAnL2Block:
            return Validity.DROP
        if ref.l1_origin.number != theirs.epoch_number:
            return Validity.DROP
    return Validity.ACCEPT


def _check_drift(
    config: RollupConfig,
    l1_blocks: Sequence[L1BlockRef],
    origin_index: int,
    origin: L1BlockRef,
    timestamp: int,
    transactions: Sequence[bytes],
    origin_advanced: bool,
) -> Validity:
    """Beyond the sequencer drift a block must be empty, and must take the next origin once it can."""
    # spec: batch.drift, span.undecided, span.drift
    if timestamp <= origin.timestamp + config.max_sequencer_drift_at(origin.timestamp):
        return Validity.ACCEPT
    if transactions:
        return Validity.DROP
    if origin_advanced:
        return Validity.ACCEPT
    if origin_index + 1 >= len(l1_blocks):
        return Validity.UNDECIDED
    return Validity.DROP if timestamp >= l1_blocks[origin_index + 1].timestamp else Validity.ACCEPT


def _check_transactions(config: RollupConfig, timestamp: int, transactions: Sequence[bytes]) -> Validity:
    """No empty ones, no deposits, no set-code ones before Isthmus; none where a fork wants its first block empty.

    No post-exec ones either, since no fork here has them (op-node v1.19.6, checkSequencerTxData).
    """
    # spec: batch.transactions, batch.transaction-types, jovian.batch-check, batch.set-code, span.transactions
    if transactions and config.first_block_is_empty(timestamp):
        return Validity.DROP
    for raw in transactions:
        if not raw or raw[0] in (DEPOSIT, POST_EXEC):
            return Validity.DROP
        if raw[0] == SET_CODE and not config.is_isthmus(timestamp):
            return Validity.DROP
    return Validity.ACCEPT


__all__ = ["SafeChain", "Validity", "check_singular_batch", "check_span_batch", "check_span_batch_holocene"]
