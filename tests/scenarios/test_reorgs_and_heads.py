"""Scenarios 14 and 15: L1 goes back, L2 follows."""

import pytest

from derivation.errors import Critical
from rollup.l1.miner import FinalityLag
from rollup.protocol.accounts import USERS
from tests.scenarios.actors import ETHER, World

CAROL = USERS[2].address


@pytest.mark.parametrize("depth", [1, 2, 10])
def test_an_l1_reorg_takes_batches_and_deposits_back_and_life_goes_on(depth):
    world = World(finality=FinalityLag(safe=2, finalized=20))
    world.run_epochs(3)
    verifier = world.new_verifier()
    for _ in range(depth):
        world.users[1].deposits(CAROL, mint=ETHER)
        world.run_epochs()
    world.batcher.post()
    world.l1.mine()
    verifier.derive()
    safe_before = verifier.safe.number
    before = world.sequencer.hashes()
    assert verifier.balance(CAROL) == world.params.user_balance + depth * ETHER

    # The blocks with the last batches and deposits are replaced by empty ones; one more makes it the longer chain.
    world.l1.reorg(depth, [[]] * (depth + 1))
    verifier.derive()
    assert verifier.safe.number < safe_before
    assert verifier.balance(CAROL) < world.params.user_balance + depth * ETHER

    # The sequencer goes back to its last block with a canonical origin, and on; the batcher posts what is lost.
    for _ in range(depth + 4):
        world.run_epochs()
    verifier.derive()
    world.sequencer.derive()
    # A reorg of one block took a batch away, but no block that an L2 block names as its origin.
    assert (world.sequencer.hashes()[: len(before)] == before) is (depth == 1)
    assert verifier.safe.number > safe_before
    verifier.must_equal(world.sequencer, safe=verifier.safe.number)
    # L1's pool took the orphaned deposits back: they are included once more, and once only.
    assert verifier.balance(CAROL) == world.params.user_balance + depth * ETHER


@pytest.mark.parametrize("missing", [1, 2, 5])
def test_an_l1_reorg_to_a_shorter_chain_is_seen_by_the_sequencer_at_once_and_by_derivation_at_the_old_height(missing):
    world = World(finality=FinalityLag(safe=2, finalized=20))
    world.run_epochs(8)
    world.batcher.post()
    world.l1.mine()
    verifier = world.new_verifier()
    verifier.derive()
    world.sequencer.derive()
    height, safe = world.l1.head.number, verifier.safe

    world.l1.reorg(missing + 2, [[], []])
    assert world.l1.head.number == height - missing
    assert world.l1.pool.counts()[0] > 0, "the batches of the removed blocks are in the pool again"
    # A block cannot be built on an origin that is gone: the sequencer goes back first.
    world.sequencer.build()
    origin = world.sequencer.unsafe.l1_origin
    assert world.l1.chain.canonical_hash(origin.number) == origin.hash
    # Derivation asks for the block at the height that it has read, and waits while there is none.
    for _ in range(missing):
        assert verifier.derive() == safe
        assert verifier.derivation.waiting_for is not None
        assert verifier.derivation.current_l1.number == height
        world.l1.mine_empty()
    assert world.l1.head.number == height
    assert verifier.derive().number < safe.number
    assert verifier.derivation.current_l1.hash == world.l1.head.hash

    world.run_epochs(missing + 4)
    verifier.derive()
    assert verifier.safe.number > safe.number
    verifier.must_equal(world.sequencer, safe=verifier.safe.number)


def test_back_and_forth_between_two_branches():
    world = World()
    verifier = world.new_verifier()
    for round_number in range(4):
        world.run_epochs(3)
        world.l1.reorg(1 + round_number % 2, [[]] * 3)
        verifier.derive()
    world.run_epochs(4)
    verifier.derive()
    verifier.must_equal(world.sequencer, safe=verifier.safe.number)
    assert verifier.safe.number > 0


def test_heads_move_only_as_their_definitions_say():
    world = World()
    verifier = world.new_verifier()
    last = (0, 0, 0)
    for _ in range(14):
        world.run_epochs()
        verifier.derive()
        node = world.sequencer
        heads = (node.finalized.number, node.safe.number, node.unsafe.number)
        assert heads[0] <= heads[1] <= heads[2]
        assert all(after >= before for after, before in zip(heads, last, strict=True))
        last = heads
        # Finalized: derived from L1 data at or below the finalized L1 block.
        assert node.finalized.l1_origin.number <= world.l1.chain.finalized.number
        assert verifier.safe == node.safe
        assert verifier.unsafe == verifier.safe
    assert last[0] > 0


def test_unsafe_blocks_the_batches_contradict_are_replaced():
    # spec: driver.consolidate
    world = World()
    other = World()  # the same L1 and L2 to the hash, and a sequencer of its own
    other.users[0].sends(CAROL, value=1)
    other.sequencer.build(3)
    world.sequencer.build(3)
    mine = world.sequencer.hashes(3)
    other.batcher.post()
    (batch,) = list(other.l1.pool.pending(0))
    world.l1.pool.add(batch.encode())
    world.l1.mine()
    world.sequencer.derive()
    assert world.sequencer.hashes(3) == other.sequencer.hashes(3) != mine
    verifier = world.new_verifier()
    verifier.derive()
    verifier.must_equal(other.sequencer, safe=3)


def test_a_reorg_below_what_is_finalized_halts_the_verifier_with_a_clear_message():
    world = World()
    world.run_epochs(14)
    verifier = world.new_verifier()
    verifier.derive()
    assert verifier.finalized.number > 0

    # Another L1 of the same genesis, longer, without any of the blocks the verifier knows.
    stranger = World(l1_block_time=12)
    stranger.users[5].sends_on_l1(CAROL, value=1)
    stranger.l1.mine(20)
    world.l1.source.__init__(stranger.l1.node)
    with pytest.raises(Critical, match="finalized"):
        verifier.derive()
