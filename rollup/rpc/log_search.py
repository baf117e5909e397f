"""Reading the logs of the blocks that may have wanted ones (geth eth/filters). Others have their turn meanwhile."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import orjson

from rollup.cooperative import pause
from rollup.execution.chain import Chain
from rollup.protocol.block import Block
from rollup.protocol.primitives import Hash
from rollup.protocol.receipt import Log
from rollup.rpc.errors import LIMIT_EXCEEDED, RpcError
from rollup.rpc.formats import log_json
from rollup.rpc.limits import MAX_LOG_BYTES, MAX_LOGS
from rollup.rpc.log_query import BlockTest, LogQuery

_LOGS_PER_STEP = 64  # a block of many logs is read in groups of so many
_NEVER = 2**64  # a height that no block has


@dataclass(slots=True, frozen=True)
class BlockChange:
    """A block that joined the canonical chain, or left it."""

    block_hash: Hash
    is_removed: bool


def encoded_log(log: Log, index: int, place: int, block: Block, *, removed: bool) -> bytes:
    """A log object as JSON text. index: of the log in its block; place: of its transaction."""
    return orjson.dumps(log_json(log, index, block.transactions[place].hash, place, block, removed=removed))


def logs_of(chain: Chain, block: Block) -> Iterator[tuple[Log, int, int]]:
    """The logs of a block, each with its index in the block and the place of its transaction."""
    index = 0
    for place, receipt in enumerate(chain.receipts(block.hash) or []):
        for log in receipt.logs:
            yield log, index, place
            index += 1


class LogSearch:
    """The logs of a query, found so far, as JSON texts.

    check_interrupt lets others have their turn. It is called between blocks, and within a block of many logs. It ends
    the search by an exception.
    """

    def __init__(self, chain: Chain, query: LogQuery, check_interrupt: Callable[[], None] = pause) -> None:
        self._chain = chain
        self._check_interrupt = check_interrupt
        self._query = query
        self._test = BlockTest(query)
        self._groups = query.index_groups()
        self._found: list[tuple[int, bytes]] = []
        self._size = 0
        self._next = 0
        self._rewinds = 0
        self.read = 0

    @property
    def found(self) -> list[orjson.Fragment]:
        """The logs found, encoded for an answer."""
        return [orjson.Fragment(text) for _, text in self._found]

    def canonical(self, start: int, stop: int) -> None:
        """Searches canonical blocks; raises RpcError when there is too much to answer."""
        self._next = start
        while self._next <= stop:
            rewinds = self._rewinds
            heights, following = self._candidates(self._next, stop + 1)
            for height in heights:
                if self._rewinds != rewinds:
                    break  # the chain changed: other blocks may have logs now
                block_hash = self._chain.canonical_hash(height)
                self._next = height + 1
                if block_hash is not None:
                    self._read(block_hash, self._check_size)
            if self._rewinds == rewinds:
                self._next = following

    def _candidates(self, start: int, stop: int) -> tuple[Iterable[int], int]:
        """Heights from start on at which a block may have wanted logs, and the height at which the next ones begin."""
        self._check_interrupt()
        if self._chain.logs.covers(start):
            return self._chain.logs.heights(self._groups, start, stop, self._check_interrupt)
        return (start,), start + 1

    def changes(self, changes: Iterable[BlockChange]) -> None:
        """Searches blocks by hash, until the answer is long enough; read counts those that were searched."""
        self._next = _NEVER
        for change in changes:
            if len(self._found) >= MAX_LOGS or self._size >= MAX_LOG_BYTES:
                return
            self._read(change.block_hash, removed=change.is_removed)
            self.read += 1

    def rewind(self, number: int) -> None:
        """Searches again from this height on, because the canonical chain changed there."""
        while self._found and self._found[-1][0] >= number:
            self._size -= len(self._found.pop()[1])
        self._rewinds += 1
        self._next = min(self._next, number)

    def _read(self, block_hash: Hash, on_found: Callable[[], None] = lambda: None, *, removed: bool = False) -> None:
        """Adds the wanted logs of a block; stops when the search was rewound to it or before it meanwhile."""
        height = self._next
        self._check_interrupt()
        if self._next < height:
            return
        header = self._chain.header(block_hash)
        if header is None or not self._query.covers(header.number) or not self._test.may_match(header.logs_bloom):
            return
        block = self._chain.block(block_hash)
        if block is None:
            return
        for log, index, place in logs_of(self._chain, block):
            if index % _LOGS_PER_STEP == _LOGS_PER_STEP - 1:
                self._check_interrupt()
                if self._next < height:
                    return
            if self._query.matches(log):
                text = encoded_log(log, index, place, block, removed=removed)
                self._found.append((block.number, text))
                self._size += len(text)
                on_found()

    def _check_size(self) -> None:
        if len(self._found) > MAX_LOGS:
            raise RpcError(f"query returned more than {MAX_LOGS} results", LIMIT_EXCEEDED)
        if self._size > MAX_LOG_BYTES:
            raise RpcError(f"query returned more than {MAX_LOG_BYTES} bytes", LIMIT_EXCEEDED)
