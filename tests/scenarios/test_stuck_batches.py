"""A batcher that starts while an earlier one's transactions wait in L1's pool at fees L1 no longer takes."""

import pytest

from rollup.l1.sidecar import make_sidecar
from rollup.protocol.accounts import BATCHER, USERS
from rollup.protocol.blobs import encode_blob
from rollup.protocol.transaction import BLOB, DYNAMIC_FEE, Transaction
from sequencer.batcher.config import BatcherConfig
from tests.scenarios.actors import GWEI, World

BOB = USERS[1].address


def leave_stuck(world, da, nonce, *, tip, cap=1, blob_cap=1):
    """Leaves a transaction of an earlier batcher in L1's pool, with a fee that is too low for a block."""
    sidecar = make_sidecar((encode_blob(b"\0" + bytes([nonce]) * 40),)) if da == "blobs" else None
    transaction = Transaction(
        BLOB if sidecar else DYNAMIC_FEE,
        nonce=nonce,
        gas_limit=30_000,
        to=world.config.batch_inbox_address,
        data=b"" if sidecar else b"\0stuck",
        chain_id=900,
        max_fee_per_gas=cap,
        max_priority_fee_per_gas=tip,
        max_fee_per_blob_gas=blob_cap if sidecar else 0,
        blob_versioned_hashes=sidecar.versioned_hashes if sidecar else (),
    ).signed(BATCHER.private_key)
    return world.l1.node.send_raw_transaction(sidecar.wrap(transaction) if sidecar else transaction.encode())


def run(world, epochs):
    for _ in range(epochs):
        world.users[0].sends(BOB, value=1)
        world.run_epochs()


def must_be_derived(world, least):
    world.sequencer.derive()
    verifier = world.new_verifier()
    verifier.derive()
    assert verifier.safe.number >= least
    verifier.must_equal(world.sequencer, safe=verifier.safe.number)


@pytest.mark.parametrize("da", ["calldata", "blobs"])
@pytest.mark.parametrize("count", [1, 3])
def test_stuck_transactions_are_replaced_and_batches_go_on(da, count):
    world = World(batcher=BatcherConfig(da=da))
    run(world, 2)
    world.l1.mine()
    base = world.l1.client.nonce(BATCHER.address)
    stuck = [leave_stuck(world, da, base + index, tip=1) for index in range(count)]
    world.batcher.start()
    run(world, world.batcher.options.resubmit_after)
    assert "sent before the start" in world.batcher.process.waiting_for
    assert all(world.l1.pool.get(tx_hash) is not None for tx_hash in stuck)
    head = world.sequencer.chain.head.number
    run(world, 8)
    assert all(world.l1.chain.find_transaction(tx_hash) is None for tx_hash in stuck)
    assert all(world.l1.pool.get(tx_hash) is None for tx_hash in stuck)
    must_be_derived(world, head)
    mine = [item for _, item in world.l1.transactions() if item.sender == BATCHER.address]
    empty = [item for item in mine if item.to == BATCHER.address]
    assert [item.nonce for item in empty] == [base + index for index in range(count)]
    assert {item.tx_type for item in empty} == {BLOB if da == "blobs" else DYNAMIC_FEE}


@pytest.mark.parametrize("da", ["calldata", "blobs"])
def test_stuck_transactions_with_a_high_tip_are_outbid(da):
    """Their fee cap is unknown to the new batcher: it raises its own until the pool takes it."""
    world = World(batcher=BatcherConfig(da=da))
    run(world, 1)
    world.l1.mine()
    nonce = world.l1.client.nonce(BATCHER.address)
    # The miner has no room for it for a while.
    stuck = leave_stuck(world, da, nonce, tip=40 * GWEI, cap=60 * GWEI, blob_cap=1)
    world.batcher.start()
    for _ in range(world.batcher.options.resubmit_after + 1):
        world.l1.mine_empty()
        world.sequencer.build_to_l1_head()
        world.sequencer.derive()
        world.batcher.step()
    for _ in range(60):
        if world.l1.pool.get(stuck) is None:
            break
        world.batcher.step()
    assert world.l1.pool.get(stuck) is None
    head = world.sequencer.chain.head.number
    run(world, 6)
    assert world.l1.chain.find_transaction(stuck) is None
    must_be_derived(world, head)


def test_transactions_that_are_included_after_all_are_left_alone():
    world = World(batcher=BatcherConfig(da="calldata"))
    run(world, 2)
    world.batcher.post()
    sent = len(world.l1.batches())
    world.batcher.start()
    world.batcher.step()
    assert "sent before the start" in world.batcher.process.waiting_for
    run(world, 6)
    assert len(world.l1.batches()) > sent
    assert not [item for _, item in world.l1.transactions() if item.to == BATCHER.address]
    must_be_derived(world, 10)
