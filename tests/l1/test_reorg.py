"""The mock L1 reorganises: other blocks, the pool, blobs, labels, and what it refuses."""

import pytest

from rollup.execution.reexecution import validate_block
from rollup.l1.miner import FinalityLag, ReorgError
from rollup.protocol.block import Block
from tests.l1.chains import GENESIS_TIME, RECIPIENT, World, carry, make_l1, pay, sidecar_of

DEEP = FinalityLag(1, 50)


def mined(world: World, count: int) -> list[Block]:
    return [world.l1.mine() for _ in range(count)]


def test_a_reorg_replaces_blocks_by_others_at_the_same_heights_and_times():
    world = make_l1(finality=DEEP)
    old = mined(world, 4)
    change = world.l1.reorg(2)
    assert [block.hash for block in change.removed] == [old[3].hash, old[2].hash]
    assert [block.number for block in change.added] == [3, 4]
    assert [block.timestamp for block in change.added] == [GENESIS_TIME + 36, GENESIS_TIME + 48]
    assert change.added[0].header.parent_hash == old[1].hash
    assert not {block.hash for block in change.added} & {block.hash for block in old}
    assert world.l1.chain.head.hash == change.added[-1].hash


def test_two_reorgs_of_the_same_block_give_two_new_blocks():
    world = make_l1(finality=DEEP)
    hashes = {mined(world, 1)[0].hash}
    for _ in range(3):
        hashes.add(world.l1.reorg(1).added[0].hash)
    assert len(hashes) == 4


def test_transactions_of_removed_blocks_return_to_the_pool_and_are_mined_again():
    world = make_l1(finality=DEEP)
    sidecar = sidecar_of(b"again")
    world.l1.send_raw_transaction(pay(0).encode())
    world.l1.send_raw_transaction(sidecar.wrap(carry(sidecar, 1)))
    old = mined(world, 1)[0]
    assert len(old.transactions) == 2
    world.l1.reorg(1)
    assert world.l1.pool.counts() == (2, 0)
    assert world.l1.chain.find_transaction(old.transactions[0].hash) is None
    block = world.l1.mine()
    assert [tx.hash for tx in block.transactions] == [tx.hash for tx in old.transactions]


def test_a_reorg_can_name_the_new_blocks_transactions():
    world = make_l1(finality=DEEP)
    world.l1.send_raw_transaction(pay(0).encode())
    mined(world, 2)
    sidecar = sidecar_of(b"instead")
    change = world.l1.reorg(
        2, [[pay(0, value=7).encode()], [], [sidecar.wrap(carry(sidecar, 1)), pay(2, value=9).encode()]]
    )
    assert [len(block.transactions) for block in change.added] == [1, 0, 2]
    state = world.l1.chain.state_at(world.l1.chain.head.hash)
    account = state.account(RECIPIENT)
    assert account is not None
    assert account.balance == 7 + 1 + 9
    assert world.l1.archive.has_all(sidecar.versioned_hashes)
    assert len(world.l1.pool) == 0  # the old payment's nonce is taken


def test_blobs_that_l1_has_seen_need_not_come_along_again():
    world = make_l1(finality=DEEP)
    sidecar = sidecar_of(b"seen")
    transaction = carry(sidecar)
    world.l1.send_raw_transaction(sidecar.wrap(transaction))
    mined(world, 1)
    assert len(world.l1.reorg(1, [[transaction.encode()]]).added[0].transactions) == 1
    with pytest.raises(ReorgError, match="missing blobs"):
        world.l1.reorg(1, [[carry(sidecar_of(b"unseen")).encode()]])


def test_an_empty_list_only_goes_back():
    world = make_l1(finality=DEEP)
    old = mined(world, 3)
    change = world.l1.reorg(2, [])
    assert change.added == []
    assert world.l1.chain.head.hash == old[0].hash
    assert world.l1.mine().number == 2


def test_labels_never_point_at_removed_blocks():
    world = make_l1(finality=FinalityLag(1, 3))
    mined(world, 6)
    world.l1.reorg(3)
    chain = world.l1.chain
    assert (chain.safe.number, chain.finalized.number) == (5, 3)
    assert chain.is_canonical(chain.safe.hash)
    world.l1.reorg(3, [])
    assert (chain.head.number, chain.safe.number, chain.finalized.number) == (3, 3, 3)


def test_a_reorg_below_the_finalized_block_is_refused():
    world = make_l1(finality=FinalityLag(1, 2))
    mined(world, 5)
    head = world.l1.chain.head.hash
    with pytest.raises(ReorgError, match=r"would remove block 3, which is finalized"):
        world.l1.reorg(3)
    for depth in (0, -1):
        with pytest.raises(ReorgError, match="at least one block"):
            world.l1.reorg(depth)
    with pytest.raises(ReorgError):
        world.l1.reorg(6)
    assert world.l1.chain.head.hash == head


def unsigned() -> bytes:
    transaction = pay(0)
    transaction.r = 0
    transaction._raw = None
    return transaction.encode()


@pytest.mark.parametrize("raw", [b"", b"\xff", b"\x03\xc0", pay(5).encode(), pay(0, value=10**30).encode(), unsigned()])
def test_a_replacement_that_does_not_run_changes_nothing(raw: bytes):
    world = make_l1(finality=DEEP)
    mined(world, 2)
    head = world.l1.chain.head.hash
    with pytest.raises(ReorgError, match="replacement transaction"):
        world.l1.reorg(1, [[raw]])
    assert world.l1.chain.head.hash == head
    undisturbed = make_l1(finality=DEEP)
    assert world.l1.mine().hash == mined(undisturbed, 3)[-1].hash


def test_blocks_beside_the_chain_see_their_own_ancestors_hashes():
    """BLOCKHASH in a replacement block answers with the replacement's parent, not with what it replaces."""
    world = make_l1(finality=DEEP)
    # Stores BLOCKHASH(NUMBER-1) in slot 0, when created: PUSH1 1 NUMBER SUB BLOCKHASH PUSH0 SSTORE STOP
    code = bytes.fromhex("6001430340" + "5f55" + "00")
    mined(world, 3)
    create = pay(0, to=None, value=0, gas_limit=200_000, data=code)
    change = world.l1.reorg(2, [[], [create.encode()]])
    receipts = world.l1.chain.receipts(change.added[1].hash)
    assert receipts is not None
    contract = receipts[0].contract_address
    assert contract is not None
    stored = world.l1.chain.state_at(change.added[1].hash).storage(contract, 0)
    assert stored == int.from_bytes(change.added[0].hash)


def test_every_block_of_every_branch_is_valid():
    world = make_l1(finality=DEEP)
    world.l1.send_raw_transaction(pay(0).encode())
    old = mined(world, 3)
    new = world.l1.reorg(2, [[pay(1).encode()], []]).added
    chain = world.l1.chain
    for block in old + new:
        parent = chain.block(block.header.parent_hash)
        assert parent is not None
        validate_block(world.l1.config, parent.header, chain.states, lambda number: None, block)
