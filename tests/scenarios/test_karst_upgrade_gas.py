"""The gas of Karst's upgrade transactions: gone after the fork's first block, or kept (optimism#21441)."""

from dataclasses import replace

import pytest

from rollup.protocol.block import Block
from rollup.protocol.forks import ForkSchedule
from rollup.protocol.l2_blocks import NotAnL2Block, system_config_of_block
from tests.scenarios.actors import GENESIS_TIME, World

LIMIT, BUNDLE = 60_000_000, 55_370_657
FORKS = ForkSchedule.parse("jovian,karst+4", GENESIS_TIME)


@pytest.mark.parametrize(("keep", "later"), [(False, LIMIT), (True, LIMIT + BUNDLE)])
def test_the_gas_stays_in_the_limit_only_where_the_chain_keeps_it(keep, later):
    """Sequencer and verifier take the same limit from the same flag."""
    # spec: upgrade.gas-deterministic, upgrade.gas-beside-limit, upgrade.gas-in-first-block-only
    world = World(forks=FORKS, keep_karst_upgrade_gas=keep)
    world.run_epochs(3)
    world.batcher.post()
    world.l1.mine(2)
    verifier = world.new_verifier()
    verifier.derive()
    chain = world.sequencer.chain
    verifier.must_equal(world.sequencer, safe=chain.head.number)
    assert chain.head.number > 6
    limits = [chain.block_by_number(number).header.gas_limit for number in range(chain.head.number + 1)]
    assert limits == [LIMIT, LIMIT, LIMIT + BUNDLE] + [later] * (chain.head.number - 2)


def test_a_first_block_without_room_for_the_gas_is_refused():
    # spec: upgrade.gas-in-first-block-only
    world = World(forks=FORKS)
    world.run_epochs(1)
    first = world.sequencer.chain.block_by_number(2)
    small = Block(replace(first.header, gas_limit=BUNDLE - 1), first.transactions)
    with pytest.raises(NotAnL2Block, match="below upgrade gas"):
        system_config_of_block(world.config, small)
