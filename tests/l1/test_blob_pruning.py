"""A block's blobs are never deleted; those of a transaction that leaves the pool without a block are forgotten."""

import pytest

from rollup.l1.miner import ReorgError
from rollup.l1.sidecar import BlobSidecar
from rollup.pool.errors import PoolError
from rollup.store.kv import LmdbStore, MemoryStore
from tests.l1.chains import GWEI, World, carry, make_l1, pay, sidecar_of


def send(world: World, sidecar: BlobSidecar, nonce: int = 0, times: int = 1, **fields: int) -> None:
    prices = {"max_fee_per_gas": 100 * GWEI, "max_priority_fee_per_gas": GWEI, "max_fee_per_blob_gas": 100 * GWEI}
    prices = {name: value * times for name, value in prices.items()}
    world.l1.send_raw_transaction(sidecar.wrap(carry(sidecar, nonce, **prices, **fields)))


def has(world: World, sidecar: BlobSidecar) -> bool:
    return world.l1.archive.has_all(sidecar.versioned_hashes)


def test_blobs_of_a_replaced_transaction_go():
    world = make_l1()
    old, new = sidecar_of(b"old"), sidecar_of(b"new")
    send(world, old)
    send(world, new, times=2)
    assert not has(world, old)
    assert has(world, new)
    world.l1.mine()
    assert has(world, new)
    assert world.l1.archive.loose() == []


def test_a_replacement_with_the_same_blobs_keeps_them():
    world = make_l1()
    sidecar = sidecar_of(b"same")
    send(world, sidecar)
    send(world, sidecar, times=2)
    assert has(world, sidecar)
    assert len(world.l1.mine().transactions) == 1
    assert has(world, sidecar)


def test_blobs_two_transactions_share_stay_until_the_second_leaves():
    world = make_l1()
    shared, other = sidecar_of(b"a", b"b"), sidecar_of(b"b", b"c")
    send(world, shared, 0)
    send(world, other, 1)
    world.l1.pool.remove(carry_hash(shared, 0))
    assert not has(world, shared)
    assert has(world, other)
    world.l1.pool.clear()
    assert not has(world, other)
    assert world.l1.archive.loose() == []


def carry_hash(sidecar: BlobSidecar, nonce: int) -> bytes:
    prices = {"max_fee_per_gas": 100 * GWEI, "max_priority_fee_per_gas": GWEI, "max_fee_per_blob_gas": 100 * GWEI}
    return carry(sidecar, nonce, **prices).hash


def test_blobs_of_a_transaction_whose_nonce_another_took_go():
    world = make_l1()
    sidecar = sidecar_of(b"late")
    world.l1.mine()
    send(world, sidecar)
    world.l1.reorg(1, [[pay(0).encode()]])
    assert len(world.l1.pool) == 0
    assert not has(world, sidecar)


def test_an_orphaned_blocks_blobs_stay_even_when_its_transaction_is_replaced():
    world = make_l1()
    orphaned, new = sidecar_of(b"orphaned"), sidecar_of(b"new")
    send(world, orphaned)
    world.l1.mine()
    world.l1.reorg(1)
    assert len(world.l1.pool) == 1
    send(world, new, times=2)
    world.l1.mine()
    assert has(world, orphaned)
    assert has(world, new)


def test_a_reorg_that_cannot_be_made_leaves_no_blobs():
    world = make_l1()
    world.l1.mine()
    sidecar = sidecar_of(b"poor")
    with pytest.raises(ReorgError):
        world.l1.reorg(1, [[sidecar.wrap(carry(sidecar, value=10**30))]])
    with pytest.raises(ReorgError):
        world.l1.reorg(1, [[sidecar.wrap(carry(sidecar)), b"\xff"]])
    assert not has(world, sidecar)
    assert world.l1.archive.loose() == []


def test_a_refusal_leaves_the_blobs_of_others():
    world = make_l1()
    sidecar = sidecar_of(b"twice", b"alone")
    send(world, sidecar)
    with pytest.raises(PoolError):
        send(world, sidecar, user=1, value=10**30)
    assert has(world, sidecar)


def test_a_restart_keeps_what_the_pool_needs_and_drops_what_a_kill_left(tmp_path):
    store = LmdbStore.open(tmp_path / "l1")
    world = make_l1(store=store, keep_pool=True)
    mined, waiting, left = sidecar_of(b"mined"), sidecar_of(b"waiting"), sidecar_of(b"left")
    send(world, mined, 0)
    world.l1.mine()
    send(world, waiting, 1)
    world.l1.archive.add(left)  # and here the process was killed
    store.close()

    store = LmdbStore.open(tmp_path / "l1")
    again = make_l1(store=store, keep_pool=True)
    assert (has(again, mined), has(again, waiting), has(again, left)) == (True, True, False)
    assert len(again.l1.mine().transactions) == 1
    assert again.l1.archive.loose() == []
    store.close()


def test_data_of_an_older_version_is_left_alone():
    """An older version did not mark loose blobs, so every blob in its data may belong to a block."""
    store = MemoryStore()
    world = make_l1(store=store)
    sidecar = sidecar_of(b"old")
    world.l1.archive.add(sidecar)
    world.l1.archive.keep(sidecar.versioned_hashes)
    assert has(make_l1(store=store), sidecar)
