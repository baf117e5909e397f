"""Scenarios 19 and 20: every wei."""

import pytest

from rollup.pool.errors import PoolError
from rollup.protocol import predeploys
from rollup.protocol.accounts import USERS
from tests.scenarios.actors import ETHER, GWEI, World

BOB = USERS[1].address
VAULTS = (
    predeploys.SEQUENCER_FEE_VAULT,
    predeploys.BASE_FEE_VAULT,
    predeploys.L1_FEE_VAULT,
    predeploys.OPERATOR_FEE_VAULT,
)


def test_the_sum_of_all_balances_changes_by_mints_alone():
    # spec: isthmus.operator-fee-conserves-ether
    world = World(operator_fee_scalar=3, operator_fee_constant=1_000)
    supply = sum(account.balance for account in world.devnet.l2.alloc.values())
    touched = set(world.devnet.l2.alloc) | {b"\xda" * 20}
    minted = 0
    for round_number in range(4):
        for user in world.users[:5]:
            user.sends(BOB, value=round_number, data=b"\x01" * 40)
        world.users[6].deposits(b"\xda" * 20, mint=ETHER)
        minted += ETHER
        world.run_epochs()
    node = world.sequencer
    for number in range(1, node.chain.head.number + 1):
        for tx in node.chain.block_by_number(number).transactions:
            touched |= {tx.sender, tx.to}
    assert sum(node.balance(address) for address in touched if address is not None) == supply + minted


def test_fees_land_in_their_vaults_to_the_wei():
    # spec: isthmus.operator-fee-conserves-ether, fees.vaults
    world = World(operator_fee_scalar=3, operator_fee_constant=1_000)
    alice = world.users[0]
    world.sequencer.build()
    before = world.sequencer.balance(alice.address)
    tx_hash = alice.sends(BOB, value=77, gas=30_000, tip=12_345)
    world.sequencer.build()
    receipt, block = world.sequencer.receipt(tx_hash), world.sequencer.chain.head
    tip, base, l1_fee, operator = (world.sequencer.balance(vault) for vault in VAULTS)
    assert receipt.gas_used == 21_000
    assert tip == 21_000 * 12_345
    assert base == 21_000 * block.header.base_fee_per_gas
    assert operator == 21_000 * 3 * 100 + 1_000
    assert l1_fee > 0
    assert before - world.sequencer.balance(alice.address) == 77 + tip + base + l1_fee + operator


def test_a_transaction_that_cannot_pay_its_l1_fee_never_enters_the_pool():
    world = World()
    world.sequencer.build()
    alice, pool = world.users[0], world.sequencer.pool
    probe = alice.sends(BOB, value=0, gas=21_000)
    cost = pool.cost_of(pool.remove(probe))
    l1_fee = cost - 21_000 * 100 * GWEI
    assert l1_fee > 0
    balance = world.sequencer.balance(alice.address)
    with pytest.raises(PoolError, match=r"insufficient funds for gas \* price \+ value: .* overshot 1$"):
        alice.sends(BOB, value=balance - cost + 1, gas=21_000)
    last_penny = alice.sends(BOB, value=balance - cost, gas=21_000)
    world.sequencer.build()
    assert world.sequencer.receipt(last_penny).status == 1


def test_one_that_pays_its_l1_fee_in_the_pool_but_not_at_inclusion_is_dropped():
    world = World()
    # From L1 block 1 on, L1 data costs a thousand times as much.
    world.owner.calls_system_config("setGasConfigEcotone(uint32,uint32)", 1_368_000, 810_949_000)
    world.l1.mine()
    world.sequencer.build(5)
    alice, pool = world.users[0], world.sequencer.pool
    cost = pool.cost_of(pool.remove(alice.sends(BOB, value=0, gas=21_000)))
    last_penny = alice.sends(BOB, value=world.sequencer.balance(alice.address) - cost, gas=21_000)
    world.sequencer.build()
    assert world.sequencer.unsafe.l1_origin.number == 1
    assert world.sequencer.receipt(last_penny) is None
    assert pool.get(last_penny) is None
