"""The head goes back to the finalized block however deep that is, and a refused move changes nothing."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.execution import chain as chain_module
from rollup.execution.chain import Chain, ReorgTooDeep, UnknownBlock
from rollup.execution.state.database import DIFFS, NODES
from rollup.store.kv import LmdbStore, MemoryStore
from tests.chain.test_chain import extend, flat, grow, open_chain


def everything(chain: Chain) -> object:
    """Everything that a move of the head may change."""
    tables = {name: dict(chain.store.scan(name)) for name in chain.store.stat()}
    return tables, chain.head.hash, chain.safe.hash, chain.finalized.hash, chain.states.flat_root


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_the_head_goes_back_to_any_block_from_the_finalized_one_up(data: st.DataObject) -> None:
    history = data.draw(st.integers(1, 6), label="history")
    chain, reference = open_chain(MemoryStore(), history), open_chain(MemoryStore(), None)
    length = data.draw(st.integers(2, 60), label="length")
    finalized = data.draw(st.integers(0, length - 1), label="finalized")
    back_to = data.draw(st.integers(finalized, length - 1), label="back to")
    for each in (chain, reference):
        for number, block in enumerate(grow(each, each.genesis, range(1, length + 1)), 1):
            label = block.hash if number <= finalized else None
            each.set_head(block.hash, label, label)
        ancestor = each.block_by_number(back_to)
        assert ancestor is not None
        each.set_head(ancestor.hash)
        branch = grow(each, ancestor, range(1_000, 1_000 + length))
        each.set_head(branch[-1].hash)
    assert chain.head.hash == reference.head.hash
    assert flat(chain) == flat(reference)
    assert chain.finalized.number == finalized
    tries = chain.states._trie_reader(chain.head.header.state_root)
    assert flat(chain)[0] == tries.account(b"\xaa" * 20)


def test_a_reorganisation_longer_than_one_write_is_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    heads = []
    for most in (1_024, 7):
        monkeypatch.setattr(chain_module, "_UNDONE_AT_ONCE", most)
        chain = open_chain(LmdbStore.open(tmp_path / str(most)), 4)
        for block in grow(chain, chain.genesis, range(1, 61)):
            chain.set_head(block.hash)
        removed: list[int] = []
        chain.subscribe(lambda change, removed=removed: removed.extend(block.number for block in change.removed))  # type: ignore[misc]
        first = extend(chain, chain.genesis, 99)
        chain.set_head(first.hash, first.hash)
        assert removed == list(range(60, 0, -1))
        heads.append((chain.head.hash, chain.safe.hash, chain.finalized.hash, flat(chain)))
        chain.store.close()
        again = open_chain(LmdbStore.open(tmp_path / str(most)), 4)
        assert heads[-1] == (again.head.hash, again.safe.hash, again.finalized.hash, flat(again))
    assert heads[0] == heads[1]


def test_what_is_kept_stays_bounded_while_the_finalized_block_follows() -> None:
    chain = open_chain(MemoryStore(), 5)
    sizes = []
    for salt in range(1, 200):
        block = extend(chain, chain.head, salt)
        label = chain.canonical_hash(max(0, chain.head.number - 8))
        chain.set_head(block.hash, label, label)
        stat = chain.store.stat()
        sizes.append((stat[DIFFS]["entries"], stat[NODES]["entries"]))
    nodes = [entries for _, entries in sizes]
    assert max(nodes[100:]) <= max(nodes[50:100]) + 10
    assert sizes[-1][0] <= 10


def test_state_kept_for_a_stalled_finalized_block_is_pruned_once_it_moves() -> None:
    chain = open_chain(MemoryStore(), 5)
    blocks = grow(chain, chain.genesis, range(1, 300))
    for block in blocks:
        chain.set_head(block.hash)
    assert chain.store.stat()[DIFFS]["entries"] == len(blocks)
    chain.set_labels(blocks[-1].hash, blocks[-1].hash)
    for salt in range(1, 10):
        chain.set_head(extend(chain, chain.head, salt).hash)
    assert chain.store.stat()[DIFFS]["entries"] == 9  # down to the finalized block: above it, all are needed


@pytest.mark.parametrize("label", ["safe", "finalized"])
@pytest.mark.parametrize("wanted", ["unknown", "other branch", "above the head"])
@pytest.mark.parametrize("moves", [True, False])
def test_a_label_that_is_no_ancestor_leaves_everything_as_it_was(label: str, wanted: str, moves: bool) -> None:
    chain = open_chain(MemoryStore())
    first = grow(chain, chain.genesis, range(1, 4))
    second = grow(chain, chain.genesis, range(11, 14))
    chain.set_head(first[-1].hash, first[0].hash)
    head = second[1] if moves else first[-1]
    other = {
        "unknown": b"\1" * 32,
        "other branch": (first if moves else second)[1].hash,
        "above the head": second[2].hash,
    }
    before = everything(chain)
    with pytest.raises(UnknownBlock):
        chain.set_head(head.hash, **{label: other[wanted]})
    assert everything(chain) == before


def test_a_reorganisation_below_the_states_kept_changes_nothing() -> None:
    chain = open_chain(MemoryStore(), 3)
    for block in grow(chain, chain.genesis, range(1, 20)):
        chain.set_head(block.hash, block.hash, block.hash)
    old = chain.block_by_number(5)
    assert old is not None
    before = everything(chain)
    with pytest.raises(ReorgTooDeep):
        chain.set_head(old.hash)
    assert everything(chain) == before
