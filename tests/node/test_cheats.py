"""Cheats: L1, L2 and the verifier agree after every cheat, and a refused cheat changes nothing."""

import pytest

from rollup.cheats import MAX_BLOCKS, CheatRefused, Cheats, Effect
from rollup.cheats.garbage import KINDS
from rollup.cheats.posting import post_garbage
from rollup.execution.overrides import StateOverride
from rollup.protocol.accounts import USERS
from rollup.rpc.dispatch import is_local_caller
from rollup.rpc.methods import declarations
from tests.external.anvil_methods import CHEATS
from tests.node.asking import asking, node_with_safe
from tests.node.cheat_scripts import REFUSED, check_grid, do
from tests.node.test_snapshots import open_node, send, settle, state_of

NAMES = [name for kind in CHEATS for _, declaration in declarations(kind) for name in declaration.names]


@pytest.fixture
def cheats():
    with node_with_safe(3) as node:
        yield Cheats(node)


# ---------------------------------------------------------------- one by one
def test_moving_the_time_builds_every_l2_block_and_one_l1_block(cheats):
    node = cheats.node
    send(node, "l2", 1, 2)
    head, l1_head = node.l2.chain.head, node.l1.chain.head
    effect = cheats.increase_time(100)
    assert effect == Effect(l1_blocks=1, l2_blocks=50, seconds=100)
    assert node.l1.chain.head.timestamp > l1_head.timestamp + 80
    blocks = [node.l2.chain.block_by_number(head.number + 1 + index) for index in range(50)]
    assert all(len(block.transactions) == 1 for block in blocks)  # the L1 attributes deposit alone
    node.advance()
    check_grid(node)
    settle(node)


def test_more_time_than_can_be_built_is_refused_with_the_number_of_blocks(cheats):
    before = state_of(cheats.node)
    with pytest.raises(CheatRefused, match=f"43200 L2 blocks .* at most {MAX_BLOCKS}"):
        cheats.increase_time(86_400)
    with pytest.raises(CheatRefused, match="time goes back only by reverting"):
        cheats.move_to(cheats.node.clock.now() - 1)
    with pytest.raises(CheatRefused, match=f"at most {MAX_BLOCKS}"):
        cheats.l1.mine(10**30)
    assert state_of(cheats.node) == before


def test_the_next_block_has_the_time_that_was_set(cheats):
    node = cheats.node
    for layer, chain in ((cheats.l1, node.l1.chain), (cheats.l2, node.l2.chain)):
        time = chain.head.timestamp + 40
        layer.set_next_time(time)
        assert chain.head.timestamp < time
        layer.mine()
        assert chain.head.timestamp == time
        with pytest.raises(REFUSED, match=str(time - 4)):
            layer.set_next_time(time - 4)
        with pytest.raises(REFUSED, match=str(time + 3)):
            layer.mine(timestamp=time + 3)
    settle(node)


def test_paused_layers_make_blocks_on_demand_only(cheats):
    node = cheats.node
    for layer in (cheats.l1, cheats.l2):
        layer.set_automatic(False)
        assert layer.interval is None
    node.clock.advance(60)
    assert node.advance() == 0
    send(node, "l2", 1, 2)
    assert cheats.l2.mine(2).l2_blocks == 2
    assert len(node.l2.chain.block_by_number(node.l2.chain.head.number - 1).transactions) == 2
    assert cheats.l1.mine().l1_blocks == 1
    for layer in (cheats.l1, cheats.l2):
        layer.set_interval(layer.block_time)
    settle(node)


def test_a_paused_l1_lets_l2_go_as_far_as_the_sequencer_drift(cheats):
    cheats.l1.set_automatic(False)
    before = state_of(cheats.node)
    with pytest.raises(CheatRefused, match="sequencer drift"):
        cheats.l2.mine(MAX_BLOCKS)
    assert state_of(cheats.node) == before


def test_a_reorganised_l1_has_new_hashes_and_both_l2_nodes_follow(cheats):
    node = cheats.node
    cheats.l1.mine(4)
    old = [node.l1.chain.canonical_hash(node.l1.chain.head.number - index) for index in range(3)]
    cheats.l1.reorg(3)
    new = [node.l1.chain.canonical_hash(node.l1.chain.head.number - index) for index in range(3)]
    assert not set(old) & set(new)
    origin = node.sequencer.unsafe_head.l1_origin
    assert node.l1.chain.canonical_hash(origin.number) == origin.hash
    with pytest.raises(CheatRefused, match="reorganise L1"):
        cheats.l2.reorg(1)
    settle(node)


def test_a_refused_change_of_the_state_leaves_no_patch(cheats):
    cheats.node.sequencer.stop()
    before = cheats.node.patches.capture()
    with pytest.raises(CheatRefused, match="sequencer is stopped"):
        cheats.l2.patch(USERS[1].address, StateOverride(balance=1))
    assert cheats.node.patches.capture() == before


def test_after_a_revert_no_node_uses_a_block_that_it_built_with_a_patch(cheats):
    """Found by a random script: the verifier had built the block from attributes that come again after the revert."""
    node = cheats.node
    cheats.l1.mine(3)
    number = cheats.snapshot()
    cheats.l2.patch(USERS[3].address, StateOverride(balance=7))
    cheats.l1.mine()
    post_garbage(cheats, KINDS["random-bytes"])
    assert cheats.revert(number)
    settle(node)
    assert node.verifier.chain.state_at(node.verifier.chain.head.hash).account(USERS[3].address).balance > 7


# ---------------------------------------------------------------- over JSON-RPC
@pytest.fixture
def ask(cheats):
    return asking(cheats.node)


def test_a_snapshot_of_one_port_is_reverted_on_the_other(cheats, ask):
    before = state_of(cheats.node)
    number = ask("l2", "evm_snapshot")["result"]
    assert ask("l1", "anvil_metadata")["result"]["snapshots"][number][0] == cheats.node.l1.chain.head.number
    assert ask("l1", "evm_mine")["result"] == "0x0"
    assert ask("l2", "anvil_mine", "0x2", "0x0")["result"] is None
    assert ask("l2", "evm_increaseTime", 60)["result"] == 60
    assert ask("l1", "anvil_revert", number)["result"] is True
    assert state_of(cheats.node) == before
    assert ask("l1", "anvil_revert", number)["result"] is False


def test_evm_mine_takes_a_time_or_an_object(cheats, ask):
    head = cheats.node.l2.chain.head
    ask("l2", "evm_mine", {"blocks": 3})
    assert cheats.node.l2.chain.head.number == head.number + 3
    ask("l2", "evm_mine", hex(head.timestamp + 20))
    assert cheats.node.l2.chain.head.timestamp == head.timestamp + 20
    blocks = ask("l2", "evm_mine_detailed", {"timestamp": head.timestamp + 30, "blocks": 2})["result"]
    assert int(blocks[-1]["number"], 16) == head.number + 16


@pytest.mark.parametrize("port", ["l1", "l2"])
def test_a_setting_holds_once_its_method_has_answered(cheats, ask, port):
    account = "0x" + "ab" * 20
    ask(port, "anvil_setBalance", account, "0x64")
    ask(port, "hardhat_addBalance", account, 5)
    ask(port, "anvil_setCode", account, "0x6001")
    ask(port, "evm_setAccountNonce", account, "0x7")
    assert ask(port, "hardhat_setStorageAt", account, "0x1", "0x" + "00" * 31 + "09")["result"] is True
    assert ask(port, "eth_getBalance", account)["result"] == "0x69"
    assert ask(port, "eth_getCode", account)["result"] == "0x6001"
    assert ask(port, "eth_getTransactionCount", account)["result"] == "0x7"
    assert int(ask(port, "eth_getStorageAt", account, "0x1")["result"], 16) == 9
    settle(cheats.node)


def test_a_waiting_transaction_is_dropped(cheats, ask):
    node = cheats.node
    send(node, "l2", 1, 2)
    waiting = next(iter(node.l2.pool.content().pending.values()))[0].hash
    assert ask("l2", "anvil_dropTransaction", "0x" + waiting.hex())["result"] == "0x" + waiting.hex()
    assert ask("l2", "hardhat_dropTransaction", "0x" + waiting.hex())["result"] is None
    assert len(node.l2.pool) == 0


def test_the_batcher_goes_on_after_garbage_with_its_key_is_dropped():
    """The garbage waits for a lower base fee, the batcher takes the next nonce, and the garbage is dropped."""
    node = open_node()
    try:
        cheats = Cheats(node)
        for name, *arguments in (
            ("set_next_base_fee", "l1", 10**11),
            ("finalize",),
            ("garbage", "wrong-epoch"),
            ("send_as", "l2", 2, 0),
            ("drop_all", "l1"),
        ):
            do(cheats, name, arguments)
        l1_head = node.l1.chain.head.number
        settle(node)
        assert node.l1.chain.head.number - l1_head < 20  # not a sequencing window
    finally:
        node.close()


def test_cheats_that_break_the_block_grid_are_refused_with_the_reason(ask):
    assert "every 2 s" in ask("l2", "evm_setIntervalMining", 5)["error"]["message"]
    assert "slots of 4 s" in ask("l1", "evm_setAutomine", True)["error"]["message"]
    assert "reorganise L1" in ask("l2", "anvil_reorg", 1, [])["error"]["message"]
    assert "finalized" in ask("l1", "anvil_rollback", 300)["error"]["message"]
    assert ask("l2", "evm_setAutomine", True)["result"] is True
    assert ask("l2", "anvil_getAutomine")["result"] is True
    assert ask("l2", "anvil_getIntervalMining")["result"] == 2


def test_strict_refuses_every_cheat_and_changes_nothing(cheats):
    ask = asking(cheats.node, is_strict=True)
    before = state_of(cheats.node)
    for port in ("l1", "l2"):
        for name in NAMES:
            assert "--strict" in ask(port, name)["error"]["message"]
    assert state_of(cheats.node) == before


def test_callers_from_elsewhere_are_refused(cheats, ask):
    before = state_of(cheats.node)
    token = is_local_caller.set(False)
    try:
        for port in ("l1", "l2"):
            for name in NAMES:
                assert "from this machine" in ask(port, name)["error"]["message"]
    finally:
        is_local_caller.reset(token)
    assert state_of(cheats.node) == before
