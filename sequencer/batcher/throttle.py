"""The throttle: bounds the data of new L2 blocks while much of the chain waits to become safe.

L1 has room for a limited number of blobs per block. Blocks full of data that does not compress would leave the safe
head further and further behind. So the batcher limits what the builder takes from the pool, as op-batcher does with
`miner_setMaxDASize` (op-batcher's `--throttle.*` options, controller type "quadratic").
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from rollup.execution.chain import Chain
from rollup.execution.engine import Engine
from rollup.protocol.block import Block
from rollup.protocol.fees import fjord_size_scaled
from rollup.protocol.primitives import Hash

_Limits = tuple[int | None, int | None]  # compressed bytes per transaction and per block, None without a limit
_UNLIMITED: _Limits = (None, None)


@dataclass(slots=True, frozen=True)
class ThrottleConfig:
    """Options of a throttle, all in compressed bytes by Fjord's estimate; the values are op-batcher's.

    A backlog of at most lower_threshold leaves the builder free; 0 turns the throttle off. Above it the limits fall
    with the square of the excess from the upper to the lower ones, which apply from upper_threshold on.
    """

    lower_threshold: int = 3_200_000
    upper_threshold: int = 12_800_000
    transaction_upper_limit: int = 20_000
    transaction_lower_limit: int = 150
    block_upper_limit: int = 130_000
    block_lower_limit: int = 2_000

    def __post_init__(self) -> None:
        if self.lower_threshold and self.upper_threshold <= self.lower_threshold:
            raise ValueError("the throttle's upper threshold must be above the lower one")

    @classmethod
    def scaled(cls, lower_threshold: int) -> "ThrottleConfig":
        """The options for a lower threshold, with the upper one at four times as much."""
        return cls(lower_threshold=lower_threshold, upper_threshold=4 * lower_threshold)

    def limits(self, backlog: int) -> _Limits:
        """The limits per transaction and per block for a backlog of unsafe data."""
        if self.lower_threshold == 0 or backlog <= self.lower_threshold:
            return _UNLIMITED
        span = self.upper_threshold - self.lower_threshold
        excess = min(backlog - self.lower_threshold, span)

        def between(upper: int, lower: int) -> int:
            return upper - (upper - lower) * excess**2 // span**2

        return (
            between(self.transaction_upper_limit, self.transaction_lower_limit),
            between(self.block_upper_limit, self.block_lower_limit),
        )


class UnsafeData:
    """How much data the L2 blocks after the safe head have for L1. Each block is measured once."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._blocks: deque[tuple[int, Hash, int]] = deque()  # number, hash and size, one after the other
        self._total = 0

    def size(self, safe: int) -> int:
        """Compressed bytes, by Fjord's estimate, of the canonical blocks after this number."""
        blocks = self._blocks
        if blocks and blocks[0][0] > safe + 1:  # the safe head went back
            blocks.clear()
            self._total = 0
        while blocks and blocks[0][0] <= safe:
            self._total -= blocks.popleft()[2]
        while blocks and self._chain.canonical_hash(blocks[-1][0]) != blocks[-1][1]:
            self._total -= blocks.pop()[2]
        first = blocks[-1][0] + 1 if blocks else safe + 1
        for number in range(first, self._chain.head.number + 1):
            block = self._chain.block_by_number(number)
            if block is None:
                break
            size = _data_size(block)
            blocks.append((number, block.hash, size))
            self._total += size
        return self._total


class Throttle:
    """Sets the builder's limits by the backlog; step is called before a block is built."""

    def __init__(
        self,
        config: ThrottleConfig,
        engine: Engine,
        safe_number: Callable[[], int],
        is_batching: Callable[[], bool],
    ) -> None:
        self.config = config
        self._engine = engine
        self._safe_number = safe_number
        self._is_batching = is_batching
        self._unsafe = UnsafeData(engine.chain)
        self._set = _UNLIMITED
        self.backlog = 0  # compressed bytes of the unsafe blocks at the last step; 0 while the throttle does not look

    def step(self) -> None:
        """Moves the limits to what the backlog asks for.

        It writes them only when they change. So limits that miner_setMaxDASize has set stay while this throttle has
        nothing to say: below the threshold, and while the batcher is stopped and another one may run.
        """
        is_on = self.config.lower_threshold > 0 and self._is_batching()
        self.backlog = self._unsafe.size(self._safe_number()) if is_on else 0
        limits = self.config.limits(self.backlog)
        if limits != self._set:
            self._engine.max_da_transaction, self._engine.max_da_block = limits
            self._set = limits

    def capture(self) -> "ThrottleSnapshot":
        """The limits as they are now, those that miner_setMaxDASize has set too."""
        limits = self._engine.max_da_transaction, self._engine.max_da_block
        return ThrottleSnapshot(self._set, limits, self.backlog)

    def restore(self, snapshot: "ThrottleSnapshot") -> None:
        """Sets the limits as they were."""
        self._set, self.backlog = snapshot.set_by_throttle, snapshot.backlog
        self._engine.max_da_transaction, self._engine.max_da_block = snapshot.of_engine


@dataclass(slots=True, frozen=True)
class ThrottleSnapshot:
    """The limits as a throttle and its engine had them."""

    set_by_throttle: _Limits
    of_engine: _Limits
    backlog: int


def _data_size(block: Block) -> int:
    """Compressed bytes of a block's transactions in a batch; deposits are not in batches."""
    scaled = sum(
        fjord_size_scaled(transaction.encode()) for transaction in block.transactions if not transaction.is_deposit
    )
    return scaled // 1_000_000
