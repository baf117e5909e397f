"""The index of a chain: opening it, updating it to the head, and following reorganisations.

It pulls: `update` compares its own tip with the canonical chain. So a killed node, a chain that grew without the index
and a reorganisation of any depth are one case. A file that is foreign, broken or of another version is deleted and
built again from the blocks.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from attribution_precompile import ADDRESS_BYTES, layout, words
from rollup.cooperative import in_turns, pause, running_time
from rollup.execution.chain import Chain
from rollup.execution.config import L2Config
from rollup.execution.state.reader import StateReader
from rollup.index import schema
from rollup.index.costs import BlockCosts
from rollup.index.database import connect, transaction, write_rows
from rollup.index.existing import ForeignEvents
from rollup.index.ingest import Ingest
from rollup.index.registration import read_registration
from rollup.index.rows import ModelRow, PlatformRow
from rollup.index.schema import LOG_TABLES, POSITION_BITS
from rollup.index.working import Working
from rollup.protocol.block import Block
from rollup.protocol.primitives import ZERO_ADDRESS, Address, Hash

log = structlog.get_logger()

_BATCH_BLOCKS = 200
_BATCH_ROWS = 20_000
_COLUMNS = {"tx": 8, "inference": 10, "credit": 9, "membership": 7, "claim": 5, "training": 6}


class IndexUnavailable(Exception):
    """The index cannot answer. The message gives the reason."""


def genesis_platform(storage: dict[int, int]) -> PlatformRow:
    """The platform's parameters from the account's genesis storage, which no event contains."""
    treasury, bps, _ = words.unpack_platform(storage.get(layout.PLATFORM, 0))
    admin = storage.get(layout.ADMIN, 0) & layout.MASK_160
    return PlatformRow(admin.to_bytes(20, "big"), treasury.to_bytes(20, "big"), bps)


class Index:
    """The summary of one chain's attribution events."""

    def __init__(self, chain: Chain, config: L2Config, platform: PlatformRow, path: Path | None = None) -> None:
        """`platform` is as of genesis. Without a path everything is in memory. Raises IndexUnavailable."""
        self.chain = chain
        self.config = config
        self._genesis_platform = platform
        self._path = path
        self._tip: tuple[int, Hash] = (0, chain.genesis.hash)
        self._unwinds_to: tuple[int, Hash] = self._tip
        self._state: StateReader | None = None  # of the tip, while the index is read
        self._is_updating = False
        self._target = chain.genesis.hash  # the head when the block that is being read was found
        self._open()

    # ------------------------------------------------------------ opening
    def _open(self) -> None:
        try:
            self._connect()
            if not self._is_ours():
                self._begin()
        except (sqlite3.Error, OSError):
            self._begin()

    def _connect(self) -> None:
        self.database = connect(self._path)
        self.rows = Working(self.database)
        self._ingest = Ingest(self.rows, self._read_registration)

    def _is_ours(self) -> bool:
        tables = self.database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'meta'").fetchone()
        if not tables[0]:
            return False
        kept = dict(self.database.execute("SELECT key, value FROM meta"))
        if kept.get("version") != schema.VERSION or kept.get("genesis") != self.chain.genesis.hash:
            log.warning("attribution index: of another chain or version, built again", path=str(self._path))
            return False
        self._tip = kept["tip"], kept["tip_hash"]
        self._unwinds_to = kept["unwinds_to"], kept["unwinds_hash"]
        return True

    def _begin(self) -> None:
        """Makes an empty index and replaces whatever is there."""
        try:
            self.close()
            if self._path is not None:
                for suffix in ("", "-wal", "-shm"):
                    self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            self._connect()
            self.database.executescript(schema.statements())
        except (sqlite3.Error, OSError) as error:
            raise IndexUnavailable(f"attribution index {self._path}: {error}") from error
        self._tip = self._unwinds_to = 0, self.chain.genesis.hash
        row, given = self.rows.platform.touch(0), self._genesis_platform
        row.admin, row.treasury, row.bps = given.admin, given.treasury, given.bps
        self.rows.platform.end_block(None)
        with transaction(self.database):
            self._set("version", schema.VERSION)
            self._set("genesis", self.chain.genesis.hash)
            self.rows.platform.write()
            self._write_tip(self._tip, self._unwinds_to)
        self.rows.platform.clean()

    def close(self) -> None:
        """Closes the file. Rows that are written stay."""
        if hasattr(self, "database"):
            self.database.close()

    # ------------------------------------------------------------ following
    @property
    def tip(self) -> tuple[int, Hash]:
        """Number and hash of the last block in the index."""
        return self._tip

    @property
    def is_current(self) -> bool:
        """Whether the tip is the chain's head."""
        return self._tip[1] == self.chain.head.hash

    @property
    def head(self) -> Block:
        """The last block in the index."""
        block = self.chain.block(self._tip[1])
        if block is None:
            raise IndexUnavailable(f"attribution index: block {self._tip[0]} is missing")
        return block

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keeps the index and its state as they are, although the chain grows between two check points. Raises
        StateUnavailable.
        """
        assert self._state is None, "one reader at a time"
        self._state = self._state_of_tip()
        try:
            yield
        finally:
            self._state = None

    def update(self, seconds: float | None = None) -> bool:
        """Reads new blocks for at most the given time. Returns whether the index is at the head. An index that is being
        read stays where it is, which counts as the head. Raises IndexUnavailable.
        """
        if self.is_current or self._state is not None:
            return True
        assert not self._is_updating, "one update at a time"
        deadline = None if seconds is None else running_time() + seconds
        self._is_updating = True
        is_whole = False
        try:
            while not self.is_current:
                self._unwind_to_canonical()
                self._take_batch(deadline)
                if deadline is not None and running_time() >= deadline:
                    break
            is_whole = True
        except (ForeignEvents, sqlite3.Error) as error:
            raise IndexUnavailable(f"attribution index: {error}") from error
        finally:
            self._is_updating = False
            if not is_whole:
                self._drop_unwritten()
        return self.is_current

    def _drop_unwritten(self) -> None:
        """Discards unwritten changes. The next update reads those blocks again."""
        for table in self.rows.tables:
            table.drop()
        for rows in self._ingest.logs.values():
            rows.clear()

    def _take_batch(self, deadline: float | None) -> None:
        """Reads blocks after the tip and writes them in one transaction with the new tip."""
        finalized = self.chain.finalized
        tip, blocks = self._tip, []
        # The chain may grow or be reorganised at a check point. After a reorganisation the next batch unwinds.
        while tip[0] < self.chain.head.number and self.chain.canonical_hash(tip[0]) == tip[1]:
            self._target = self.chain.head.hash
            number = tip[0] + 1
            block = self._block(number)
            receipts = self.chain.receipts(block.hash)
            if receipts is None:
                raise IndexUnavailable(f"attribution index: the receipts of block {number} are missing")
            if self._ingest.block(block, receipts, BlockCosts(self.config, block)):
                blocks.append((number, block.hash))
            for table in self.rows.tables:
                table.end_block(number if number > finalized.number else None)
            tip = number, block.hash
            if number - self._tip[0] >= _BATCH_BLOCKS or len(self._ingest.logs["credit"]) >= _BATCH_ROWS:
                break
            if deadline is not None and running_time() >= deadline:
                break
            pause()
        self._write(tip, blocks, finalized)

    def _write(self, tip: tuple[int, Hash], blocks: list[tuple[int, Hash]], finalized: Block) -> None:
        """Writes what was read up to a new tip, and marks it as written."""
        before = self._unwinds_to
        unwinds_to = before
        if finalized.number > before[0]:
            unwinds_to = (finalized.number, finalized.hash) if finalized.number <= tip[0] else tip
        with transaction(self.database):
            for name in LOG_TABLES:
                marks = ", ".join("?" * _COLUMNS[name])
                write_rows(self.database, f"INSERT INTO {name} VALUES ({marks})", self._ingest.logs[name])
            write_rows(self.database, "INSERT INTO block VALUES (?, ?)", blocks)
            for table in self.rows.tables:
                table.write()
                if unwinds_to != before:
                    table.prune(unwinds_to[0])
            self._write_tip(tip, unwinds_to)
        self._tip, self._unwinds_to = tip, unwinds_to
        for table in self.rows.tables:
            table.clean()
        for rows in self._ingest.logs.values():
            rows.clear()

    def _block(self, number: int) -> Block:
        block = self.chain.block_by_number(number)
        if block is None:
            raise IndexUnavailable(f"attribution index: block {number} is missing")
        return block

    # ------------------------------------------------------------ reorganisations
    def _unwind_to_canonical(self) -> None:
        if self.chain.canonical_hash(self._tip[0]) == self._tip[1]:
            return
        ancestor = self._ancestor()
        if ancestor is None:
            log.warning("attribution index: reorganised below the finalized block, built again")
            self._begin()
            return
        with transaction(self.database):
            for number in in_turns(range(self._tip[0], ancestor[0], -1)):
                first = number << POSITION_BITS
                for name in LOG_TABLES:
                    self.database.execute(f"DELETE FROM {name} WHERE position >= ?", (first,))
            self.database.execute("DELETE FROM block WHERE number > ?", (ancestor[0],))
            for table in self.rows.tables:
                table.unwind(ancestor[0])
            self._write_tip(ancestor, self._unwinds_to)
        self._tip = ancestor

    def _ancestor(self) -> tuple[int, Hash] | None:
        """The newest canonical block with attribution events; the blocks after it have none. None if even the final
        block is no longer canonical.
        """
        kept = self.database.execute(
            "SELECT number, hash FROM block WHERE number > ? ORDER BY number DESC", (self._unwinds_to[0],)
        )
        for number, block_hash in kept:
            if self.chain.canonical_hash(number) == block_hash:
                return number, block_hash
        is_kept = self.chain.canonical_hash(self._unwinds_to[0]) == self._unwinds_to[1]
        return self._unwinds_to if is_kept else None

    # ------------------------------------------------------------ writing
    def _write_tip(self, tip: tuple[int, Hash], unwinds_to: tuple[int, Hash]) -> None:
        for name, (number, block_hash) in (("tip", tip), ("unwinds", unwinds_to)):
            self._set("tip" if name == "tip" else "unwinds_to", number)
            self._set(f"{name}_hash", block_hash)

    def _set(self, key: str, value: int | bytes) -> None:
        self.database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    # ------------------------------------------------------------ state
    def storage(self, slot: int) -> int:
        """A slot of the attribution account after the last block in the index."""
        return self.state().storage(ADDRESS_BYTES, slot)

    def state(self) -> StateReader:
        """The state after the last block in the index. Raises StateUnavailable."""
        return self._state if self._state is not None else self._state_of_tip()

    def _state_of_tip(self) -> StateReader:
        return self.chain.state_at(self._tip[1])

    def _read_registration(self, model_id: int, row: ModelRow) -> None:
        state = self.chain.state_at(self._target)
        read_registration(lambda slot: state.storage(ADDRESS_BYTES, slot), model_id, row)


def account_key(address: Address) -> int:
    """An address in the form of storage keys."""
    return int.from_bytes(address or ZERO_ADDRESS, "big")
