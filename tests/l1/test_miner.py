"""The mock L1 makes real blocks: fields, roots, fees, blobs, the pool's order."""

from collections.abc import Callable

import pytest

from rollup.execution.chain import Chain
from rollup.execution.reexecution import validate_block
from rollup.l1.miner import FinalityLag
from rollup.l1.slots import SlotError
from rollup.pool.errors import PoolError
from rollup.pool.limits import PoolLimits
from rollup.protocol.block import Block
from rollup.protocol.fees import GAS_PER_BLOB, blob_base_fee
from rollup.protocol.forks import L1_FORKS, L1Fork
from rollup.protocol.primitives import EMPTY_REQUESTS_HASH, EMPTY_TRIE_ROOT, Hash
from rollup.protocol.transaction import BLOB
from rollup.store.kv import LmdbStore, MemoryStore
from tests.l1.chains import GENESIS_TIME, GWEI, RECIPIENT, World, carry, make_l1, pay, sidecar_of

BEACON_ROOTS = bytes.fromhex("000f3df6d732807ef1319fb7b8bb8522d0beac02")
HISTORY = bytes.fromhex("0000f90827f1c53a10cb7a02335b175320002935")


def balance(world: World, address: bytes) -> int:
    chain = world.l1.chain
    account = chain.state_at(chain.head.hash).account(address)
    return account.balance if account is not None else 0


def check_chain(chain: Chain, world: World) -> None:
    """Every canonical block is found valid by executing it again."""
    for number in range(1, chain.head.number + 1):
        block = chain.block_by_number(number)
        parent = chain.block_by_number(number - 1)
        assert block is not None
        assert parent is not None
        validate_block(world.l1.config, parent.header, chain.states, chain.canonical_hash, block)


def test_an_empty_block_is_a_prague_block():
    world = make_l1()
    block = world.l1.mine()
    header = block.header
    assert header.number == 1
    assert header.timestamp == GENESIS_TIME + 12
    assert header.parent_hash == world.l1.chain.genesis.hash
    assert header.withdrawals_root == EMPTY_TRIE_ROOT
    assert header.requests_hash == EMPTY_REQUESTS_HASH
    assert header.blob_gas_used == header.excess_blob_gas == 0
    assert header.base_fee_per_gas == 875_000_000  # 7/8 of a gwei: EIP-1559 below an empty block
    assert any(header.parent_beacon_block_root or b"")
    assert any(header.prev_randao)
    assert header.difficulty == 0
    assert header.gas_limit == world.l1.chain.genesis.header.gas_limit
    assert world.l1.chain.head.hash == block.hash == header.hash


def test_the_beacon_root_and_the_parent_hash_are_in_the_state():
    world = make_l1()
    world.l1.mine()
    block = world.l1.mine()
    state = world.l1.chain.state_at(block.hash)
    slot = block.timestamp % 8191  # EIP-4788
    assert state.storage(BEACON_ROOTS, slot) == block.timestamp
    assert state.storage(BEACON_ROOTS, slot + 8191) == int.from_bytes(block.header.parent_beacon_block_root or b"")
    assert state.storage(HISTORY, 1) == int.from_bytes(block.header.parent_hash)  # EIP-2935


def test_a_payment_is_mined_and_leaves_the_pool():
    world = make_l1()
    transaction = pay()
    assert world.l1.send_raw_transaction(transaction.encode()) == transaction.hash
    block = world.l1.mine()
    assert [tx.hash for tx in block.transactions] == [transaction.hash]
    assert block.header.gas_used == 21_000
    receipts = world.l1.chain.receipts(block.hash)
    assert receipts is not None
    assert receipts[0].status == 1
    assert balance(world, RECIPIENT) == 1
    assert len(world.l1.pool) == 0
    assert balance(world, world.l1.coinbase) == 21_000 * GWEI  # the tip
    check_chain(world.l1.chain, world)


def test_higher_tips_go_first_and_a_senders_nonces_stay_in_order():
    world = make_l1()
    sent = [
        pay(0, user=0, max_priority_fee_per_gas=GWEI),
        pay(1, user=0, max_priority_fee_per_gas=50 * GWEI),
        pay(0, user=1, max_priority_fee_per_gas=2 * GWEI),
        pay(0, user=2, max_priority_fee_per_gas=30 * GWEI),
    ]
    for transaction in sent:
        world.l1.send_raw_transaction(transaction.encode())
    block = world.l1.mine()
    assert [sent.index(tx) for tx in block.transactions] == [3, 2, 0, 1]


def test_a_full_block_leaves_the_rest_to_the_next():
    world = make_l1(limits=PoolLimits(fee_cap=0))
    limit = world.l1.chain.head.header.gas_limit
    for nonce in range(3):
        world.l1.send_raw_transaction(pay(nonce, gas_limit=limit - 21_000, data=b"\xff").encode())
    first = world.l1.mine()
    second = world.l1.mine()
    assert (len(first.transactions), len(second.transactions)) == (1, 1) or len(first.transactions) == 3
    while world.l1.pool.counts()[0]:
        world.l1.mine()
    assert balance(world, RECIPIENT) == 3
    check_chain(world.l1.chain, world)


def test_a_blob_transaction_is_mined_with_its_blobs_kept():
    world = make_l1()
    sidecar = sidecar_of(b"a", b"b")
    transaction = carry(sidecar)
    assert world.l1.send_raw_transaction(sidecar.wrap(transaction)) == transaction.hash
    block = world.l1.mine()
    assert block.header.blob_gas_used == 2 * GAS_PER_BLOB
    assert [tx.tx_type for tx in block.transactions] == [BLOB]
    assert block.transactions[0].encode() == transaction.encode()  # in the block it is without its sidecar
    for versioned_hash, blob, commitment, proof in zip(
        sidecar.versioned_hashes, sidecar.blobs, sidecar.commitments, sidecar.proofs, strict=True
    ):
        stored = world.l1.archive.get(versioned_hash)
        assert stored is not None
        assert (stored.blob, stored.commitment, world.l1.archive.proof(versioned_hash)) == (blob, commitment, proof)
    check_chain(world.l1.chain, world)


def test_the_osaka_form_is_taken_too():
    world = make_l1()
    sidecar = sidecar_of(b"cells")
    world.l1.send_raw_transaction(sidecar.wrap_with_cell_proofs(carry(sidecar)))
    assert world.l1.mine().header.blob_gas_used == GAS_PER_BLOB


def test_a_block_takes_nine_blobs_at_most_and_excess_follows_pragues_schedule():
    world = make_l1()
    target, most, fraction = L1_FORKS[L1Fork.PRAGUE].blobs
    for user in range(4):
        sidecar = sidecar_of(*(bytes([65 + user, n]) for n in range(3)))
        for nonce in range(2):
            world.l1.send_raw_transaction(sidecar.wrap(carry(sidecar, nonce, user)))
    used, excess = [], 0
    for _ in range(3):
        header = world.l1.mine().header
        assert header.excess_blob_gas == excess
        used.append((header.blob_gas_used or 0) // GAS_PER_BLOB)
        excess = max(excess + (header.blob_gas_used or 0) - target * GAS_PER_BLOB, 0)
    assert used == [most, most, 6]
    assert (target, most, fraction) == (6, 9, 5_007_716)
    assert blob_base_fee(world.l1.chain.head.header.excess_blob_gas or 0, fraction) == 1
    check_chain(world.l1.chain, world)


def test_the_blob_fee_is_taken_from_the_sender():
    world = make_l1()
    sidecar = sidecar_of(b"fee")
    transaction = carry(sidecar, value=0)
    before = balance(world, transaction.sender)
    world.l1.send_raw_transaction(sidecar.wrap(transaction))
    header = world.l1.mine().header
    gas_price = transaction.effective_gas_price(header.base_fee_per_gas or 0)
    assert before - balance(world, transaction.sender) == 21_000 * gas_price + GAS_PER_BLOB * 1


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (lambda: b"", "empty transaction"),
        (lambda: b"\x03\xc0", "missing blobs"),
        (lambda: carry(sidecar_of(b"x")).encode(), "missing blobs"),
        (lambda: sidecar_of(b"x").wrap(carry(sidecar_of(b"y"))), "commitment does not match"),
        (lambda: pay(chain_id=1).encode(), "invalid chain id"),
        (lambda: b"\x7e" + pay().encode()[1:], "malformed transaction"),
    ],
)
def test_a_transaction_that_the_pool_cannot_take_is_a_pool_error(raw: Callable[[], bytes], text: str):
    world = make_l1()
    with pytest.raises(PoolError, match=text):
        world.l1.send_raw_transaction(raw())


def test_blobs_of_a_refused_transaction_are_not_kept():
    world = make_l1()
    sidecar = sidecar_of(b"poor")
    poor = carry(sidecar, value=10**30)
    with pytest.raises(PoolError, match="insufficient funds"):
        world.l1.send_raw_transaction(sidecar.wrap(poor))
    assert world.l1.archive.get(sidecar.versioned_hashes[0]) is None


def test_blobs_already_kept_stay_when_a_second_transaction_with_them_is_refused():
    world = make_l1()
    sidecar = sidecar_of(b"twice")
    world.l1.send_raw_transaction(sidecar.wrap(carry(sidecar)))
    with pytest.raises(PoolError):
        world.l1.send_raw_transaction(sidecar.wrap(carry(sidecar, user=1, value=10**30)))
    assert world.l1.archive.get(sidecar.versioned_hashes[0]) is not None
    assert len(world.l1.mine().transactions) == 1


@pytest.mark.parametrize("block_time", [1, 2, 12])
def test_blocks_are_a_slot_apart(block_time: int):
    world = make_l1(block_time)
    times = [world.l1.mine().timestamp for _ in range(3)]
    assert times == [GENESIS_TIME + block_time * n for n in (1, 2, 3)]


def test_slots_can_be_missed_but_not_broken():
    world = make_l1()
    assert world.l1.mine(GENESIS_TIME + 36).timestamp == GENESIS_TIME + 36
    assert world.l1.mine().timestamp == GENESIS_TIME + 48
    for wrong in (GENESIS_TIME + 49, GENESIS_TIME + 48, GENESIS_TIME + 12, GENESIS_TIME - 12):
        with pytest.raises(SlotError):
            world.l1.mine(wrong)
    assert world.l1.chain.head.number == 2


def test_a_block_is_due_when_its_slot_begins():
    world = make_l1()
    assert not world.l1.is_due()
    world.clock.advance(11.9)
    assert not world.l1.is_due()
    world.clock.advance(0.1)
    assert world.l1.is_due()
    world.l1.mine()
    assert not world.l1.is_due()


def test_safe_and_finalized_follow_the_head():
    world = make_l1(finality=FinalityLag(2, 4))
    labels = []
    for _ in range(6):
        world.l1.mine()
        labels.append((world.l1.chain.safe.number, world.l1.chain.finalized.number))
    assert labels == [(0, 0), (0, 0), (1, 0), (2, 0), (3, 1), (4, 2)]
    with pytest.raises(ValueError, match="cannot be ahead"):
        FinalityLag(3, 2)


def test_the_gas_limit_moves_by_less_than_a_1024th_a_block():
    world = make_l1()
    start = world.l1.chain.head.header.gas_limit
    world.l1.gas_limit = start + 100_000
    limits = [world.l1.mine().header.gas_limit for _ in range(3)]
    assert limits == [start + start // 1024 - 1, start + 100_000, start + 100_000]


def _hashes(seed: int) -> list[Hash]:
    world = make_l1(seed=seed)
    world.l1.send_raw_transaction(pay().encode())
    blocks = [world.l1.mine(), world.l1.mine(), world.l1.mine()]
    change = world.l1.reorg(2)
    return [block.hash for block in blocks + change.added]


def test_the_same_seed_gives_the_same_blocks_and_another_seed_others():
    assert _hashes(7) == _hashes(7)
    assert not set(_hashes(7)) & set(_hashes(8))
    assert _hashes(-1) == _hashes(-1)


def test_a_restart_finds_chain_blobs_and_pool_again(tmp_path):
    store = LmdbStore.open(tmp_path / "l1")
    world = make_l1(store=store, keep_pool=True)
    sidecar, waiting = sidecar_of(b"mined"), sidecar_of(b"waiting")
    world.l1.send_raw_transaction(sidecar.wrap(carry(sidecar, 0)))
    head = world.l1.mine()
    world.l1.send_raw_transaction(waiting.wrap(carry(waiting, 1)))
    store.close()

    store = LmdbStore.open(tmp_path / "l1")
    again = make_l1(store=store, keep_pool=True)
    assert again.l1.chain.head.hash == head.hash
    assert again.l1.archive.get(sidecar.versioned_hashes[0]) is not None
    block: Block = again.l1.mine()
    assert [tx.blob_versioned_hashes for tx in block.transactions] == [waiting.versioned_hashes]
    store.close()


def test_a_chain_without_reorgs_after_a_restart_is_the_same_chain():
    store = MemoryStore()
    world = make_l1(store=store)
    world.l1.mine()
    again = make_l1(store=store)
    assert again.l1.mine().hash == _mined(2)


def _mined(count: int) -> Hash:
    world = make_l1()
    return [world.l1.mine() for _ in range(count)][-1].hash
