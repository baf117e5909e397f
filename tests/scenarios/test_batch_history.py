"""The history of batches: which L1 transactions carry an L2 block, and which data was dropped by which rule."""

import pytest

from derivation.drops import Rule
from rollup.cheats.garbage import KINDS
from rollup.protocol.accounts import BATCHER, USERS
from rollup.protocol.blobs import encode_blob
from rollup.protocol.blockref import BlockId
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.rpc.batch_history import BatchHistory
from sequencer.batcher.config import BatcherConfig
from tests.scenarios.actors import User, World
from tests.scenarios.test_hostile_batcher import (
    DROPPED_BY,
    FIRST,
    GARBAGE,
    channel,
    drops_of,
    frame,
    post_blob,
    singular_of,
)

BOB = USERS[1].address


def history_of(world, node):
    """The rows as the RPC gives them."""
    return BatchHistory(world.config, node.chain, node.derivation.record, world.l1.source, world.l1.client.receipt)


def origin_of(history, number):
    block = history.chain.block_by_number(number)
    return history.origin(BlockId(block.hash, block.number))


def rules_of(row):
    """The rules of everything that was dropped of an L1 transaction, its channels and their batches."""
    found = [drop["rule"] for drop in row["dropped"]]
    return found + [drop["rule"] for item in row["channels"] for drop in item["dropped"]]


def everyday(**params):
    """Three epochs with a batch in each."""
    world = World(**params)
    world.users[0].sends(BOB, value=1)
    world.run_epochs(3)
    world.batcher.post()
    world.l1.mine()
    world.sequencer.derive()
    return world


@pytest.mark.parametrize("da", ["calldata", "blobs"])
def test_every_safe_block_names_the_transactions_that_carry_it(da):
    world = everyday(batcher=BatcherConfig(da=da))
    history, node = history_of(world, world.sequencer), world.sequencer
    assert node.safe.number > 3
    on_l1 = {tx.hash: number for number, tx in world.l1.transactions() if tx.to == world.config.batch_inbox_address}
    for number in range(1, node.safe.number + 1):
        origin = origin_of(history, number)
        row, batch = history.batch(origin.batch)
        assert batch["firstBlock"] <= number <= batch["lastBlock"]
        assert batch["status"] == "derived"
        for carrier in row["carriers"]:
            assert on_l1[bytes.fromhex(carrier["hash"][2:])] == carrier["l1Block"]["number"]
    assert origin_of(history, 0) is None
    rows = list(history.newest(None, 100))
    assert [row["transactionHash"] for row in rows] == ["0x" + tx.hex() for tx in reversed(on_l1)]
    assert {row["container"] for row in rows} == {da}
    assert not any(rules_of(row) for row in rows)
    for row in rows:
        receipt = world.l1.client.receipt(bytes.fromhex(row["transactionHash"][2:]))
        assert int(row["l1Cost"], 16) == receipt.gas_used * receipt.effective_gas_price + (
            receipt.blob_gas_used * receipt.blob_gas_price
        )
        assert row == history.transaction(bytes.fromhex(row["transactionHash"][2:]))
        for item in row["channels"]:
            found = history.channel(bytes.fromhex(item["channelId"][2:]))
            assert found["carriers"] == item["carriers"]
            assert row in found["transactions"]


def test_rows_are_paged_without_gaps_or_repeats():
    world = everyday()
    history = history_of(world, world.sequencer)
    rows, before = [], None
    while page := list(history.newest(before, 1)):
        rows += page
        before = page[0]["l1Block"]["number"], page[0]["transactionIndex"]
    assert rows == list(history.newest(None, 100))
    assert len(rows) > 1


@pytest.mark.parametrize("name", GARBAGE)
def test_a_row_of_garbage_names_the_rule_that_dropped_it(name):
    world = World()
    world.sequencer.build(1)
    tx_hash = User(world, BATCHER).sends_on_l1(
        world.config.batch_inbox_address, 0, KINDS[name].data(FIRST), gas=10_000_000
    )
    world.l1.mine(2)
    world.sequencer.derive()
    row = history_of(world, world.sequencer).transaction(tx_hash)
    assert set(rules_of(row)) == {DROPPED_BY[name].code}
    assert row["size"] == len(KINDS[name].data(FIRST))


def test_data_of_strangers_and_foreign_blobs_are_listed_with_their_rule():
    world = World()
    stranger = world.users[2].sends_on_l1(world.config.batch_inbox_address, 0, b"\x00hello")
    post_blob(world, b"\0\xff" + encode_blob(b"")[2:], b"ignored")
    world.l1.mine(2)
    world.sequencer.derive()
    history = history_of(world, world.sequencer)
    row = history.transaction(stranger)
    assert rules_of(row) == [Rule.SENDER.code]
    assert row["sender"] == "0x" + world.users[2].address.hex()
    blobs = next(row for row in history.newest(None, 10) if row["container"] == "blobs")
    assert rules_of(blobs) == [Rule.BLOB_CALLDATA.code, Rule.BLOB_ENCODING.code]


def test_an_unfinished_channel_is_open_until_a_new_one_replaces_it():
    world = World()
    batcher = User(world, BATCHER)
    inbox = world.config.batch_inbox_address
    first = batcher.sends_on_l1(inbox, 0, b"\x00" + frame(b"abc", is_last=False))
    world.l1.mine(2)
    world.sequencer.derive()
    history = history_of(world, world.sequencer)
    assert [item["status"] for item in history.transaction(first)["channels"]] == ["open"]
    batcher.sends_on_l1(inbox, 0, b"\x00" + frame(b"\x05", channel=b"\x08" * 16))
    world.l1.mine(2)
    world.sequencer.derive()
    row = history.transaction(first)
    assert [item["status"] for item in row["channels"]] == ["dropped"]
    assert rules_of(row) == [Rule.CHANNEL_REPLACED.code]


def test_a_reorganised_l1_takes_its_batches_with_it():
    world = everyday()
    history = history_of(world, world.sequencer)
    rows = list(history.newest(None, 100))
    safe = world.sequencer.safe.number
    depth = world.l1.head.number - rows[0]["l1Block"]["number"] + 1
    world.l1.reorg(depth)
    world.sequencer.derive()
    assert world.sequencer.safe.number < safe
    gone = bytes.fromhex(rows[0]["transactionHash"][2:])
    assert history.transaction(gone) is None
    assert [row["transactionHash"] for row in history.newest(None, 100)] == [row["transactionHash"] for row in rows[1:]]
    assert origin_of(history, safe) is None
    world.batcher.start()
    world.batcher.post()
    world.l1.mine(2)
    world.sequencer.derive()
    for number in range(1, world.sequencer.safe.number + 1):
        assert history.batch(origin_of(history, number).batch) is not None


def test_a_restart_keeps_the_rows_and_reports_no_drop_again():
    world = everyday()
    User(world, BATCHER).sends_on_l1(world.config.batch_inbox_address, 0, KINDS["empty-channel"].data(FIRST))
    world.l1.mine()
    world.run_epochs(1)
    world.batcher.post()
    world.l1.mine(2)
    node = world.sequencer
    node.derive()
    before = list(history_of(world, node).newest(None, 100))
    assert sum(len(rules_of(row)) for row in before) == 1
    again = node.restarted()
    drops = drops_of(again)
    again.derive()
    assert list(history_of(world, again).newest(None, 100)) == before
    assert not drops


def test_a_derivation_that_begins_again_records_nothing_twice():
    world = everyday()
    User(world, BATCHER).sends_on_l1(world.config.batch_inbox_address, 0, KINDS["empty-channel"].data(FIRST))
    world.l1.mine(2)
    node = world.sequencer
    node.derive()
    before = list(history_of(world, node).newest(None, 100))
    assert sum(len(rules_of(row)) for row in before) == 1
    drops = drops_of(node)
    for _ in range(2):
        node.derivation.reset()
        node.derive()
        assert list(history_of(world, node).newest(None, 100)) == before
    assert not drops


def test_a_verifier_records_what_the_sequencer_records():
    world = everyday()
    verifier = world.new_verifier()
    verifier.derive()
    of_sequencer, of_verifier = (history_of(world, node) for node in (world.sequencer, verifier))
    assert list(of_verifier.newest(None, 100)) == list(of_sequencer.newest(None, 100))


def test_a_batch_that_waits_for_its_turn_is_waiting_and_then_derived():
    """Before Holocene, batches may come in any order."""
    world = World(forks=ForkSchedule.all_at(Fork.GRANITE))
    world.sequencer.build(2)
    batcher, inbox = User(world, BATCHER), world.config.batch_inbox_address
    second = batcher.sends_on_l1(inbox, 0, channel(singular_of(world, 2).encode()))
    world.l1.mine(2)
    world.sequencer.derive()
    history = history_of(world, world.sequencer)
    assert [item["status"] for item in history.transaction(second)["channels"][0]["batches"]] == ["waiting"]
    batcher.sends_on_l1(inbox, 0, channel(singular_of(world, 1).encode()))
    world.l1.mine(2)
    world.sequencer.derive()
    assert world.sequencer.safe.number == 2
    assert [item["status"] for item in history.transaction(second)["channels"][0]["batches"]] == ["derived"]
