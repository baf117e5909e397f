"""A chain kept in a directory continues where it stopped; a directory that is not ours is refused and left as it is."""

import json
import shutil
import time
from dataclasses import replace

import pytest

from rollup.l1.devnet import make_devnet
from rollup.node import Node, NodeError, NodeParams
from rollup.store.kv import StoreError
from tests.node.node_process import GENESIS_TIME, NodeProcess, transfer

PARAMS = {"genesis_time": GENESIS_TIME, "virtual_clock": True}


def open_node(data_dir, **options):
    return Node.open(NodeParams(data_dir=data_dir, **{**PARAMS, **options}))


def contents(directory):
    """Every file with its bytes and the time of its last change."""
    return {
        str(path.relative_to(directory)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def some_blocks(tmp_path_factory):
    """Lays a chain with a transfer into a new or empty directory; returns the hashes of its L2 blocks.

    Each chain is made once and copied.
    """
    made = {}

    def lay(data_dir, blocks=8):
        if blocks not in made:
            folder = tmp_path_factory.mktemp("chain") / str(blocks)
            made[blocks] = folder, make_blocks(folder, blocks)
        folder, hashes = made[blocks]
        shutil.copytree(folder, data_dir, dirs_exist_ok=True)
        return hashes

    return lay


def make_blocks(data_dir, blocks):
    """Continues or begins a chain with a transfer; returns the hashes of its L2 blocks."""
    node = open_node(data_dir)
    node.l2.pool.add(transfer(901, 0, 0).encode())
    node.run_until_safe(blocks)
    hashes = l2_hashes(node)
    node.close()
    return hashes


def l2_hashes(node):
    return [node.l2.chain.canonical_hash(number) for number in range(node.l2.chain.head.number + 1)]


def test_a_chain_goes_on_from_its_last_block(tmp_path, some_blocks):
    before = some_blocks(tmp_path / "chain")
    node = open_node(tmp_path / "chain")
    assert l2_hashes(node) == before
    head = node.l2.chain.head.number
    node.run_until_safe(head + 5)
    assert l2_hashes(node)[: head + 1] == before
    verified = node.verifier.derivation.safe_head
    assert verified.number >= head + 5
    assert verified.hash == node.l2.chain.canonical_hash(verified.number)
    node.close()


@pytest.mark.parametrize("layer", ["l1", "l2"])
def test_a_chain_with_the_genesis_of_another_version_is_refused_and_left_alone(
    tmp_path, monkeypatch, layer, some_blocks
):
    """A version whose contracts have other code begins its chains with another genesis block."""

    def of_another_version(params):
        devnet = make_devnet(params)
        genesis = getattr(devnet, layer)
        return replace(devnet, **{layer: replace(genesis, header=replace(genesis.header, gas_used=1))})

    folder = tmp_path / "chain"
    some_blocks(folder)
    before = contents(folder)
    monkeypatch.setattr("rollup.node.node.make_devnet", of_another_version)
    with pytest.raises(NodeError) as refusal:
        open_node(folder)
    text = str(refusal.value)
    assert text.startswith(f"{folder / layer}: another chain is stored here: genesis 0x")
    assert text.endswith(
        "; if another version of openrollup began it, run that version, or begin a new chain in another --data-dir"
    )
    assert "\n" not in text
    changed = {name for name, content in contents(folder).items() if before.get(name, ("", 0))[0] != content[0]}
    assert {name for name in changed if not name.endswith("lock.mdb")} == set()
    monkeypatch.undo()
    node = open_node(folder)
    node.run_until_safe(node.l2.chain.head.number + 2)
    node.close()


def test_a_transaction_that_waits_is_still_there_after_a_restart(tmp_path):
    node = open_node(tmp_path / "chain")
    node.run_until_safe(2)
    waiting = node.l2.pool.add(transfer(901, 0, 0).encode())
    on_l1 = node.l1.pool.add(transfer(900, 1, 0).encode())
    node.close()
    node = open_node(tmp_path / "chain")
    node.run_until_safe(node.l2.chain.head.number + 3)
    assert node.l2.chain.find_transaction(waiting) is not None
    assert node.l1.chain.find_transaction(on_l1) is not None
    node.close()


def test_the_genesis_time_is_that_of_the_first_start(tmp_path, some_blocks):
    some_blocks(tmp_path / "chain", 2)
    node = open_node(tmp_path / "chain", genesis_time=None)
    assert node.l2.chain.genesis.timestamp == GENESIS_TIME
    node.close()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("seed", 1),
        ("l2_block_time", 1),
        ("l1_block_time", 6),
        ("l1_chain_id", 31_337),
        ("l2_chain_id", 10),
        ("attribution", "contract"),
        ("operator_fee_scalar", 5),
        ("operator_fee_constant", 5),
        ("genesis_time", GENESIS_TIME + 1),
        ("sequencing_window", 20),
    ],
)
def test_options_that_make_another_chain_are_refused(tmp_path, option, value, some_blocks):
    some_blocks(tmp_path / "chain", 1)
    before = contents(tmp_path)
    with pytest.raises(NodeError, match=f"{option} .*, not .*another --data-dir"):
        open_node(tmp_path / "chain", **{option: value})
    assert contents(tmp_path) == before


def test_chosen_chain_ids_are_those_of_both_chains_and_their_files(tmp_path):
    node = open_node(tmp_path / "chain", l1_chain_id=31_337, l2_chain_id=10)
    node.run_until_safe(2)
    devnet = node.devnet
    assert (devnet.l1_config.chain_id, devnet.l2_config.chain_id) == (31_337, 10)
    assert (devnet.rollup_config.l1_chain_id, devnet.rollup_config.l2_chain_id) == (31_337, 10)
    assert (devnet.l1_chain_config_json["chainId"], devnet.l2_genesis_json["config"]["chainId"]) == (31_337, 10)
    node.close()


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ({"l1_chain_id": 901}, "must differ"),
        ({"l2_chain_id": 900}, "must differ"),
        ({"l1_chain_id": 1}, "l1_chain_id 1 is Mainnet"),
        ({"l1_chain_id": 11_155_111}, "is Sepolia"),
    ],
)
def test_chain_ids_that_cannot_be_are_refused(ids, words):
    with pytest.raises(NodeError, match=words):
        Node.open(NodeParams(genesis_time=GENESIS_TIME, virtual_clock=True, **ids))


def test_a_directory_older_than_the_chain_ids_has_the_defaults(tmp_path, some_blocks):
    some_blocks(tmp_path / "chain", 2)
    file = tmp_path / "chain" / "openrollup.json"
    kept = json.loads(file.read_text())
    file.write_text(json.dumps({name: value for name, value in kept.items() if "chain_id" not in name}))
    node = open_node(tmp_path / "chain")
    assert node.devnet.l2_config.chain_id == 901
    node.close()


@pytest.mark.parametrize("first", [{"da": "none"}, {"sequencing_window": 20}, {}])
def test_the_sequencing_window_stays_whatever_the_next_start_says_of_batches(tmp_path, first):
    """The window is in rollup.json, and blocks are derived by it."""
    open_node(tmp_path / "chain", **first).close()
    windows = []
    for da in ("none", "calldata"):
        node = open_node(tmp_path / "chain", da=da)
        windows.append(node.devnet.rollup_config.seq_window_size)
        node.close()
    assert windows == [{"none": 2**40}.get(first.get("da"), first.get("sequencing_window", 3_600))] * 2


def test_a_directory_older_than_the_sequencing_window_has_that_of_its_batches(tmp_path, some_blocks):
    some_blocks(tmp_path / "chain", 2)
    file = tmp_path / "chain" / "openrollup.json"
    kept = json.loads(file.read_text())
    file.write_text(json.dumps({name: value for name, value in kept.items() if name != "sequencing_window"}))
    for da, window in (("calldata", 3_600), ("none", 2**40)):
        node = open_node(tmp_path / "chain", da=da)
        assert node.devnet.rollup_config.seq_window_size == window
        node.close()


def test_options_that_make_no_other_chain_may_change(tmp_path, some_blocks):
    some_blocks(tmp_path / "chain", 2)
    node = open_node(tmp_path / "chain", da="calldata", batch_type="singular", compression="zlib", archive=True)
    head = node.l2.chain.head.number
    node.run_until_safe(head + 3)
    assert node.verifier.derivation.safe_head.number >= head + 3
    node.close()


def test_a_directory_of_something_else_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("\\documentclass{article}")
    before = contents(tmp_path)
    with pytest.raises(NodeError, match="not empty, and not a data directory"):
        open_node(tmp_path)
    assert contents(tmp_path) == before


def test_a_file_in_place_of_a_directory_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(NodeError, match="not a directory"):
        open_node(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("\udcff", "not JSON"),
        ("[]", "an object is expected"),
        ("{}", "l1_block_time is missing"),
        ({"genesis_time": "yesterday"}, "genesis_time: a whole number"),
        ({"genesis_time": None}, "genesis_time: a whole number"),
        ({"genesis_time": True}, "genesis_time: a whole number"),
        ({"genesis_time": 1.5}, "genesis_time: a whole number"),
        ({"genesis_time": -1}, "genesis_time: -1 is outside"),
        ({"genesis_time": 2**64}, "is outside"),
        ({"attribution": 7}, "native or contract"),
    ],
)
@pytest.mark.parametrize("genesis_time", [None, GENESIS_TIME])
def test_a_malformed_parameter_file_is_named(tmp_path, text, words, genesis_time, some_blocks):
    some_blocks(tmp_path / "chain", 1)
    file = tmp_path / "chain" / "openrollup.json"
    if isinstance(text, dict):
        text = json.dumps(json.loads(file.read_text()) | text)
    file.write_text(text, errors="surrogateescape")
    before = contents(tmp_path)
    with pytest.raises(NodeError, match=words) as error:
        open_node(tmp_path / "chain", genesis_time=genesis_time)
    assert str(file) in str(error.value)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("layer", ["l1", "l2", "verifier"])
@pytest.mark.parametrize("damage", ["cut", "garbage", "of another chain"])
def test_damaged_chain_data_is_named_and_left_alone(tmp_path, layer, damage, some_blocks):
    some_blocks(tmp_path / "chain", 3)
    file = tmp_path / "chain" / layer / "data.mdb"
    if damage == "cut":
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    elif damage == "garbage":
        file.write_bytes(bytes(range(256)) * 64)
    else:
        node = open_node(tmp_path / "other", genesis_time=GENESIS_TIME + 5)
        node.close()
        file.write_bytes((tmp_path / "other" / layer / "data.mdb").read_bytes())
    before = file.read_bytes()
    with pytest.raises(NodeError) as error:
        open_node(tmp_path / "chain")
    assert str(file.parent) in str(error.value)
    assert file.read_bytes() == before
    # What was opened before the damage was found is let go of.
    with pytest.raises(NodeError, match=str(file.parent)):
        open_node(tmp_path / "chain")


def test_a_directory_in_use_is_not_opened_twice(tmp_path):
    with NodeProcess(f"--data-dir={tmp_path / 'chain'}", "--da=calldata") as node:
        node.wait_for("L2BlockBuilt")
        with pytest.raises(NodeError, match="in use by another process"):
            open_node(tmp_path / "chain", genesis_time=None)
        node.wait_for("L2BlockBuilt")


def test_a_kill_in_the_first_moment_leaves_a_directory_that_can_be_used(tmp_path, some_blocks):
    """Only openrollup.json may be there, or half of the folders."""
    folder = tmp_path / "chain"
    some_blocks(folder, 1)
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.name != "openrollup.json":
            path.rmdir() if path.is_dir() else path.unlink()
    (folder / "l1").mkdir()
    (folder / "l1" / "data.mdb").write_bytes(b"")
    assert json.loads((folder / "openrollup.json").read_text())["genesis_time"] == GENESIS_TIME
    assert len(make_blocks(folder, 3)) > 3


def test_a_full_disk_ends_the_node_with_a_clear_error_and_loses_nothing(tmp_path, monkeypatch, some_blocks):
    some_blocks(tmp_path)
    node = open_node(tmp_path)
    before = l2_hashes(node)

    def full():
        raise StoreError("cannot write: No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(node.l2.chain.store, "write", full)
        with pytest.raises(NodeError, match=r"No space left on device.*is the disk full") as raised:
            node.run_until_safe(1_000)
    assert str(tmp_path) in str(raised.value)
    node.close()
    again = open_node(tmp_path)
    assert l2_hashes(again)[: len(before)] == before
    again.run_until_safe(len(before) + 1)
    again.close()


@pytest.mark.parametrize("genesis_time", [None, GENESIS_TIME])
def test_the_first_block_is_due_at_once_and_not_ahead_of_the_machines_clock(tmp_path, genesis_time):
    """This holds at later starts as well: the chain's clock stands still while the node is down."""
    for head in range(4):
        node = Node.open(NodeParams(data_dir=tmp_path, genesis_time=genesis_time))
        assert node.l2.chain.head.number == head
        if head == 0 or genesis_time is not None:
            assert node.next_due() <= node.clock.now()
        else:  # the last block was made just now, or ahead of its time as here: the next one waits
            assert int(node.clock.now()) <= max(time.time(), node.l2.chain.head.timestamp)
            node.clock.advance(2)
        node.advance()
        node.close()
