"""Origins by drift: config.max_sequencer_drift_at is 1,800 s from Fjord, the configured 600 s before."""

import pytest

from derivation.errors import NotFound
from rollup.protocol.blockref import BlockId, L1BlockRef, L2BlockRef
from rollup.protocol.config import RollupConfig, RollupGenesis, SystemConfig
from rollup.protocol.forks import Fork, ForkSchedule
from sequencer.origin_selector import OriginMissing, OriginReorged, OriginSelector

GENESIS_TIME = 1_700_000_000


def config(fork=Fork.JOVIAN):
    system = SystemConfig(b"\x0b" * 20, 0, 1, 30_000_000)
    genesis = RollupGenesis(BlockId(b"\x01" * 32, 0), BlockId(b"\x02" * 32, 0), GENESIS_TIME, system)
    return RollupConfig(
        genesis, 2, 600, 3600, 300, 900, 901, ForkSchedule.all_at(fork), b"\xff" * 20, b"\xdd" * 20, b"\xcc" * 20
    )


def l1_hash(number, branch=0):
    return bytes([branch]) + number.to_bytes(31, "big")


class Chain:
    """An L1 of refs alone, a block every 12 s unless told otherwise."""

    def __init__(self, blocks, block_time=12):
        self.refs = [
            L1BlockRef(l1_hash(n), n, l1_hash(n - 1) if n else bytes(32), GENESIS_TIME + block_time * n)
            for n in range(blocks)
        ]

    def head(self):
        return self.refs[-1]

    def ref_by_number(self, number):
        if number >= len(self.refs):
            raise NotFound(f"L1 block {number}")
        return self.refs[number]


def l2_parent(seconds, origin):
    """An L2 block `seconds` after genesis with the origin of this number."""
    return L2BlockRef(
        b"\x22" * 32, seconds // 2, b"\x21" * 32, GENESIS_TIME + seconds, BlockId(l1_hash(origin), origin), 0
    )


def test_the_origin_advances_as_soon_as_l2_time_reaches_the_next_l1_block():
    selector = OriginSelector(config(), Chain(3))
    assert selector.next_origin(l2_parent(8, 0)).number == 0  # next block at 10
    assert selector.next_origin(l2_parent(10, 0)).number == 1  # next block at 12 = time of L1 block 1
    assert selector.next_origin(l2_parent(100, 0)).number == 1  # one at a time


def test_the_origin_stays_while_l1_has_no_next_block():
    selector = OriginSelector(config(), Chain(1))
    assert selector.next_origin(l2_parent(1_798, 0)).number == 0


@pytest.mark.parametrize(("fork", "drift"), [(Fork.ECOTONE, 600), (Fork.FJORD, 1_800), (Fork.JOVIAN, 1_800)])
def test_past_the_drift_blocks_must_be_empty_and_the_next_origin_known(fork, drift):
    rules = config(fork)
    l1 = Chain(1)
    selector = OriginSelector(rules, l1)
    assert not selector.is_past_drift(GENESIS_TIME + drift, l1.refs[0])
    assert selector.is_past_drift(GENESIS_TIME + drift + 2, l1.refs[0])
    assert selector.next_origin(l2_parent(drift - 2, 0)).number == 0
    with pytest.raises(OriginMissing, match="L1 block 1 is not there yet"):
        selector.next_origin(l2_parent(drift, 0))


def test_past_the_drift_the_origin_stays_while_the_next_one_lies_in_the_future_of_l2():
    selector = OriginSelector(config(), Chain(2, block_time=5_000))
    assert selector.next_origin(l2_parent(1_900, 0)).number == 0
    assert selector.next_origin(l2_parent(4_998, 0)).number == 1


def test_past_the_drift_the_origin_must_advance_when_it_can():
    # spec: batch.drift
    selector = OriginSelector(config(), Chain(2))
    assert selector.next_origin(l2_parent(2_000, 0)).number == 1


def test_confirmation_depth_hides_the_newest_l1_blocks():
    l1 = Chain(4)
    selector = OriginSelector(config(), l1, confirmation_depth=2)
    assert selector.next_origin(l2_parent(100, 0)).number == 1
    assert selector.next_origin(l2_parent(100, 1)).number == 1
    l1.refs.append(L1BlockRef(l1_hash(4), 4, l1_hash(3), GENESIS_TIME + 48))
    assert selector.next_origin(l2_parent(100, 1)).number == 2


def test_an_origin_that_left_l1_is_told_apart_from_one_that_waits():
    l1 = Chain(3)
    selector = OriginSelector(config(), l1)
    l1.refs[1] = L1BlockRef(l1_hash(1, branch=9), 1, l1_hash(0), GENESIS_TIME + 12)
    with pytest.raises(OriginReorged):
        selector.next_origin(l2_parent(20, 1))
    with pytest.raises(OriginReorged):
        selector.next_origin(l2_parent(80, 7))
    l1.refs[2] = L1BlockRef(l1_hash(2, branch=9), 2, l1_hash(1, branch=8), GENESIS_TIME + 24)
    with pytest.raises(OriginReorged):
        selector.next_origin(
            L2BlockRef(bytes(32), 5, bytes(32), GENESIS_TIME + 30, BlockId(l1_hash(1, branch=9), 1), 0)
        )
