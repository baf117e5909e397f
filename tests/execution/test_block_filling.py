"""Filling a block in time: what is slow is executed ahead of a later block; nothing that was acknowledged is lost."""

from itertools import count
from types import SimpleNamespace

import pytest

from rollup.execution.block_filling import FILL_SECONDS, LIGHT_GAS, TRANSACTION_SECONDS, BlockFilling, FillingProgress
from rollup.execution.conditional import Conditional
from rollup.execution.errors import ExecutionInterrupted, InvalidTransaction, Refusal
from rollup.execution.known_message import StaleMessage
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction

GAS = 30_000_000
BLOCK_TIME = 2


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
        self.conditions = {}

    def conditional(self, tx_hash):
        return self.conditions.get(tx_hash)

    def pending(self, base_fee=0):
        yield from list(self.held)

    def reject(self, transaction, reason):
        self.rejected.append(transaction)
        self.held.remove(transaction)

    def defer(self, transaction):
        self.deferred.append(transaction)


class Storage:
    """Every slot is 0, and to read one takes 0.1 s."""

    def __init__(self, clock):
        self.clock = clock

    def get_storage(self, address, slot):
        self.clock.now += 0.1
        return 0


class Known:
    def __init__(self, holds, is_timed):
        self.holds = holds
        self.reads = SimpleNamespace(is_timed=is_timed)


class Builder:
    """Every transaction takes the seconds that its nonce says, in tenths; one with a value is invalid.

    holds: whether what was found ahead holds, by the block's number.
    """

    def __init__(self, clock, number=1, block_time=BLOCK_TIME, holds=lambda number: True, is_timed=False):
        self.clock, self.holds, self.is_timed = clock, holds, is_timed
        time = number * block_time
        self.context = SimpleNamespace(
            number=number, timestamp=time, parent=SimpleNamespace(timestamp=time - block_time)
        )
        self.transactions = []
        self.gas_left = GAS
        self.most = None
        self.accounts = Storage(clock)

    def begin(self):
        pass

    def limit_time(self, seconds, most):
        self.most = most

    def lift_time_limit(self):
        self.most = None

    def execute_ahead(self, transaction):
        if transaction.value:
            raise InvalidTransaction(Refusal.FUNDS, address=bytes(20), have=0, want=1)
        self.clock.now += transaction.nonce / 10
        return Known(self.holds, self.is_timed)

    def apply(self, transaction, known=None):
        takes = transaction.nonce / 10
        if transaction.value:
            self.clock.now += 0.4
            raise InvalidTransaction(Refusal.FUNDS, address=bytes(20), have=0, want=1)
        if known is not None:
            if not known.holds(self.context.number):
                raise StaleMessage
            takes = 0
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


def fill(filling, pool, clock, number=1, **options):
    builder = Builder(clock, number, **options)
    begun = clock.now
    filling.fill(builder, pool.pending, clock)
    for taken in builder.transactions:
        pool.held.remove(taken)
    return builder, clock.now - begun


def run_ahead(filling, clock, head, **options):
    return filling.execute_ahead(lambda last, distance: Builder(clock, head + distance, **options), clock, lambda: True)


def test_filling_ends_in_time_whatever_becomes_of_the_transactions():
    clock = Clock()
    for invalid in (True, False):
        pool = Pool(transaction(4, invalid=invalid) for _ in range(50))
        _, seconds = fill(BlockFilling(pool), pool, clock)
        assert seconds <= FILL_SECONDS + (0.4 if invalid else 0.0) + 1e-9


@pytest.mark.parametrize("block_time", [1, 2, 12])
def test_filling_ends_in_the_middle_of_a_transaction_and_before_half_of_the_block_time(block_time):
    clock, pool = Clock(), Pool([transaction(2), transaction(2), transaction(4), transaction(4), transaction(4)])
    builder, seconds = fill(BlockFilling(pool), pool, clock, block_time=block_time)
    assert builder.transactions
    assert seconds <= min(FILL_SECONDS, block_time / 2) + 1e-9
    assert not pool.rejected


def fill_and_adopt(filling, pool, clock, number, after):
    """Fills a block of 1 s with transactions that take no time by themselves; `after`: seconds until it is the head."""
    offered = iter(lambda: clock.__setattr__("now", clock.now + 0.0005), 0)
    builder = Builder(clock, number, block_time=1)
    builder.gas_left = 1_000_000_000
    begun = clock.now
    filling.fill(builder, lambda: (transaction(0) for _ in offered), clock)
    seconds = clock.now - begun
    clock.now += after * len(builder.transactions)
    filling.adopted(clock)
    return seconds


def test_a_block_of_light_transactions_is_filled_for_longer_where_what_follows_is_short():
    clock = Clock()
    filling = BlockFilling(Pool([]))
    assert fill_and_adopt(filling, None, clock, 1, 0.0002) == pytest.approx(0.5, abs=0.001)
    # 0.4 s of roots and storing per second of filling: 0.9 s are divided between the two.
    assert fill_and_adopt(filling, None, clock, 2, 0.0005) == pytest.approx(0.9 / 1.4, abs=0.001)
    assert fill_and_adopt(filling, None, clock, 3, 0.0) == pytest.approx(0.5, abs=0.001)
    assert fill_and_adopt(filling, None, clock, 4, 0.0) == pytest.approx(0.9, abs=0.001)


def test_a_block_of_few_transactions_is_never_filled_for_longer():
    clock = Clock()
    filling = BlockFilling(Pool([]))
    fill_and_adopt(filling, None, clock, 1, 0.0)
    pool = Pool(transaction(1) for _ in range(50))
    filling._pool = pool
    _, seconds = fill(filling, pool, clock, 2, block_time=1)
    assert seconds == pytest.approx(0.5)


def fill_part(filling, pool, builder, progress, most):
    """One part; the pool then offers only what the builder has not."""
    has_more = filling.fill_part(builder, pool.pending, builder.clock, progress, most)
    pool.held = [item for item in pool.held if item not in builder.transactions]
    return has_more


def signed(tenths, nonce_key):
    made = transaction(tenths)
    made._sender = nonce_key.to_bytes(20, "big")
    return made


def test_parts_before_the_blocks_time_and_the_filling_at_it_share_the_time():
    clock = Clock()
    pool = Pool(signed(2, user) for user in range(50))
    filling, builder, progress = BlockFilling(pool), Builder(clock), FillingProgress()
    for parts in (1, 2):
        assert fill_part(filling, pool, builder, progress, 0.3)
        assert len(builder.transactions) == 2 * parts
    assert progress.seconds == pytest.approx(0.8)
    begun = clock.now
    filling.fill(builder, pool.pending, clock, progress)
    assert clock.now - begun == pytest.approx(FILL_SECONDS - 0.8)


def test_the_last_transaction_of_a_part_has_as_long_as_any_other():
    clock = Clock()
    pool = Pool([signed(1, 1), signed(4, 2)])
    filling, builder, progress = BlockFilling(pool), Builder(clock), FillingProgress()
    assert not fill_part(filling, pool, builder, progress, 0.15)
    assert len(builder.transactions) == 2
    assert not pool.deferred


def test_what_a_part_has_left_for_another_block_is_not_tried_again_in_this_one():
    clock = Clock()
    slow, light = signed(600, 1), signed(0, 2)
    pool = Pool([slow])
    filling, builder, progress = BlockFilling(pool), Builder(clock), FillingProgress()
    assert not fill_part(filling, pool, builder, progress, 0.05)
    pool.held.append(light)
    begun = clock.now
    filling.fill(builder, pool.pending, clock, progress)
    assert builder.transactions == [light]
    assert clock.now == begun
    assert pool.deferred == [slow, slow]
    assert filling.has_slow_transactions


def test_there_is_no_more_for_a_block_without_gas():
    clock = Clock()
    pool = Pool([signed(1, 1), signed(1, 2)])
    filling, builder, progress = BlockFilling(pool), Builder(clock), FillingProgress()
    builder.gas_left = 21_000
    assert not fill_part(filling, pool, builder, progress, 0.05)
    assert progress.next_nonces == {(1).to_bytes(20, "big"): 2}


def test_a_transaction_that_ran_short_of_time_is_not_slow():
    clock, first = Clock(), [transaction(4), transaction(4)]
    last = transaction(4)
    pool = Pool([*first, last])
    filling = BlockFilling(pool)
    assert fill(filling, pool, clock)[0].transactions == first
    assert pool.deferred == [last]
    assert not run_ahead(filling, clock, 1)
    assert fill(filling, pool, clock)[0].transactions == [last]


def test_a_slow_transaction_stays_in_the_pool_and_light_ones_go_on():
    clock, slow = Clock(), transaction(600, GAS)
    heavy, light = transaction(1, LIGHT_GAS + 1), transaction(0)
    pool = Pool([slow, heavy, light])
    builder, seconds = fill(BlockFilling(pool), pool, clock)
    assert builder.transactions == [light]
    assert pool.held == [slow, heavy]
    assert pool.deferred == [slow, heavy]
    assert seconds == TRANSACTION_SECONDS


def test_every_slow_transaction_is_included_and_every_block_is_in_time():
    clock, slow = Clock(), [transaction(100, GAS) for _ in range(4)]
    pool = Pool(slow)
    filling, included = BlockFilling(pool), []
    for number in range(1, 20):
        pool.held.append(transaction(1))
        builder, seconds = fill(filling, pool, clock, number)
        included += builder.transactions
        assert seconds <= FILL_SECONDS
        run_ahead(filling, clock, number)
    assert all(item in included for item in slow)
    assert not pool.rejected


def test_a_message_that_read_the_time_waits_for_the_block_it_was_executed_for():
    clock, slow = Clock(), transaction(50, GAS)
    pool, filling = Pool([slow]), None
    filling = BlockFilling(pool)
    fill(filling, pool, clock, 1)
    assert run_ahead(filling, clock, 1, holds=lambda number: number == 2, is_timed=True)
    # It took longer than a block: blocks 2 to 4 are built by then. The next attempt is for a later block.
    builder, _ = fill(filling, pool, clock, 5)
    assert builder.transactions == []
    target = 5 + 4
    assert run_ahead(filling, clock, 5, holds=lambda number: number == target, is_timed=True)
    for number in range(6, target):
        builder, seconds = fill(filling, pool, clock, number)
        assert builder.transactions == []
        assert seconds == 0
    builder, _ = fill(filling, pool, clock, target)
    assert builder.transactions == [slow]


def test_a_message_that_never_holds_stays_in_the_pool_and_is_tried_more_and_more_seldom():
    clock, slow = Clock(), transaction(10, GAS)
    pool = Pool([slow])
    filling, attempts = BlockFilling(pool), 0
    for number in range(1, 200):
        _, seconds = fill(filling, pool, clock, number)
        assert seconds <= FILL_SECONDS
        attempts += run_ahead(filling, clock, number, holds=lambda number: False)
        clock.now += BLOCK_TIME
    assert pool.held == [slow]
    assert not pool.rejected
    assert 5 < attempts < 20


class BusyMachine(Builder):
    """Other work takes the processor from each transaction of this block, once."""

    def apply(self, transaction, known=None):
        if self.most is not None and known is None:
            self.clock.now += self.most
            raise ExecutionInterrupted(1)
        super().apply(transaction, known)


def test_a_short_transaction_that_looked_slow_is_executed_like_any_other():
    """Its effects never hold ahead, as other transactions change what it reads in every block."""
    clock, short = Clock(), transaction(1, GAS)
    pool = Pool([short])
    filling = BlockFilling(pool)
    filling.fill(BusyMachine(clock), pool.pending, clock)
    assert pool.deferred == [short]
    assert run_ahead(filling, clock, 1, holds=lambda number: False)
    builder, _ = fill(filling, pool, clock, 2)
    assert builder.transactions == [short]
    assert not filling.has_slow_transactions


def test_a_transaction_that_is_short_ahead_and_long_in_blocks_is_tried_more_and_more_seldom():
    clock, liar = Clock(), transaction(1, GAS)
    pool = Pool([liar])
    filling, interrupted = BlockFilling(pool), 0
    for number in range(1, 200):
        begun = clock.now
        filling.fill(BusyMachine(clock, number), pool.pending, clock)
        interrupted += clock.now > begun
        assert clock.now - begun <= TRANSACTION_SECONDS
        run_ahead(filling, clock, number, holds=lambda number: False)
        clock.now += BLOCK_TIME
    assert pool.held == [liar]
    assert 5 < interrupted < 20


def test_a_slow_transaction_that_became_invalid_leaves_the_pool_and_the_block_is_filled():
    clock, slow, quick = Clock(), transaction(100, GAS), transaction(1)
    pool = Pool([slow])
    filling = BlockFilling(pool)
    fill(filling, pool, clock)
    run_ahead(filling, clock, 1)
    slow.value = 1
    pool.held.append(quick)
    builder, _ = fill(filling, pool, clock, 2)
    assert builder.transactions == [quick]
    assert pool.rejected == [slow]


def test_a_transaction_that_left_the_pool_is_not_executed_ahead():
    clock, slow = Clock(), transaction(100, GAS)
    pool = Pool([slow])
    filling = BlockFilling(pool)
    fill(filling, pool, clock)
    pool.held.clear()
    fill(filling, pool, clock, 2)
    assert not run_ahead(filling, clock, 2)


def test_nothing_is_executed_ahead_while_a_block_is_due():
    clock, slow = Clock(), transaction(100, GAS)
    pool = Pool([slow])
    filling = BlockFilling(pool)
    fill(filling, pool, clock)
    assert not filling.execute_ahead(lambda last, distance: Builder(clock), clock, lambda: False)
    assert run_ahead(filling, clock, 1)


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


def test_a_transaction_whose_condition_is_not_met_leaves_the_pool():
    clock, late, early, slow = Clock(), transaction(1), transaction(1), transaction(600, GAS)
    pool = Pool([late, slow, early])
    pool.conditions = {late.hash: Conditional(block_number_max=6), slow.hash: Conditional(timestamp_max=14)}
    filling = BlockFilling(pool)
    builder, _ = fill(filling, pool, clock, number=7)
    assert builder.transactions == [early]
    assert pool.rejected == [late]
    # What was executed ahead is checked when its block comes.
    assert run_ahead(filling, clock, 7)
    builder, _ = fill(filling, pool, clock, number=8)
    assert builder.transactions == []
    assert pool.rejected == [late, slow]


def test_checking_conditions_ends_in_time():
    clock, pool = Clock(), Pool(transaction(0) for _ in range(50))
    unmet = Conditional(slots={bytes(20): {0: 1}})
    pool.conditions = {item.hash: unmet for item in pool.held}
    _, seconds = fill(BlockFilling(pool), pool, clock)
    assert seconds <= FILL_SECONDS + 0.1 + 1e-9
    assert 0 < len(pool.held) < 50
