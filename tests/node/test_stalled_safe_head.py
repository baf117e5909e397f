"""The sequencer follows L1 however far behind its head that is, and its directory starts again."""

from dataclasses import replace

import pytest

from rollup.node import Node, NodeParams
from rollup.node import node as node_module
from rollup.protocol.accounts import BATCHER
from rollup.protocol.l2_blocks import l2_block_ref
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction
from tests.node.node_process import GENESIS_TIME, GWEI, transfer
from tests.scenarios.test_hostile_batcher import singular

_SLOTS = {"l1_block_time": 2, "l2_block_time": 2}


def open_node(folder, on_event=None, **options):
    return Node.open(NodeParams(data_dir=folder, genesis_time=GENESIS_TIME, virtual_clock=True, **options), on_event)


def run_to(node, *, l1=0, l2=0):
    """Advances until both layers are that far, or the head was put back below."""
    while node.l1.chain.head.number < l1 or node.l2.chain.head.number < l2:
        if not node.advance():
            node.clock.advance(max(node.next_due() - node.clock.now(), 0))


def contradict(node):
    """Posts, with the batcher's key, an empty block for the first L2 block after the safe head."""
    parent = node.l2.derivation.safe_head
    target = node.l2.chain.block_by_number(parent.number + 1)
    origin = l2_block_ref(node.devnet.rollup_config, target).l1_origin
    assert any(not transaction.is_deposit for transaction in target.transactions)
    data = singular(parent=parent.hash, epoch=origin.number, epoch_hash=origin.hash, time=target.timestamp)
    post(node, data)


def must_agree(node):
    """Both derivations have the same safe head, and it is in both chains."""
    safe, verified = node.l2.derivation.safe_head, node.verifier.derivation.safe_head
    assert (safe.number, safe.hash) == (verified.number, verified.hash)
    assert node.l2.chain.is_canonical(safe.hash)


def test_a_batch_that_contradicts_a_block_290_below_the_head_is_followed(tmp_path):
    node = open_node(tmp_path)
    node.run_until_safe(3)
    node.batcher.stop()
    run_to(node, l1=node.l1.chain.head.number + 3)  # what is on the way becomes safe
    safe = node.safe_head.number
    run_to(node, l2=node.l2.chain.head.number + 1)
    waiting = node.l2.pool.add(transfer(901, 0, 0).encode())
    while node.l2.chain.find_transaction(waiting) is None:
        run_to(node, l2=node.l2.chain.head.number + 1)
    # The blocks between the safe head and the transfer are posted as they are.
    first = node.l2.chain.find_transaction(waiting).block_number
    while node.safe_head.number < first - 1:
        parent = node.safe_head
        block = node.l2.chain.block_by_number(parent.number + 1)
        origin = l2_block_ref(node.devnet.rollup_config, block).l1_origin
        post(node, singular(parent=parent.hash, epoch=origin.number, epoch_hash=origin.hash, time=block.timestamp))
        run_to(node, l1=node.l1.chain.head.number + 1)
        assert node.safe_head.number == parent.number + 1
    assert node.safe_head.number >= safe
    run_to(node, l2=first + 290)
    contradict(node)
    before = node.l2.chain.canonical_hash(first)
    run_to(node, l1=node.l1.chain.head.number + 2)
    assert node.l2.chain.canonical_hash(first) != before
    assert node.safe_head.number >= first
    must_agree(node)
    node.close()

    again = open_node(tmp_path)
    head = again.l2.chain.head.number
    run_to(again, l2=head + 20)
    again.run_until_safe(head + 15)
    must_agree(again)
    assert again.l2.chain.find_transaction(waiting) is not None  # it was acknowledged, so it came back
    again.close()


@pytest.mark.parametrize(
    ("window", "times"),
    [
        pytest.param(300, _SLOTS, id="a window of 300 L1 blocks"),
        pytest.param(3_600, {}, id="defaults", marks=pytest.mark.slow),
    ],
)
@pytest.mark.timeout(3_000)
def test_a_passed_sequencing_window_is_followed_and_the_directory_starts_again(tmp_path, monkeypatch, window, times):
    chosen = node_module.devnet_params
    monkeypatch.setattr(node_module, "devnet_params", lambda params: replace(chosen(params), seq_window_size=window))
    node = open_node(tmp_path, **times)
    node.batcher.stop()
    lost = node.l2.pool.add(transfer(901, 0, 0).encode())
    run_to(node, l2=20)
    assert node.l2.chain.find_transaction(lost).block_number <= 20
    # Where L1 block `window` is all there is, the first epoch's empty blocks are derived from it (derivation.md, "Batch
    # Queue": the next epoch's window ends there and nothing else came). Until then a batch could still come.
    run_to(node, l1=window - 1)
    before = node.l2.chain.canonical_hash(1)
    assert node.safe_head.number == 0
    run_to(node, l1=window + 3)
    assert node.safe_head.number > 0
    assert node.l2.chain.canonical_hash(1) != before
    must_agree(node)
    assert node.l2.pool.get(lost) is not None or node.l2.chain.find_transaction(lost) is not None
    node.close()

    again = open_node(tmp_path, **times)
    run_to(again, l1=again.l1.chain.head.number + 12)
    again.run_until_safe(again.safe_head.number + 10)
    must_agree(again)
    assert again.l2.chain.find_transaction(lost) is not None
    again.close()


def post(node, data):
    """Sends calldata to the batch inbox with the batcher's key."""
    nonce = node.l1.chain.state_at(node.l1.chain.head.hash).account(BATCHER.address).nonce
    batch = Transaction(
        DYNAMIC_FEE,
        nonce=nonce,
        gas_limit=1_000_000,
        to=node.devnet.rollup_config.batch_inbox_address,
        data=data,
        chain_id=900,
        max_fee_per_gas=100 * GWEI,
        max_priority_fee_per_gas=GWEI,
    ).signed(BATCHER.private_key)
    node.l1.pool.add(batch.encode())
