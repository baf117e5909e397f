"""Filling a block in time: what is slow waits for a block of its own, and nothing that was acknowledged is lost."""

from itertools import count

import pytest

from rollup.execution import block_filling
from rollup.execution.block_filling import LIGHT_GAS, SLOW_SHARE, BlockFilling
from rollup.execution.errors import ExecutionInterrupted, InvalidTransaction, Refusal
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction

GAS = 30_000_000


class Clock:
    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


class Pool:
    """Offers transactions in order; keeps what became of them."""

    def __init__(self, transactions):
        self.held = list(transactions)
        self.deferred, self.rejected = [], []

    def pending(self, base_fee=0):
        yield from list(self.held)

    def reject(self, transaction, reason):
        self.rejected.append(transaction)
        self.held.remove(transaction)

    def defer(self, transaction):
        self.deferred.append(transaction)


class Builder:
    """Every transaction takes the seconds that its value says; a negative one is invalid."""

    def __init__(self, clock):
        self.clock = clock
        self.transactions = []
        self.gas_left = GAS
        self.most = None

    def limit_time(self, seconds, most):
        self.most = most

    def lift_time_limit(self):
        self.most = None

    def apply(self, transaction):
        takes = transaction.nonce / 10
        if transaction.value:
            self.clock.now += 0.4
            raise InvalidTransaction(Refusal.FUNDS, address=bytes(20), have=0, want=1)
        if self.most is not None and takes > self.most:
            self.clock.now += self.most
            raise ExecutionInterrupted(1)
        self.clock.now += takes
        self.transactions.append(transaction)
        self.gas_left -= 21_000


def transaction(tenths, gas=21_000, number=count(), invalid=False):
    return Transaction(
        DYNAMIC_FEE, nonce=tenths, gas_limit=gas, to=next(number).to_bytes(20, "big"), chain_id=1, value=int(invalid)
    )


def fill(filling, pool, clock):
    builder = Builder(clock)
    begun = clock.now
    filling.fill(builder, pool.pending, clock)
    for taken in builder.transactions:
        pool.held.remove(taken)
    return builder, clock.now - begun


def test_filling_ends_in_time_whatever_becomes_of_the_transactions():
    clock = Clock()
    for invalid in (True, False):
        pool = Pool(transaction(4, invalid=invalid) for _ in range(50))
        _, seconds = fill(BlockFilling(pool), pool, clock)
        assert seconds <= block_filling.FILL_SECONDS + 0.4


def test_a_slow_transaction_stays_in_the_pool_and_light_ones_go_on():
    clock, slow = Clock(), transaction(600, GAS)
    heavy, light = transaction(1, LIGHT_GAS + 1), transaction(0)
    pool = Pool([slow, heavy, light])
    builder, seconds = fill(BlockFilling(pool), pool, clock)
    assert builder.transactions == [light]
    assert pool.held == [slow, heavy]
    assert pool.deferred == [slow, heavy]
    assert seconds == block_filling.TRANSACTION_SECONDS


def test_every_slow_transaction_gets_a_block_of_its_own_and_the_others_are_on_time():
    clock, slow = Clock(), [transaction(100, GAS) for _ in range(4)]
    pool = Pool(slow)
    filling = BlockFilling(pool)
    late, seconds_late, began = [], 0.0, clock.now
    for _ in range(200):
        quick = transaction(1)
        pool.held.append(quick)
        builder, seconds = fill(filling, pool, clock)
        if seconds > block_filling.FILL_SECONDS + block_filling.TRANSACTION_SECONDS:
            late.append(builder.transactions)
            seconds_late += seconds
        clock.now += 1
        if not pool.held:
            break
    assert sorted(late, key=str) == sorted(([item] for item in slow), key=str)
    assert not pool.rejected
    assert seconds_late <= (clock.now - began) / SLOW_SHARE + 10


def test_a_slow_transaction_that_became_invalid_leaves_the_pool_and_the_block_is_filled():
    clock = Clock()
    slow, quick = transaction(100, GAS), transaction(1)
    pool = Pool([slow])
    filling = BlockFilling(pool)
    fill(filling, pool, clock)
    slow.value = 1
    pool.held.append(quick)
    builder, _ = fill(filling, pool, clock)
    assert builder.transactions == [quick]
    assert pool.rejected == [slow]


def test_without_a_clock_every_transaction_runs_to_its_end():
    clock, slow = Clock(), transaction(600, GAS)
    pool, builder = Pool([slow, slow]), Builder(clock)
    BlockFilling(pool).fill(builder, pool.pending, None)
    assert builder.transactions == [slow, slow]
    assert not pool.deferred


@pytest.mark.parametrize("left", [20_999, 0])
def test_a_block_without_gas_for_another_transfer_is_full(left):
    clock, pool = Clock(), Pool([transaction(0)])
    builder = Builder(clock)
    builder.gas_left = left
    BlockFilling(pool).fill(builder, pool.pending, clock)
    assert not builder.transactions
