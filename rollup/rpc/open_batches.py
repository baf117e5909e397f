"""Finds the L1 transactions that carried an L2 block, by reading L1 again as derivation reads it.

A batch is on L1 after its block's origin, in a channel whose first frame may be up to a channel timeout older. The
result is the first channel with exactly this block's origin, time and transactions.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TypeVar

from derivation.batches import BatchError, SingularBatch
from derivation.channel_reader import Batch, ChannelReader
from derivation.channels import Channel, ChannelData
from derivation.errors import NotEnoughData, NotFound
from derivation.frames import FrameError, decode_frames
from derivation.l1_retrieval import batcher_data
from derivation.sources import BlobSource, L1Source
from rollup.cooperative import in_turns, pause
from rollup.protocol.blobs import BlobError, decode_blob
from rollup.protocol.block import Block
from rollup.protocol.blockref import BlockId, L1BlockRef
from rollup.protocol.config import RollupConfig
from rollup.protocol.l2_blocks import l1_attributes_of, l2_block_ref
from rollup.protocol.primitives import Address, Hash, keccak256
from rollup.protocol.transaction import Transaction

_KEPT_CHANNELS = 256
_KEPT_ANSWERS = 4096

_Value = TypeVar("_Value")

# A block in a batch: its time, its L1 origin's number, a hash over its transactions.
BatchedBlock = tuple[int, int, Hash]


@dataclass(slots=True, frozen=True)
class Carrier:
    """The channel a block's batch came in: its id, the transactions of its frames with their L1 blocks, in order."""

    channel_id: bytes
    transactions: tuple[tuple[Hash, BlockId], ...]

    @property
    def included_in(self) -> BlockId:
        """The L1 block that completed it."""
        return self.transactions[-1][1]


@dataclass(slots=True)
class _Open:
    channel: Channel
    transactions: list[tuple[Hash, BlockId]] = field(default_factory=list)


class BatchFinder:
    """Finds them, and caches decoded channels."""

    def __init__(self, config: RollupConfig, l1: L1Source, blobs: BlobSource) -> None:
        self._config = config
        self._l1 = l1
        self._blobs = blobs
        self._decoded: OrderedDict[Hash, frozenset[BatchedBlock]] = OrderedDict()
        self._answers: OrderedDict[Hash, Carrier] = OrderedDict()

    def find(self, block: Block) -> Carrier | None:
        """The carrier of a block's batch; None while its batch is not on L1. Raises Temporary if L1 does not answer."""
        known = self._answers.get(block.hash)
        if known is not None:
            try:
                if self._l1.ref_by_number(known.included_in.number).hash == known.included_in.hash:
                    return known
            except NotFound:
                pass  # a shorter L1 since
            del self._answers[block.hash]
        if block.number <= self._config.genesis.l2.number:
            return None
        found = self._search(block)
        if found is not None:
            _keep(self._answers, block.hash, found, _KEPT_ANSWERS)
        return found

    def _search(self, block: Block) -> Carrier | None:
        config = self._config
        origin = l2_block_ref(config, block).l1_origin
        batcher = l1_attributes_of(block).batcher_address
        wanted = (block.timestamp, origin.number, _transactions_hash(_user_transactions(block)))
        head = self._l1.head().number
        first = max(origin.number + 1 - config.channel_timeout_at(block.timestamp), config.genesis.l1.number)
        channels: dict[bytes, _Open] = {}
        for number in in_turns(range(first, min(head, origin.number + config.seq_window_size) + 1)):
            ref = self._l1.ref_by_number(number)
            for transaction in self._l1.transactions(ref.hash):
                if transaction.to != config.batch_inbox_address:
                    continue
                for data in self._data(ref, batcher, transaction):
                    for open_channel in self._add(channels, data, ref, transaction.hash):
                        if number > origin.number and wanted in self._blocks(open_channel, ref):
                            return Carrier(open_channel.channel.channel_id, tuple(open_channel.transactions))
        return None

    def _data(self, ref: L1BlockRef, batcher: Address, transaction: Transaction) -> list[bytes]:
        config = self._config
        found = batcher_data(
            config.batch_inbox_address, batcher, [transaction], allow_blobs=config.is_ecotone(ref.timestamp)
        )
        data = [item.calldata for item in found if item.calldata is not None]
        hashes = [item.blob_hash for item in found if item.blob_hash is not None]
        for blob in self._blobs.blobs(ref, hashes) if hashes else []:
            try:
                data.append(decode_blob(blob))
            except BlobError:
                continue
        return data

    def _add(self, channels: dict[bytes, _Open], data: bytes, ref: L1BlockRef, tx_hash: Hash) -> list[_Open]:
        """Takes a transaction's frames in; the channels they complete."""
        try:
            frames = decode_frames(data)
        except FrameError:
            return []
        complete = []
        for frame in frames:
            known = channels.get(frame.channel_id)
            if known is None or known.channel.is_timed_out(self._config, ref):
                known = channels[frame.channel_id] = _Open(Channel(frame.channel_id, ref))
            if not known.channel.add(frame, ref):
                continue
            if not known.transactions or known.transactions[-1][0] != tx_hash:
                known.transactions.append((tx_hash, BlockId(ref.hash, ref.number)))
            if known.channel.is_ready:
                complete.append(channels.pop(frame.channel_id))
        return complete

    def _blocks(self, complete: _Open, ref: L1BlockRef) -> frozenset[BatchedBlock]:
        data = complete.channel.data()
        key = keccak256(data.data)
        blocks = self._decoded.get(key)
        if blocks is None:
            blocks = frozenset(_batched_blocks(self._config, data, ref))
            _keep(self._decoded, key, blocks, _KEPT_CHANNELS)
        return blocks


class _OneChannel:
    """A channel source with one channel."""

    def __init__(self, data: ChannelData, origin: L1BlockRef) -> None:
        self._data: ChannelData | None = data
        self.origin: L1BlockRef | None = origin

    def next_channel(self) -> ChannelData:
        """The channel, once."""
        data, self._data = self._data, None
        if data is None:
            raise NotEnoughData
        return data

    def flush(self) -> None:
        """Drops the data that is left: no stage reads it."""
        self._data = None


def _batched_blocks(config: RollupConfig, data: ChannelData, ref: L1BlockRef) -> list[BatchedBlock]:
    """The blocks of every batch up to the first defect."""
    reader = ChannelReader(config, _OneChannel(data, ref))
    found: list[BatchedBlock] = []
    while True:
        try:
            found += _blocks_of(reader.next_batch())
        except (NotEnoughData, BatchError):
            return found
        pause()


def _blocks_of(batch: Batch) -> list[BatchedBlock]:
    if isinstance(batch, SingularBatch):
        return [(batch.timestamp, batch.epoch_number, _transactions_hash(batch.transactions))]
    return [(block.timestamp, block.epoch_number, _transactions_hash(block.transactions)) for block in batch.blocks]


def _user_transactions(block: Block) -> list[bytes]:
    return [transaction.encode() for transaction in block.transactions if not transaction.is_deposit]


def _transactions_hash(transactions: list[bytes]) -> Hash:
    return keccak256(b"".join([keccak256(transaction) for transaction in transactions]))


def _keep(cache: "OrderedDict[Hash, _Value]", key: Hash, value: _Value, limit: int) -> None:
    cache[key] = value
    if len(cache) > limit:
        cache.popitem(last=False)
