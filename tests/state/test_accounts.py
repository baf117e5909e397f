"""The journaled account database against py-evm's own, over random operations, and its rules one by one."""

from typing import Any

import pytest
from eth.db.account import AccountDB
from eth.db.atomic import AtomicDB
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.execution.state.account import Account
from rollup.execution.state.accounts import AccountDatabase
from rollup.execution.state.changes import StateChanges
from rollup.execution.state.database import StateDatabase
from rollup.execution.state.reader import TrieReader
from rollup.execution.state.trie import MissingNode
from rollup.protocol.primitives import EMPTY_CODE_HASH, EMPTY_TRIE_ROOT, keccak256
from rollup.store.kv import MemoryStore

A, B = b"\x0a" * 20, b"\x0b" * 20
ADDRESSES = [A, B, b"\x0c" * 20]
address = st.sampled_from(ADDRESSES)
slot = st.integers(0, 4)
operation = st.one_of(
    st.tuples(st.just("set_balance"), address, st.integers(0, 3)),
    st.tuples(st.just("set_nonce"), address, st.integers(0, 2)),
    st.tuples(st.just("set_code"), address, st.sampled_from([b"", b"\x00", b"\x01\x02"])),
    st.tuples(st.just("set_storage"), address, slot, st.integers(0, 2)),
    st.tuples(st.just("set_storage"), address, slot, st.integers(0, 2)),
    st.tuples(st.just("touch_account"), address),
    st.tuples(st.just("mark_address_warm"), address),
    st.tuples(st.just("mark_storage_warm"), address, slot),
    st.tuples(st.just("record")),
    st.tuples(st.just("discard")),
    st.tuples(st.just("commit")),
)
transaction = st.tuples(st.lists(operation, max_size=25), st.lists(address, max_size=2))
blocks = st.lists(st.lists(transaction, max_size=4), max_size=4)


def assert_equal(ours: Any, theirs: Any) -> None:
    for who in ADDRESSES:
        for name in ("get_balance", "get_nonce", "get_code", "get_code_hash", "account_exists", "account_is_empty"):
            assert getattr(ours, name)(who) == getattr(theirs, name)(who), name
        assert ours.account_has_code_or_nonce(who) == theirs.account_has_code_or_nonce(who)
        assert ours.is_address_warm(who) == theirs.is_address_warm(who)
        for number in range(5):
            assert ours.get_storage(who, number) == theirs.get_storage(who, number)
            assert ours.get_storage(who, number, False) == theirs.get_storage(who, number, False)
            assert ours.is_storage_warm(who, number) == theirs.is_storage_warm(who, number)


def run_transaction(databases: list[Any], operations: list[tuple[Any, ...]], deleted: list[bytes]) -> None:
    checkpoints: list[list[Any]] = []
    for name, *arguments in operations:
        if name == "record":
            checkpoints.append([database.record() for database in databases])
        elif name in ("discard", "commit"):
            if checkpoints:
                for database, checkpoint in zip(databases, checkpoints.pop(), strict=True):
                    getattr(database, name)(checkpoint)
        else:
            for database in databases:
                getattr(database, name)(*arguments)
        assert_equal(*databases)
    for checkpoint in reversed(checkpoints):
        for database, value in zip(databases, checkpoint, strict=True):
            database.commit(value)
    # py-evm deletes accounts only at a transaction's end, so its database is an oracle only there.
    for who in deleted:
        for database in databases:
            database.delete_account(who)
    for database in databases:
        database.lock_changes()
    assert_equal(*databases)


@given(blocks)
@settings(max_examples=120, deadline=None)
def test_values_and_roots_equal_py_evms(chain: list[list[Any]]) -> None:
    theirs = AccountDB(AtomicDB())
    states = StateDatabase(MemoryStore())
    root, number = EMPTY_TRIE_ROOT, 0
    for transactions in chain:
        ours = AccountDatabase(states.reader_at(root))
        for operations, deleted in transactions:
            run_transaction([ours, theirs], operations, deleted)
        theirs.persist()
        staged = states.stage(root, ours.changes())
        assert staged.root == theirs.state_root
        root, number = staged.root, number + 1
        with states._store.write() as batch:
            states.write_block(batch, number.to_bytes(32, "big"), staged)
            states.write_flat(batch, [], [staged.diff])
        states.follow([], [staged.diff], root)
        assert_same_everywhere(states, root)


def assert_same_everywhere(states: StateDatabase, root: bytes) -> None:
    flat, tries = states.reader_at(root), states._trie_reader(root)
    for who in ADDRESSES:
        assert flat.account(who) == tries.account(who)
        for number in range(5):
            assert flat.storage(who, number) == tries.storage(who, number)


def staged_on(states: StateDatabase, changes: StateChanges) -> bytes:
    staged = states.stage(EMPTY_TRIE_ROOT, changes)
    with states._store.write() as batch:
        states.write_block(batch, bytes(32), staged)
        states.write_flat(batch, [], [staged.diff])
    states.follow([], [staged.diff], staged.root)
    return staged.root


def with_contract() -> tuple[StateDatabase, bytes]:
    states = StateDatabase(MemoryStore())
    changes = StateChanges({A: Account(1, 5), B: Account(0, 1)}, {A: {1: 7, 2: 8}})
    return states, staged_on(states, changes)


def test_a_recreated_account_has_no_old_storage_within_and_after_the_block() -> None:
    states, root = with_contract()
    accounts = AccountDatabase(states.reader_at(root))
    accounts.delete_account(A)
    accounts.lock_changes()
    assert not accounts.account_exists(A)
    accounts.set_nonce(A, 1)
    assert accounts.get_storage(A, 1) == 0
    accounts.set_storage(A, 2, 9)
    staged = states.stage(root, accounts.changes())
    assert sorted(key[:20] for key, _ in staged.diff.wiped) == [A, A]
    with states._store.write() as batch:
        states.write_block(batch, b"\1" * 32, staged)
        states.write_flat(batch, [], [staged.diff])
    states.follow([], [staged.diff], staged.root)
    reader = states.reader_at(staged.root)
    assert [reader.storage(A, number) for number in (1, 2)] == [0, 9]
    diff = states.diff_of(b"\1" * 32)
    assert diff is not None
    with states._store.write() as batch:
        states.write_flat(batch, [diff], [])
    states.follow([diff], [], root)
    reader = states.reader_at(root)
    assert [reader.storage(A, number) for number in (1, 2)] == [7, 8]


def test_a_revert_past_a_wipe_brings_storage_back() -> None:
    states, root = with_contract()
    accounts = AccountDatabase(states.reader_at(root))
    accounts.set_storage(A, 3, 1)
    checkpoint = accounts.record()
    accounts.delete_account(A)
    accounts.set_storage(A, 4, 1)
    accounts.discard(checkpoint)
    assert [accounts.get_storage(A, number) for number in (1, 2, 3, 4)] == [7, 8, 1, 0]
    accounts.discard(0)
    assert accounts.changes() == StateChanges()


def test_the_storage_root_is_unknown_while_the_storage_differs_from_that_before_the_block() -> None:
    states, root = with_contract()
    base = states.reader_at(root).account(A)
    assert base is not None
    accounts = AccountDatabase(states.reader_at(root))
    slot, value = 1, accounts.get_storage(A, 1)
    assert accounts.storage_root(A) == base.storage_root
    assert accounts.storage_root(ADDRESSES[2]) == EMPTY_TRIE_ROOT
    checkpoint = accounts.record()
    accounts.set_storage(A, slot, value + 1)
    assert accounts.storage_root(A) is None
    accounts.set_storage(A, slot, value)
    assert accounts.storage_root(A) == base.storage_root
    accounts.delete_storage(A)
    assert accounts.storage_root(A) is None
    accounts.discard(checkpoint)
    assert accounts.storage_root(A) == base.storage_root
    accounts.set_storage(ADDRESSES[2], 5, 1)
    assert accounts.storage_root(ADDRESSES[2]) is None
    accounts.delete_storage(ADDRESSES[2])
    assert accounts.storage_root(ADDRESSES[2]) == EMPTY_TRIE_ROOT


def test_original_values_are_those_of_the_transactions_start() -> None:
    states, root = with_contract()
    accounts = AccountDatabase(states.reader_at(root))
    accounts.set_storage(A, 1, 10)
    accounts.set_storage(A, 1, 11)
    assert accounts.get_storage(A, 1, from_journal=False) == 7
    accounts.lock_changes()
    accounts.set_storage(A, 1, 12)
    assert accounts.get_storage(A, 1, from_journal=False) == 11


def test_only_touched_empty_accounts_go() -> None:
    states = StateDatabase(MemoryStore())
    c, d = ADDRESSES[2], b"\x0d" * 20
    root = staged_on(states, StateChanges({who: Account(0, 0) for who in (A, B, c, d)}))
    accounts = AccountDatabase(states.reader_at(root))
    accounts.touch_account(A)
    accounts.add_balance(B, 0)
    checkpoint = accounts.record()
    accounts.touch_account(c)
    accounts.discard(checkpoint)
    accounts.get_balance(d)
    accounts.delete_touched_empty()
    assert [accounts.account_exists(who) for who in (A, B, c, d)] == [False, False, True, True]


def test_transient_storage_is_undone_and_ends_with_the_transaction() -> None:
    accounts = AccountDatabase(StateDatabase(MemoryStore()).reader_at(EMPTY_TRIE_ROOT))
    accounts.set_transient(A, 1, b"\x01")
    checkpoint = accounts.record()
    accounts.set_transient(A, 1, b"\x02")
    accounts.set_transient(A, 2, b"\x03")
    accounts.discard(checkpoint)
    assert (accounts.get_transient(A, 1), accounts.get_transient(A, 2)) == (b"\x01", b"")
    accounts.lock_changes()
    assert accounts.get_transient(A, 1) == b""


def test_a_balance_below_zero_is_refused_and_changes_nothing() -> None:
    states, root = with_contract()
    accounts = AccountDatabase(states.reader_at(root))
    with pytest.raises(ValueError, match="would be -1"):
        accounts.add_balance(A, -6)
    with pytest.raises(ValueError, match="would be -1"):
        accounts.set_balance(A, -1)
    assert accounts.record() == 0
    assert accounts.get_balance(A) == 5


def first_missing(witness: dict[bytes, bytes], root: bytes, changes: StateChanges) -> MissingNode | None:
    try:
        StateDatabase.of_witness(witness).stage(root, changes)
    except MissingNode as error:
        return error
    return None


def test_a_witness_names_every_preimage_it_lacks() -> None:
    states = StateDatabase(MemoryStore())
    people = {keccak256(bytes([n]))[:20]: Account(n, n + 1) for n in range(1, 40)}
    root = staged_on(states, StateChanges(people, {A: dict.fromkeys(range(1, 20), 1)}))
    store = states._store
    whole = dict(store.scan("trie_nodes"))
    victim = next(iter(people))
    changes = StateChanges({victim: None, B: Account(1, 1)})
    expected = states.stage(root, changes).root
    # Begin with nothing and add only what an error names: it must end, at the same root, with part of the trie.
    witness: dict[bytes, bytes] = {}
    while (missing := first_missing(witness, root, changes)) is not None:
        assert missing.hash not in witness
        assert missing.hash.hex() in str(missing)
        witness[missing.hash] = whole[missing.hash]
    assert StateDatabase.of_witness(witness).stage(root, changes).root == expected
    assert len(witness) < len(whole)
    reader = TrieReader(witness, witness, root)
    account = reader.account(victim)
    assert account == people[victim]
    assert reader.code(EMPTY_CODE_HASH) == b""
    with pytest.raises(MissingNode):
        reader.code(b"\1" * 32)
