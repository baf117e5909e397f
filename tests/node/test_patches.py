"""State patches: both nodes apply them, a directory keeps them, and without them a verifier names where it differs."""

from dataclasses import replace

import pytest

from rollup.cli.differences import Differences
from rollup.execution.chain import Chain
from rollup.execution.overrides import StateOverride
from rollup.node import Node, NodeParams
from rollup.node.assembly import open_l2
from rollup.patches import Patches, PatchesError, load_patches
from rollup.protocol.accounts import USERS
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction
from rollup.store.kv import MemoryStore
from tests.node.node_process import GENESIS_TIME, GWEI, transfer

KEY = (99).to_bytes(32, "big")
RICH = Transaction(DYNAMIC_FEE, nonce=0, chain_id=901).signed(KEY).sender
OTHER = b"\x77" * 20


def open_node(folder, **options):
    return Node.open(
        NodeParams(data_dir=folder, genesis_time=GENESIS_TIME, virtual_clock=True, da="calldata", **options)
    )


def spend(node):
    """A transaction that only the patched balance can pay."""
    signed = Transaction(
        DYNAMIC_FEE,
        nonce=0,
        gas_limit=21_000,
        to=USERS[1].address,
        value=10**17,
        chain_id=901,
        max_fee_per_gas=100 * GWEI,
        max_priority_fee_per_gas=GWEI,
    ).signed(KEY)
    return node.l2.pool.add(signed.encode())


def balance(chain, address, block=None):
    account = chain.state_at((block or chain.head).hash).account(address)
    return account.balance if account is not None else 0


def derived(node, irregular):
    """Another chain, derived from the node's L1, and where it differs."""
    genesis = node.devnet.l2
    chain = Chain.open(MemoryStore(), genesis.header, genesis.alloc)
    config = replace(node.devnet.l2_config, irregular=irregular)
    derivation = open_l2(chain, config, node.devnet.rollup_config, node.l1.source, node.l1.source).derivation
    differences = Differences(0)
    derivation.journal.subscribe(differences)
    derivation.sync()
    return chain, differences.text


@pytest.mark.parametrize("batch_type", ["singular", "span"])
def test_both_nodes_apply_a_patch_and_a_verifier_needs_the_file(tmp_path, batch_type):
    node = open_node(tmp_path, batch_type=batch_type)
    node.run_until_safe(6)
    height = node.patch("l2", RICH, StateOverride(balance=10**18))
    assert height == node.l2.chain.head.number + 1
    while node.l2.chain.head.number < height:
        node.advance() or node.clock.advance(1)
    assert balance(node.l2.chain, RICH) == 10**18
    spent = spend(node)
    node.run_until_safe(height + 30)
    assert node.l2.chain.find_transaction(spent) is not None
    assert node.is_verifier_equal()
    assert balance(node.verifier.chain, RICH, node.verifier.chain.safe) < 10**18

    chain, differs = derived(node, (load_patches(tmp_path / "patches.json")["l2"],))
    assert (chain.safe.hash, differs) == (node.l2.chain.safe.hash, None)
    chain, differs = derived(node, ())
    assert chain.canonical_hash(height - 1) == node.l2.chain.canonical_hash(height - 1)
    assert chain.canonical_hash(height) != node.l2.chain.canonical_hash(height)
    if batch_type == "singular":
        assert differs.startswith(f"L2 block {height} is the first that differs")
    else:
        first, last = _range(differs)
        assert first <= height <= last
    node.close()


def _range(text):
    words = text.split(" is the first")[0].split()
    numbers = [int(word) for word in words if word.isdigit()]
    return numbers[0], numbers[-1]


def test_a_directory_with_patches_starts_again_equal(tmp_path):
    node = open_node(tmp_path)
    node.run_until_safe(4)
    slots = StateOverride(nonce=3, code=b"\x60\x01", storage={1: 2, 3: 4})
    node.patch("l2", OTHER, slots)
    node.patch("l2", OTHER, StateOverride(balance=5, storage_diff={3: 0}))
    node.patch("l1", OTHER, StateOverride(balance=7))
    node.run_until_safe(20)
    assert balance(node.l1.chain, OTHER) == 7
    state = node.l2.chain.state_at(node.l2.chain.head.hash)
    assert [state.storage(OTHER, slot) for slot in (1, 3)] == [2, 0]
    kept = node.patches.capture()
    node.close()
    again = open_node(tmp_path)
    assert again.patches.capture() == kept
    again.run_until_safe(30)
    assert again.is_verifier_equal()
    again.close()


def test_a_snapshot_takes_its_patches_back(tmp_path):
    node = open_node(tmp_path)
    node.run_until_safe(4)
    with node.anchor():
        node.patch("l2", OTHER, StateOverride(balance=5))
        node.run_until_safe(10)
        assert balance(node.l2.chain, OTHER) == 5
    node.l2.pool.add(transfer(901, 0, 0).encode())
    node.run_until_safe(16)
    assert balance(node.l2.chain, OTHER) == 0
    assert node.is_verifier_equal()
    assert load_patches(tmp_path / "patches.json")["l2"].by_height == {}
    node.close()


@pytest.mark.parametrize(
    "text", ["", "[]", '{"l3": {}}', '{"l2": {"x": {}}}', '{"l2": {"1": {"0x12": {}}}}', '{"l2": {"1": 5}}']
)
def test_a_malformed_file_is_named(tmp_path, text):
    (tmp_path / "patches.json").write_text(text)
    with pytest.raises(PatchesError, match=r"patches\.json: "):
        Patches(tmp_path)
