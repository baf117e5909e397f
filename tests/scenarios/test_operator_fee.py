"""The operator fee in the pool (specs protocol/isthmus/exec-engine.md, "Transaction Pool Changes")."""

import pytest

from rollup.pool.errors import PoolError
from rollup.protocol.accounts import USERS
from tests.scenarios.actors import ETHER, World


def test_the_pool_takes_only_what_can_pay_the_largest_operator_fee():
    # spec: isthmus.pool-balance
    world = World(operator_fee_scalar=1_000_000, operator_fee_constant=ETHER)
    world.sequencer.build()
    alice, pool = world.users[0], world.sequencer.pool
    cost = pool.cost_of(pool.remove(alice.sends(USERS[1].address, value=0, gas=50_000)))
    # Jovian: gas limit times scalar times 100, and the constant.
    assert cost > 50_000 * 1_000_000 * 100 + ETHER
    balance = world.sequencer.balance(alice.address)
    with pytest.raises(PoolError, match=r"overshot 1$"):
        alice.sends(USERS[1].address, value=balance - cost + 1, gas=50_000)
    accepted = alice.sends(USERS[1].address, value=balance - cost, gas=50_000)
    world.sequencer.build()
    assert world.sequencer.receipt(accepted).status == 1
