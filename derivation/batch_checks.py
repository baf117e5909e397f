"""When a batch is good (specs protocol/derivation.md, "Batch Queue"; delta/span-batches.md; holocene/derivation.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from derivation.batches import SingularBatch
from derivation.drops import Rule
from derivation.span_batch_transactions import POST_EXEC
from derivation.span_batches import SpanBatch
from rollup.protocol.block import Block
from rollup.protocol.blockref import L1BlockRef, L2BlockRef
from rollup.protocol.config import RollupConfig
from rollup.protocol.l2_blocks import NotAnL2Block, l2_block_ref
from rollup.protocol.transaction import DEPOSIT, SET_CODE


class Validity(Enum):
    """The decision of derivation about a batch."""

    ACCEPT = "accept"
    DROP = "drop"
    UNDECIDED = "undecided"  # more L1 blocks or L2 blocks are needed
    FUTURE = "future"
    PAST = "past"  # from Holocene: passed over without dropping its channel


@dataclass(slots=True, frozen=True)
class Verdict:
    """The decision about a batch, and for a batch that is dropped or skipped the rule and the values that broke it."""

    validity: Validity
    rule: Rule | None = None
    detail: str = ""


_REFUSED_TYPES = {DEPOSIT: Rule.TRANSACTION_DEPOSIT, POST_EXEC: Rule.TRANSACTION_POST_EXEC}
_ACCEPT, _UNDECIDED, _FUTURE = Verdict(Validity.ACCEPT), Verdict(Validity.UNDECIDED), Verdict(Validity.FUTURE)


def _drop(rule: Rule, detail: str = "") -> Verdict:
    return Verdict(Validity.DROP, rule, detail)


def _past(rule: Rule, detail: str, is_holocene: bool) -> Verdict:
    """The verdict on a batch of the past. From Holocene its channel is kept."""
    return Verdict(Validity.PAST if is_holocene else Validity.DROP, rule, detail)


def _have(have: object, want: object) -> str:
    return f"{_text(have)}, expected {_text(want)}"


def _text(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)


class SafeChain(Protocol):
    """The L2 blocks derived so far, which an overlapping span batch must repeat."""

    def block_by_number(self, number: int) -> Block | None: ...


def check_singular_batch(
    config: RollupConfig,
    l1_blocks: Sequence[L1BlockRef],
    safe_head: L2BlockRef,
    batch: SingularBatch,
    inclusion: L1BlockRef,
) -> Verdict:
    """l1_blocks: from the safe head's epoch on. inclusion: the L1 block the batch's channel ended in."""
    # spec: batch.constraints, batch.undecided, batch.future, batch.too-old, batch.parent-hash, batch.window
    # spec: batch.epoch-not-older, batch.epoch-advance-unknown, batch.epoch-one-step, batch.epoch-hash
    # spec: batch.time-not-before-origin, epoch.block-every-block-time, holocene.no-future
    if not l1_blocks:
        return _UNDECIDED
    epoch, next_time = l1_blocks[0], safe_head.timestamp + config.block_time
    is_holocene = config.is_holocene(inclusion.timestamp)
    if batch.timestamp > next_time:
        return _drop(Rule.FUTURE, f"time {_have(batch.timestamp, next_time)}") if is_holocene else _FUTURE
    if batch.timestamp < next_time:
        return _past(Rule.PAST, f"time {_have(batch.timestamp, next_time)}", is_holocene)
    if batch.parent_hash != safe_head.hash:
        return _drop(Rule.PARENT, _have(batch.parent_hash, safe_head.hash))
    if batch.epoch_number + config.seq_window_size < inclusion.number:
        return _drop(Rule.WINDOW, f"L1 origin {batch.epoch_number}, included in {inclusion.number}")
    if batch.epoch_number == epoch.number:
        origin = epoch
    elif batch.epoch_number == epoch.number + 1:
        if len(l1_blocks) < 2:
            return _UNDECIDED
        origin = l1_blocks[1]
    else:
        rule = Rule.EPOCH_OLD if batch.epoch_number < epoch.number else Rule.EPOCH_AHEAD
        return _drop(rule, f"L1 origin {batch.epoch_number}, the parent's is {epoch.number}")
    if batch.epoch_hash != origin.hash:
        return _drop(Rule.EPOCH_HASH, _have(batch.epoch_hash, origin.hash))
    if batch.timestamp < origin.timestamp:
        return _drop(Rule.TIME_BEFORE_ORIGIN, f"time {batch.timestamp}, its L1 origin's is {origin.timestamp}")
    drift = _check_drift(config, l1_blocks, 0, origin, batch.timestamp, batch.transactions, origin is not epoch)
    if drift.validity is not Validity.ACCEPT:
        return drift
    return _check_transactions(config, batch.timestamp, batch.transactions)


def check_span_batch_prefix(
    config: RollupConfig,
    l1_blocks: Sequence[L1BlockRef],
    safe_head: L2BlockRef,
    batch: SpanBatch,
    inclusion: L1BlockRef,
    chain: SafeChain,
) -> tuple[Verdict, L2BlockRef | None]:
    """The checks of a span as a whole; with the block it builds on where they pass."""
    # spec: holocene.span-origin-check, holocene.span-parent-check, holocene.span-no-gap, span.undecided, span.delta
    # spec: span.future, span.one-new-block, span.parent-check, span.window, span.epoch-one-step, span.origin-check
    # spec: span.epoch-not-older
    if not l1_blocks:
        return _UNDECIDED, None
    origin, start = l1_blocks[0], batch.start_epoch
    if start == origin.number + 1:
        if len(l1_blocks) < 2:
            return _UNDECIDED, None
        origin = l1_blocks[1]
    if not config.is_delta(origin.timestamp):
        return _drop(Rule.SPAN_BEFORE_DELTA), None
    next_time, is_holocene = safe_head.timestamp + config.block_time, config.is_holocene(inclusion.timestamp)
    if batch.timestamp > next_time:
        late = f"time {_have(batch.timestamp, next_time)}"
        return (_drop(Rule.SPAN_FUTURE, late) if is_holocene else _FUTURE), None
    last_time = batch.blocks[-1].timestamp
    if last_time < next_time:
        return _past(Rule.SPAN_PAST, f"last time {last_time}, the next is {next_time}", is_holocene), None
    verdict, parent = _span_parent(config, safe_head, batch, chain)
    if parent is None:
        return verdict, None
    if batch.parent_check != parent.hash[:20]:
        return _drop(Rule.SPAN_PARENT, _have(batch.parent_check, parent.hash[:20])), None
    if start + config.seq_window_size < inclusion.number:
        return _drop(Rule.SPAN_WINDOW, f"L1 origin {start}, included in {inclusion.number}"), None
    if start > parent.l1_origin.number + 1:
        return _drop(Rule.SPAN_EPOCH_AHEAD, f"L1 origin {start}, the parent's is {parent.l1_origin.number}"), None
    last = next((block for block in l1_blocks if block.number == batch.end_epoch), None)
    if last is None:
        return _UNDECIDED, None
    if batch.l1_origin_check != last.hash[:20]:
        return _drop(Rule.SPAN_ORIGIN, _have(batch.l1_origin_check, last.hash[:20])), None
    if start < parent.l1_origin.number:
        return _drop(Rule.SPAN_EPOCH_OLD, f"L1 origin {start}, the parent's is {parent.l1_origin.number}"), None
    return _ACCEPT, parent


def check_span_batch(
    config: RollupConfig,
    l1_blocks: Sequence[L1BlockRef],
    safe_head: L2BlockRef,
    batch: SpanBatch,
    inclusion: L1BlockRef,
    chain: SafeChain,
) -> Verdict:
    """All checks of a span, before Holocene: it is good as a whole or not at all."""
    # spec: span.block-epoch-not-older, span.block-time
    verdict, parent = check_span_batch_prefix(config, l1_blocks, safe_head, batch, inclusion, chain)
    if parent is None:
        return verdict
    first, blocks = batch.blocks_after(safe_head.timestamp)
    previous_epoch = batch.blocks[first - 1].epoch_number if first else parent.l1_origin.number
    origin_index = 0
    for block in blocks:
        advanced, previous_epoch = block.epoch_number > previous_epoch, block.epoch_number
        if block.epoch_number < safe_head.l1_origin.number:
            return _drop(Rule.SPAN_EPOCH_OLD, f"L1 origin {block.epoch_number}, the safe head's is later")
        for index in range(origin_index, len(l1_blocks)):
            if l1_blocks[index].number == block.epoch_number:
                origin_index = index
                break
        else:
            return _drop(Rule.SPAN_EPOCH_UNKNOWN, f"L1 origin {block.epoch_number}")
        origin = l1_blocks[origin_index]
        if block.timestamp < origin.timestamp:
            late = f"time {block.timestamp}, its L1 origin's is {origin.timestamp}"
            return _drop(Rule.SPAN_TIME_BEFORE_ORIGIN, late)
        verdict = _check_drift(config, l1_blocks, origin_index, origin, block.timestamp, block.transactions, advanced)
        if verdict.validity is Validity.ACCEPT:
            verdict = _check_transactions(config, block.timestamp, block.transactions)
        if verdict.validity is not Validity.ACCEPT:
            return verdict
    return _check_overlap(config, safe_head, batch, parent, chain)


def check_span_batch_holocene(
    config: RollupConfig,
    l1_blocks: Sequence[L1BlockRef],
    safe_head: L2BlockRef,
    batch: SpanBatch,
    inclusion: L1BlockRef,
    chain: SafeChain,
) -> Verdict:
    """The checks of a span from Holocene: the prefix, then the overlap with the safe chain.

    holocene/derivation.md, "Span Batches", with specs #928, which adds the overlap checks for every chain since
    Holocene (op-node v1.19.6 has them, v1.19.0 does not). The span's new blocks are checked one by one as they come up.
    """
    # spec: span.overlap
    verdict, parent = check_span_batch_prefix(config, l1_blocks, safe_head, batch, inclusion, chain)
    if parent is None:
        return verdict
    return _check_overlap(config, safe_head, batch, parent, chain)


def _span_parent(
    config: RollupConfig, safe_head: L2BlockRef, batch: SpanBatch, chain: SafeChain
) -> tuple[Verdict, L2BlockRef | None]:
    """The block a span builds on: the safe head, or one before it where the span overlaps the safe chain."""
    # spec: span.aligned
    if batch.timestamp >= safe_head.timestamp + config.block_time:
        return _ACCEPT, safe_head
    behind = safe_head.timestamp - batch.timestamp
    if behind < 0 or behind % config.block_time:
        return _drop(Rule.SPAN_ALIGNMENT, f"time {batch.timestamp}, the safe head's is {safe_head.timestamp}"), None
    number = safe_head.number - behind // config.block_time - 1
    if number < config.genesis.l2.number:
        return _drop(Rule.SPAN_BEFORE_GENESIS, f"first block {number + 1}"), None
    block = chain.block_by_number(number)
    if block is None:
        return _UNDECIDED, None
    return _ACCEPT, l2_block_ref(config, block)


def _check_overlap(
    config: RollupConfig, safe_head: L2BlockRef, batch: SpanBatch, parent: L2BlockRef, chain: SafeChain
) -> Verdict:
    """A span's repeated part of the safe chain must equal it (delta/span-batches.md, "Overlapped blocks checks")."""
    # spec: span.overlap-validated
    for number, theirs in zip(range(parent.number + 1, safe_head.number + 1), batch.blocks, strict=False):
        block = chain.block_by_number(number)
        if block is None:
            return _UNDECIDED
        ours = [item.encode() for item in block.transactions if not item.is_deposit]
        if ours != theirs.transactions:
            return _drop(Rule.SPAN_OVERLAP, f"the transactions of block {number}")
        try:
            ref = l2_block_ref(config, block)
        except NotAnL2Block:
            return _drop(Rule.SPAN_OVERLAP, f"block {number} has no L1 attributes")
        if ref.l1_origin.number != theirs.epoch_number:
            origins = _have(theirs.epoch_number, ref.l1_origin.number)
            return _drop(Rule.SPAN_OVERLAP, f"the L1 origin of block {number}: {origins}")
    return _ACCEPT


def _check_drift(
    config: RollupConfig,
    l1_blocks: Sequence[L1BlockRef],
    origin_index: int,
    origin: L1BlockRef,
    timestamp: int,
    transactions: Sequence[bytes],
    origin_advanced: bool,
) -> Verdict:
    """Beyond the sequencer drift a block must be empty, and must take the next origin once it can."""
    # spec: batch.drift, span.undecided, span.drift
    if timestamp <= origin.timestamp + config.max_sequencer_drift_at(origin.timestamp):
        return _ACCEPT
    late = f"time {timestamp}, its L1 origin's is {origin.timestamp}"
    if transactions:
        return _drop(Rule.DRIFT_NOT_EMPTY, late)
    if origin_advanced:
        return _ACCEPT
    if origin_index + 1 >= len(l1_blocks):
        return _UNDECIDED
    return _drop(Rule.DRIFT_ORIGIN, late) if timestamp >= l1_blocks[origin_index + 1].timestamp else _ACCEPT


def _check_transactions(config: RollupConfig, timestamp: int, transactions: Sequence[bytes]) -> Verdict:
    """No empty ones, no deposits, no set-code ones before Isthmus; none where a fork wants its first block empty.

    No post-exec ones either, since no fork here has them (op-node v1.19.6, checkSequencerTxData).
    """
    # spec: batch.transactions, batch.transaction-types, jovian.batch-check, batch.set-code, span.transactions
    if transactions and config.first_block_is_empty(timestamp):
        return _drop(Rule.FORK_BLOCK_NOT_EMPTY, f"{len(transactions)} transactions at time {timestamp}")
    for index, raw in enumerate(transactions):
        if not raw:
            return _drop(Rule.TRANSACTION_EMPTY, f"transaction {index} of the block at time {timestamp}")
        if raw[0] in _REFUSED_TYPES:
            return _drop(_REFUSED_TYPES[raw[0]], f"transaction {index} of the block at time {timestamp}")
        if raw[0] == SET_CODE and not config.is_isthmus(timestamp):
            return _drop(Rule.TRANSACTION_SET_CODE, f"transaction {index} of the block at time {timestamp}")
    return _ACCEPT


__all__ = ["SafeChain", "Validity", "Verdict", "check_singular_batch", "check_span_batch", "check_span_batch_holocene"]
