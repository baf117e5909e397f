"""The Engine API in process: one engine, used by the sequencer, the verifier and clients of the authenticated port.

Method semantics: execution-apis src/engine, specs protocol/exec-engine.md; where they leave a choice, op-geth's.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import structlog

from rollup.execution.block_builder import BlockBuilder, Sealed
from rollup.execution.block_context import BlockContext, InvalidPayloadAttributes, l2_base_fee, l2_context
from rollup.execution.block_filling import BlockFilling, FillingProgress, TransactionSource
from rollup.execution.chain import Chain, ReorgTooDeep
from rollup.execution.chain_view import UnknownBlock
from rollup.execution.config import L2Config
from rollup.execution.da_limits import within_da_limits
from rollup.execution.errors import InvalidBlock, InvalidTransaction
from rollup.execution.reexecution import validate_block
from rollup.execution.senders import recover_senders
from rollup.execution.state.database import StateUnavailable
from rollup.protocol.block import Block
from rollup.protocol.known_transactions import known_or_decoded
from rollup.protocol.payload import PayloadAttributes
from rollup.protocol.primitives import ZERO_HASH, Hash
from rollup.protocol.transaction import Transaction, TransactionError

log = structlog.get_logger()

_KEPT_PAYLOADS = 10
_KEPT_INVALID = 128


class InvalidForkchoiceState(ValueError):
    """Safe or finalized is unknown or not an ancestor of the head (-38002)."""


class TooDeepReorg(InvalidForkchoiceState):
    """The head cannot go back that far: the states of the blocks to undo are no longer kept."""


class UnknownPayload(LookupError):
    """No payload is being built under this id (-38001)."""


@dataclass(slots=True, frozen=True)
class PayloadStatus:
    """VALID, INVALID, SYNCING or ACCEPTED; the newest valid ancestor; why not."""

    status: str
    latest_valid_hash: Hash | None = None
    validation_error: str | None = None


@dataclass(slots=True, frozen=True)
class ForkchoiceResult:
    """The head's status, and the id of the payload that was begun, if any."""

    status: PayloadStatus
    payload_id: bytes | None = None


@dataclass(slots=True)
class _OpenPayload:
    """A payload that is filled before it is asked for."""

    payload_id: bytes
    builder: BlockBuilder
    progress: FillingProgress


class Engine:
    """Executes blocks for one L2 chain. A payload is built as soon as its attributes arrive."""

    def __init__(
        self,
        chain: Chain,
        config: L2Config,
        pool: TransactionSource | None = None,
        seconds: Callable[[], float] | None = None,
    ) -> None:
        """seconds: any clock; with one, the pool's transactions have a limited time (block_filling.py)."""
        self.chain = chain
        self.config = config
        self.pool = pool
        self._filling = BlockFilling(pool) if pool is not None else None
        # The batcher's throttle (miner_setMaxDASize): compressed bytes per transaction and per block, None without a
        # limit.
        self.max_da_transaction: int | None = None
        self.max_da_block: int | None = None
        self.seconds = seconds
        self._payloads: OrderedDict[bytes, Sealed] = OrderedDict()
        self._sealed: OrderedDict[Hash, Sealed] = OrderedDict()
        self._invalid: OrderedDict[Hash, tuple[Hash | None, str]] = OrderedDict()
        self._revisions = self._revisions_now()
        self._last_built: Hash | None = None  # the block that was filled last, until it is the head
        self._opened: _OpenPayload | None = None  # never while its builder is at work

    def forkchoice_updated(
        self, head: Hash, safe: Hash, finalized: Hash, attributes: PayloadAttributes | None = None
    ) -> ForkchoiceResult:
        """Sets the three heads (zero leaves safe or finalized) and begins a payload on the head.

        The labels are checked before the head moves (Engine API, Paris, engine_forkchoiceUpdatedV1: updates are
        atomic). Raises InvalidForkchoiceState with nothing changed; InvalidPayloadAttributes with the heads set.
        """
        self._forget_outdated()
        if head in self._invalid:
            ancestor, reason = self._invalid[head]
            return ForkchoiceResult(PayloadStatus("INVALID", ancestor, reason))
        block = self.chain.block(head)
        if block is None:
            return ForkchoiceResult(PayloadStatus("SYNCING"))
        try:
            self.chain.set_head(head, _given(safe), _given(finalized))
        except ReorgTooDeep as error:
            raise TooDeepReorg(str(error)) from error
        except UnknownBlock as error:
            raise InvalidForkchoiceState(str(error)) from error
        if head == self._last_built and self._filling is not None and self.seconds is not None:
            self._filling.adopted(self.seconds)
            self._last_built = None
        status = PayloadStatus("VALID", head)
        if attributes is None:
            return ForkchoiceResult(status)
        return ForkchoiceResult(status, self._begin_payload(block, attributes))

    def fill_ahead(self, attributes: PayloadAttributes, most: float) -> bool:
        """Takes the pool's transactions into the payload that these attributes give on the head, for some seconds.

        forkchoice_updated with the same attributes then takes the rest and seals it. Other calls are not affected. An
        error, a change of state patches and a limit by the batcher's throttle discard what was taken, and so does a
        transaction that has left the pool since. Returns whether another call would find more now. Raises
        InvalidPayloadAttributes.
        """
        head = self.chain.head
        payload_id = _payload_id(head.hash, attributes)
        opened = self._take_opened(payload_id)
        pool, filling, clock = self.pool, self._filling, self.seconds
        if pool is None or filling is None or clock is None or attributes.no_tx_pool or self._has_da_limits:
            return False
        if opened is None:
            context = l2_context(self.config, head.header, attributes, head.hash)
            opened = _OpenPayload(payload_id, self._begun(context, attributes), FillingProgress())
        builder, progress = opened.builder, opened.progress
        offers = self._offers
        has_more = filling.fill_part(builder, lambda: offers(builder, pool, progress), clock, progress, most)
        self._opened = opened
        return has_more

    def get_payload(self, payload_id: bytes) -> Block:
        """The block built under an id; raises UnknownPayload."""
        sealed = self._payloads.get(payload_id)
        if sealed is None:
            raise UnknownPayload("Unknown payload")
        return sealed.executed.block

    def payload_value(self, payload_id: bytes) -> int:
        """The tips of the block built under an id, wei (Engine API: blockValue); raises UnknownPayload."""
        block = self.get_payload(payload_id)
        receipts = self._payloads[payload_id].executed.receipts
        base_fee = block.header.base_fee_per_gas or 0
        return sum(
            receipt.gas_used * (transaction.effective_gas_price(base_fee) - base_fee)
            for transaction, receipt in zip(block.transactions, receipts, strict=True)
            if not transaction.is_deposit
        )

    def new_payload(self, block: Block) -> PayloadStatus:
        """Executes and stores a block; the head stays where it is."""
        # spec: deposit.authenticated, gossip.block-hash
        header = block.header
        if block.hash != header.hash:
            text = f"blockhash mismatch, want {block.hash.hex()}, got {header.hash.hex()}"
            return PayloadStatus("INVALID", None, text)
        if self.chain.block(block.hash) is not None:
            return PayloadStatus("VALID", block.hash)
        self._forget_outdated()
        if header.parent_hash in self._invalid:
            ancestor, reason = self._invalid[header.parent_hash]
            return self._refuse(block.hash, ancestor, f"links to a rejected block: {reason}")
        parent = self.chain.header(header.parent_hash)
        if parent is None:
            return PayloadStatus("SYNCING")
        sealed = self._sealed.pop(block.hash, None)
        try:
            if sealed is None:
                self._check_link(block, parent.number, parent.timestamp)
                states = self.chain.states
                sealed = validate_block(self.config, parent, states, self._ancestors(header.parent_hash), block)
        except StateUnavailable:
            return PayloadStatus("ACCEPTED")
        except InvalidBlock as error:
            return self._refuse(block.hash, header.parent_hash, str(error))
        self.chain.insert(sealed.executed, sealed.staged)
        return PayloadStatus("VALID", block.hash)

    # ---------------------------------------------------------------- inside
    def _revisions_now(self) -> list[int]:
        return [change.revision for change in self.config.irregular]

    def _forget_outdated(self) -> None:
        """Forgets what was built and refused under other state patches: the same attributes now give another block."""
        revisions = self._revisions_now()
        if revisions != self._revisions:
            self._revisions = revisions
            for found in (self._payloads, self._sealed, self._invalid):
                found.clear()
            self._opened = None

    def _check_link(self, block: Block, parent_number: int, parent_time: int) -> None:
        header = block.header
        if header.number != parent_number + 1:
            raise InvalidBlock("number", parent_number + 1, header.number)
        if header.timestamp <= parent_time:
            raise InvalidBlock("timestamp", f"above {parent_time}", header.timestamp)

    def _refuse(self, block_hash: Hash, ancestor: Hash | None, reason: str) -> PayloadStatus:
        self._invalid[block_hash] = (ancestor, reason)
        if len(self._invalid) > _KEPT_INVALID:
            self._invalid.popitem(last=False)
        return PayloadStatus("INVALID", ancestor, reason)

    def _begin_payload(self, parent: Block, attributes: PayloadAttributes) -> bytes:
        context = l2_context(self.config, parent.header, attributes, parent.hash)
        payload_id = _payload_id(parent.hash, attributes)
        if payload_id in self._payloads and attributes.no_tx_pool:
            return payload_id
        try:
            opened = self._take_opened(payload_id)
            sealed = self._build(context, attributes, opened if opened is not None and self._holds(opened) else None)
        except StateUnavailable as error:
            raise TooDeepReorg(str(error)) from error
        self._payloads[payload_id] = sealed
        self._payloads.move_to_end(payload_id)
        self._sealed[sealed.executed.block.hash] = sealed
        for kept in (self._payloads, self._sealed):
            while len(kept) > _KEPT_PAYLOADS:
                kept.popitem(last=False)
        return payload_id

    def _take_opened(self, payload_id: bytes) -> _OpenPayload | None:
        """Removes and returns the payload that was filled ahead; None if it is another one or may not be used."""
        self._forget_outdated()
        opened, self._opened = self._opened, None
        is_usable = opened is not None and opened.payload_id == payload_id and not self._has_da_limits
        return opened if is_usable else None

    def _holds(self, opened: _OpenPayload) -> bool:
        """Whether the pool still has every transaction that was taken from it."""
        pool, taken = self.pool, opened.builder.transactions
        return pool is not None and all(item.is_deposit or pool.get(item.hash) is not None for item in taken)

    @property
    def _has_da_limits(self) -> bool:
        return self.max_da_block is not None or self.max_da_transaction is not None

    def _begun(self, context: BlockContext, attributes: PayloadAttributes) -> BlockBuilder:
        """A builder that has the transactions of the attributes; raises InvalidPayloadAttributes."""
        # spec: engine-api.forced-transactions
        builder = BlockBuilder(self.config, context, self.chain.states, self._ancestors(context.parent_hash))
        builder.begin()
        for index, transaction in enumerate(_decode_all(attributes.transactions)):
            try:
                builder.apply(transaction)
            except InvalidTransaction as error:
                raise InvalidPayloadAttributes(f"transaction {index}: {error}") from error
        return builder

    def _build(self, context: BlockContext, attributes: PayloadAttributes, opened: _OpenPayload | None) -> Sealed:
        # spec: driver.no-pool, engine-api.no-tx-pool
        builder = self._begun(context, attributes) if opened is None else opened.builder
        pool = None if attributes.no_tx_pool else self.pool
        if pool is None or self._filling is None:
            return builder.seal()
        progress = FillingProgress() if opened is None else opened.progress
        offers = self._offers
        self._filling.fill(builder, lambda: offers(builder, pool, progress), self.seconds, progress)
        sealed = builder.seal()
        self._last_built = sealed.executed.block.hash
        return sealed

    @property
    def has_slow_transactions(self) -> bool:
        """Whether the pool has transactions that are executed ahead."""
        return self._filling is not None and self._filling.has_slow_transactions

    def execute_ahead(self, may_begin: Callable[[], bool] = lambda: True) -> bool:
        """Executes one of the pool's slow transactions for a later block. Returns False if there is nothing to do.

        It changes no chain and may run while a block is built (block_filling.py). may_begin: False while a block is
        due.
        """
        if self._filling is None or self.seconds is None:
            return False
        return self._filling.execute_ahead(self._builder_ahead, self.seconds, may_begin)

    def _builder_ahead(self, last: BlockContext, distance: int) -> BlockBuilder:
        """A builder for the block that many blocks after the head, in the same epoch as the last block."""
        head = self.chain.head
        timestamp = head.timestamp + distance * (last.timestamp - last.parent.timestamp)
        context = replace(
            last,
            parent=head.header,
            parent_hash=head.hash,
            number=head.number + distance,
            timestamp=timestamp,
            base_fee=l2_base_fee(self.config, head.header, timestamp),
        )
        return BlockBuilder(self.config, context, self.chain.states, self._ancestors(head.hash), ahead=True)

    def _offers(
        self, builder: BlockBuilder, pool: TransactionSource, progress: FillingProgress
    ) -> Iterator[Transaction]:
        pending = pool.pending(builder.context.base_fee, progress.next_nonces)
        if not self._has_da_limits:
            return pending
        return within_da_limits(pending, builder, pool, self.max_da_transaction, self.max_da_block)

    def _ancestors(self, parent_hash: Hash) -> "AncestorHashes":
        return AncestorHashes(self.chain, parent_hash)


class AncestorHashes:
    """Hashes of a block's ancestors by number, on the block's own branch (BLOCKHASH)."""

    __slots__ = ("_cache", "_chain", "_parent")

    def __init__(self, chain: Chain, parent_hash: Hash) -> None:
        self._chain = chain
        self._parent = parent_hash
        self._cache: dict[int, Hash] = {}

    def __call__(self, number: int) -> Hash | None:
        """The ancestor's hash, or None if there is no such ancestor."""
        if not self._cache:
            parent = self._chain.header(self._parent)
            if parent is None:
                return None
            self._cache[parent.number] = self._parent
        lowest = min(self._cache)
        while lowest > number:
            block_hash = self._cache[lowest]
            if self._chain.is_canonical(block_hash):
                return self._chain.canonical_hash(number)
            header = self._chain.header(block_hash)
            if header is None:
                return None
            lowest -= 1
            self._cache[lowest] = header.parent_hash
        return self._cache.get(number)


def _given(block_hash: Hash) -> Hash | None:
    return None if block_hash == ZERO_HASH else block_hash


def _decode_all(raws: Sequence[bytes]) -> list[Transaction]:
    """The transactions of payload attributes, senders known; raises InvalidPayloadAttributes."""
    transactions = []
    for index, raw in enumerate(raws):
        try:
            transactions.append(known_or_decoded(raw))
        except TransactionError as error:
            raise InvalidPayloadAttributes(f"transaction {index}: {error}") from error
    recover_senders([transaction for transaction in transactions if not transaction.is_deposit])
    return transactions


def _payload_id(parent_hash: Hash, attributes: PayloadAttributes) -> bytes:
    """8 bytes that differ where parent or attributes do; the first is the Engine API version."""
    digest = sha256(parent_hash)
    for part in (
        attributes.timestamp.to_bytes(8, "big"),
        attributes.prev_randao,
        attributes.fee_recipient,
        attributes.parent_beacon_block_root or b"",
        bytes((attributes.no_tx_pool,)),
        attributes.gas_limit.to_bytes(8, "big"),
        attributes.eip1559_params or b"",
        (attributes.min_base_fee or 0).to_bytes(8, "big"),
        *attributes.transactions,
    ):
        digest.update(len(part).to_bytes(4, "big") + part)
    return b"\3" + digest.digest()[:7]
