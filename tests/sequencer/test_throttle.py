"""The throttle's limits, and what it counts as the backlog."""

from itertools import pairwise

import pytest

from rollup.protocol.fees import fjord_size_scaled
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction
from sequencer.batcher.throttle import ThrottleConfig, UnsafeData
from tests.sequencer.l2_chain import L2Chain

CONFIG = ThrottleConfig()


def test_limits_begin_above_the_lower_threshold_and_end_at_the_upper_one():
    assert CONFIG.limits(0) == CONFIG.limits(CONFIG.lower_threshold) == (None, None)
    assert CONFIG.limits(CONFIG.lower_threshold + 1) == (20_000, 130_000)
    assert CONFIG.limits((CONFIG.lower_threshold + CONFIG.upper_threshold) // 2) == (15_038, 98_000)
    assert CONFIG.limits(CONFIG.upper_threshold) == CONFIG.limits(10 * CONFIG.upper_threshold) == (150, 2_000)


def test_limits_never_rise_with_the_backlog():
    found = [CONFIG.limits(backlog) for backlog in range(3_200_001, 14_000_000, 99_991)]
    assert all(less[0] >= more[0] and less[1] >= more[1] for less, more in pairwise(found))


def test_an_upper_threshold_below_the_lower_one_is_refused():
    with pytest.raises(ValueError, match="above the lower"):
        ThrottleConfig(lower_threshold=5, upper_threshold=5)


def chain_of(*sizes):
    """A chain in which each block has one transaction with this many bytes of data."""
    chain = L2Chain()
    for size in sizes:
        extend(chain, size)
    return chain


def extend(chain, size):
    chain.build(1, origin=0)
    transaction = Transaction(DYNAMIC_FEE, chain_id=901, to=bytes(20), data=bytes(range(256)) * size).signed(b"\5" * 32)
    chain.head.transactions.append(transaction)


def expected(chain, safe):
    return sum(
        fjord_size_scaled(transaction.encode()) // 1_000_000
        for block in chain.blocks[safe + 1 :]
        for transaction in block.transactions[1:]
    )


def test_the_backlog_is_the_data_after_the_safe_head_without_deposits():
    chain = chain_of(1, 2, 3, 4)
    unsafe = UnsafeData(chain)
    for safe in (0, 2, 4, 1, 0, 3):  # an L1 reorganisation takes the safe head back
        assert unsafe.size(safe) == expected(chain, safe) > (0 if safe < 4 else -1)


def test_the_backlog_follows_a_reorganisation_of_l2():
    chain = chain_of(1, 2, 3, 4)
    unsafe = UnsafeData(chain)
    unsafe.size(0)
    chain.reorg(2)
    assert unsafe.size(0) == expected(chain, 0)
    extend(chain, 9)
    assert unsafe.size(1) == expected(chain, 1)
