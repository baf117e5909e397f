"""A dump: a node that loads it has the same chains and pools, and continues; a damaged one changes nothing."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.cheats import Cheats
from rollup.dump import VERSION, DumpError, decode_dump
from rollup.execution.overrides import StateOverride
from rollup.node import Node, NodeError, NodeParams
from rollup.protocol.accounts import USERS
from tests.node.test_snapshots import history_of, open_node, send, settle, state_of


@pytest.fixture(scope="module")
def dumped():
    """A node with batches in blobs, patches, a reorganisation and waiting transactions; its dump, and what it was."""
    node = open_node(da="blobs")
    node.run_until_safe(4)
    cheats = Cheats(node)
    cheats.l1.reorg(1)
    cheats.l2.patch(USERS[3].address, StateOverride(balance=7))
    node.run_until_safe(8)
    for layer in ("l1", "l2"):
        send(node, layer, 1, 2)
        send(node, layer, 2, 3)
    yield node.dump(), state_of(node)[:3], history_of(node)
    node.close()


@pytest.fixture
def file(dumped, tmp_path):
    path = tmp_path / "node.dump"
    path.write_bytes(dumped[0])
    return path


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_node_that_loads_a_dump_goes_on_where_it_was(dumped, file, tmp_path, is_kept):
    folder = tmp_path / "data" if is_kept else None
    node = open_node(folder, load=file, da="blobs")
    assert state_of(node)[:3] == dumped[1]
    assert history_of(node) == dumped[2]
    assert node.dump() == dumped[0]
    settle(node)
    node.close()
    if is_kept:
        again = open_node(folder, da="blobs")
        assert again.is_verifier_equal()
        again.close()


def test_the_dump_decides_what_chain_it_is(file):
    node = open_node(load=file, l1_block_time=12)  # 12 s is the default
    assert node.devnet.params.l1_block_time == 4
    node.close()
    with pytest.raises(NodeError, match="l2_chain_id 901, not 5"):
        open_node(load=file, l2_chain_id=5)


def test_a_directory_with_something_in_it_is_left_alone(file, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "note").write_text("mine")
    with pytest.raises(NodeError, match="not empty"):
        open_node(tmp_path / "data", load=file)
    assert [entry.name for entry in (tmp_path / "data").iterdir()] == ["note"]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_dump_is_refused_in_one_sentence(dumped, data):
    content = dumped[0]
    place = data.draw(st.integers(0, len(content) - 1))
    damage = data.draw(st.sampled_from(["flipped", "cut off", "longer"]))
    broken = {
        "flipped": content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :],
        "cut off": content[:place],
        "longer": content + b"\0",
    }[damage]
    with pytest.raises(DumpError) as refused:
        decode_dump(broken)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b'{"accounts": {}}', b"\x1f\x8b\x08\x00"])
def test_a_state_of_anvil_is_named(content):
    with pytest.raises(DumpError, match="a state of anvil is not a dump of openrollup: anvil_loadState adds it"):
        decode_dump(content)


def test_the_dump_of_a_chain_with_other_options_is_loaded_as_that_chain(tmp_path):
    """Other chain ids, another seed, another genesis time and another sequencing window than those of the node."""
    options = {"l1_chain_id": 1_900, "l2_chain_id": 1_901, "seed": 5, "sequencing_window": 50}
    other = open_node(tmp_path / "other", **options)
    other.run_until_safe(4)
    path = tmp_path / "other.dump"
    path.write_bytes(other.dump())
    then = state_of(other)[:3]
    other.close()
    node = Node.open(NodeParams(load=path, virtual_clock=True, da="none"))
    assert state_of(node)[:3] == then
    made = node.devnet.params
    assert {name: getattr(made, name) for name in ("l1_chain_id", "l2_chain_id")} == {
        "l1_chain_id": 1_900,
        "l2_chain_id": 1_901,
    }
    assert (node.params.seed, made.seq_window_size) == (5, 50)
    assert node.is_verifier_equal()
    node.close()


def test_another_version_is_named(dumped):
    newer = dumped[0].replace(b"dump %d\n" % VERSION, b"dump %d\n" % (VERSION + 1), 1)
    with pytest.raises(DumpError, match=f"version {VERSION + 1}: this openrollup reads version {VERSION}"):
        decode_dump(newer)


def test_nothing_is_made_from_a_damaged_file(file, tmp_path):
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(NodeError, match=r"node\.dump: the dump is damaged"):
        open_node(tmp_path / "data", load=file)
    assert not (tmp_path / "data").exists()


def test_every_value_of_a_dump_is_used(dumped):
    dump = decode_dump(dumped[0])
    assert all(getattr(dump, field.name) for field in dataclasses.fields(dump))
    assert dump.stores["verifier"].keys() >= {"headers", "bodies", "pointers"}
