"""A chain keeps blocks, states and pointers through reorganisations, pruning and reopening."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from trie import HexaryTrie

from rollup.execution.chain import Chain, HeadChange, ReorgTooDeep, UnknownBlock
from rollup.execution.state.account import Account
from rollup.execution.state.accounts import AccountDatabase
from rollup.execution.state.changes import StateChanges, changes_of_alloc
from rollup.execution.state.database import NODES, StateDatabase, StateUnavailable
from rollup.execution.state.trie import Trie
from rollup.protocol.block import Block, ExecutedBlock
from rollup.protocol.header import Header
from rollup.protocol.primitives import EMPTY_TRIE_ROOT, keccak256, rlp_decode
from rollup.protocol.receipt import Log, Receipt
from rollup.protocol.transaction import deposit_transaction
from rollup.store.kv import LmdbStore, MemoryStore, Store, StoreError, WriteBatch

ALICE, CONTRACT = b"\xaa" * 20, b"\xcc" * 20


@dataclass
class Entry:
    balance: int
    nonce: int = 0
    code: bytes = b""
    storage: dict[int, int] = field(default_factory=dict)


ALLOC = {ALICE: Entry(10**18), CONTRACT: Entry(0, 1, b"\x00", {1: 5, 2: 0})}


def genesis_header() -> Header:
    root = StateDatabase(MemoryStore()).stage(EMPTY_TRIE_ROOT, changes_of_alloc(ALLOC)).root
    return Header(state_root=root, base_fee_per_gas=1)


def open_chain(store: Store, history: int | None = 256) -> Chain:
    return Chain.open(store, genesis_header(), ALLOC, history)


def extend(chain: Chain, parent: Block, salt: int) -> Block:
    """A block that pays ALICE salt wei and writes slots."""
    accounts = AccountDatabase(chain.states.reader_at(parent.header.state_root))
    accounts.set_balance(ALICE, accounts.get_balance(ALICE) + salt)
    accounts.set_storage(CONTRACT, 1, salt)
    accounts.set_storage(CONTRACT, 100 + parent.number, salt)
    accounts.set_storage(CONTRACT, 99 + parent.number, 0)
    staged = chain.states.stage(parent.header.state_root, accounts.changes())
    transaction = deposit_transaction(
        source_hash=salt.to_bytes(32, "big"),
        sender=ALICE,
        to=CONTRACT,
        mint=None,
        value=0,
        gas_limit=1,
        is_system=False,
        data=b"",
    )
    header = Header(
        parent_hash=parent.hash, number=parent.number + 1, state_root=staged.root, base_fee_per_gas=1, extra_data=b"x"
    )
    block = Block(header, [transaction])
    chain.insert(ExecutedBlock(block, []), staged)
    return block


def grow(chain: Chain, parent: Block, salts: range) -> list[Block]:
    blocks = []
    for salt in salts:
        parent = extend(chain, parent, salt)
        blocks.append(parent)
    return blocks


def flat(chain: Chain) -> tuple[object, list[int]]:
    reader = chain.state_at(chain.head.hash)
    return reader.account(ALICE), [reader.storage(CONTRACT, slot) for slot in [1, 2, *range(99, 120)]]


def test_a_reorganisation_moves_head_state_index_and_labels() -> None:
    chain = open_chain(MemoryStore())
    first = grow(chain, chain.genesis, range(1, 6))
    chain.set_head(first[-1].hash)
    chain.set_labels(safe=first[3].hash, finalized=first[0].hash)
    state = flat(chain)
    second = grow(chain, first[1], range(11, 17))

    change = chain.set_head(second[-1].hash)

    assert [b.hash for b in change.removed] == [b.hash for b in reversed(first[2:])]
    assert [b.hash for b in change.added] == [b.hash for b in second]
    assert chain.safe.hash == first[1].hash
    assert chain.finalized.hash == first[0].hash
    assert chain.find_transaction(first[3].transactions[0].hash) is None
    location = chain.find_transaction(second[0].transactions[0].hash)
    assert location is not None
    assert location.block_number == 3
    assert not chain.is_canonical(first[4].hash)
    chain.set_head(first[-1].hash)
    assert flat(chain) == state


def test_the_flat_state_equals_the_tries_after_every_move() -> None:
    chain = open_chain(MemoryStore())
    first = grow(chain, chain.genesis, range(1, 6))
    second = grow(chain, first[1], range(11, 17))
    for head in (first[4], second[5], first[2], second[3], chain.genesis, second[5]):
        chain.set_head(head.hash)
        tries = chain.states._trie_reader(head.header.state_root)
        account, slots = flat(chain)
        assert account == tries.account(ALICE)
        assert slots == [tries.storage(CONTRACT, slot) for slot in [1, 2, *range(99, 120)]]


def test_a_reader_of_the_head_stays_true_when_the_head_moves_on() -> None:
    chain = open_chain(MemoryStore())
    reader = chain.state_at(chain.genesis.hash)
    chain.set_head(grow(chain, chain.genesis, range(1, 3))[-1].hash)
    account = reader.account(ALICE)
    assert account is not None
    assert account.balance == 10**18
    assert reader.storage(CONTRACT, 1) == 5


def test_states_beyond_the_history_go_and_their_nodes_with_them() -> None:
    pruned, archive = open_chain(MemoryStore(), history=5), open_chain(MemoryStore(), history=None)
    for chain in (pruned, archive):
        parent = chain.genesis
        for salt in range(1, 40):
            side = extend(chain, parent, 1000 + salt)
            parent = extend(chain, parent, salt)
            chain.set_head(parent.hash, parent.hash, parent.hash)
            assert side.hash != parent.hash
    assert flat(pruned) == flat(archive)
    old = archive.block_by_number(10)
    assert old is not None
    assert archive.state_at(old.hash).storage(CONTRACT, 1) == 10
    with pytest.raises(StateUnavailable):
        pruned.state_at(old.hash)
    for number in range(pruned.head.number - 5, pruned.head.number + 1):
        header = pruned.header_by_number(number)
        assert header is not None
        assert pruned.states._trie_reader(header.state_root).storage(CONTRACT, 1) == number
    counts = [chain.store.stat()[NODES]["entries"] for chain in (pruned, archive)]
    assert counts[0] < counts[1] / 4


def test_a_reopened_store_resumes_where_it_stood(tmp_path: Path) -> None:
    chain = open_chain(LmdbStore.open(tmp_path / "db"), history=5)
    blocks = grow(chain, chain.genesis, range(1, 20))
    for block in blocks:
        chain.set_head(block.hash)
    chain.set_labels(safe=blocks[10].hash, finalized=blocks[3].hash)
    state = flat(chain)
    chain.store.close()

    again = open_chain(LmdbStore.open(tmp_path / "db"), history=5)

    assert (again.head.hash, again.safe.hash, again.finalized.hash) == (
        blocks[-1].hash,
        blocks[10].hash,
        blocks[3].hash,
    )
    assert flat(again) == state
    assert again.head.transactions[0].sender == ALICE
    again.set_head(extend(again, again.head, 77).hash)


def test_another_genesis_is_refused(tmp_path: Path) -> None:
    open_chain(LmdbStore.open(tmp_path / "db")).store.close()
    with pytest.raises(StoreError, match="another chain"):
        Chain.open(LmdbStore.open(tmp_path / "db"), genesis_header().with_fields(timestamp=1), ALLOC)


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 500, bytes(8192)])
def test_a_foreign_or_corrupt_directory_is_refused_and_left_untouched(tmp_path: Path, content: bytes) -> None:
    name = "data.mdb" if content else "holiday.txt"
    (tmp_path / name).write_bytes(content)
    with pytest.raises(StoreError):
        LmdbStore.open(tmp_path)
    assert (tmp_path / name).read_bytes() == content
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


class _FailingStore(MemoryStore):
    """A store whose next write is refused, as on a full disk."""

    fails = False

    @contextmanager
    def write(self) -> Iterator[WriteBatch]:
        with super().write() as batch:
            yield batch
            if self.fails:
                raise StoreError("cannot write: disk full")


def test_a_failed_write_leaves_the_chain_where_it_was() -> None:
    store = _FailingStore()
    chain = open_chain(store)
    first = grow(chain, chain.genesis, range(1, 4))
    chain.set_head(first[1].hash)
    state, head = flat(chain), chain.head.hash
    store.fails = True
    with pytest.raises(StoreError, match="disk full"):
        chain.set_head(first[2].hash)
    with pytest.raises(StoreError, match="disk full"):
        chain.set_labels(safe=first[0].hash)
    assert (chain.head.hash, chain.safe.hash, flat(chain)) == (head, chain.genesis.hash, state)
    store.fails = False
    assert [b.hash for b in chain.set_head(first[2].hash).added] == [first[2].hash]


def test_labels_take_canonical_blocks_only() -> None:
    chain = open_chain(MemoryStore())
    first = grow(chain, chain.genesis, range(1, 3))
    chain.set_head(first[0].hash)
    for block_hash in (first[1].hash, b"\1" * 32):
        with pytest.raises(UnknownBlock):
            chain.set_labels(safe=block_hash)
        with pytest.raises(UnknownBlock):
            chain.set_labels(finalized=block_hash)


def test_receipts_come_back_whole(tmp_path: Path) -> None:
    chain = open_chain(LmdbStore.open(tmp_path / "db"))
    receipts = [
        Receipt(2, 1, 21000, 21000, [Log(ALICE, (b"\1" * 32,), b"data")], effective_gas_price=7),
        Receipt(0, 0, 50000, 29000, contract_address=CONTRACT),
        Receipt(0x7E, 1, 50001, 1, deposit_nonce=0, deposit_receipt_version=1),
        Receipt(0x7E, 1, 50002, 1, deposit_nonce=5),
    ]
    staged = chain.states.stage(chain.genesis.header.state_root, StateChanges())
    header = Header(parent_hash=chain.genesis.hash, number=1, state_root=staged.root, base_fee_per_gas=1)
    block = Block(header)
    chain.insert(ExecutedBlock(block, receipts), staged)
    chain.store.close()
    again = open_chain(LmdbStore.open(tmp_path / "db"))
    assert again.receipts(block.hash) == receipts
    assert again.header(block.hash) == header
    assert again.canonical_hash(1) is None
    assert again.receipts(b"\1" * 32) is None


def test_listeners_are_called_once_per_move_and_stat_has_the_history() -> None:
    chain = open_chain(MemoryStore(), history=3)
    heard: list[HeadChange] = []
    chain.subscribe(heard.append)
    blocks = grow(chain, chain.genesis, range(1, 9))
    for block in blocks:
        chain.set_head(block.hash, block.hash, block.hash)
    assert chain.set_head(blocks[-1].hash) == HeadChange()
    assert [change.added[0].hash for change in heard] == [block.hash for block in blocks]
    stat = chain.stat()
    assert (stat["head"], stat["oldest_state"], stat["history"]) == (8, 5, 3)
    assert stat["tables"]["headers"]["entries"] == 9
    assert stat["tables"]["state_diffs"]["entries"] == 3
    with pytest.raises(ReorgTooDeep, match="no longer kept"):
        chain.set_head(blocks[1].hash)
    assert chain.head.hash == blocks[-1].hash


def test_an_archive_can_become_a_pruned_chain_and_back() -> None:
    store = MemoryStore()
    chain = open_chain(store, history=None)
    for block in grow(chain, chain.genesis, range(1, 12)):
        chain.set_head(block.hash, block.hash, block.hash)
    whole = store.stat()[NODES]["entries"]
    pruned = open_chain(store, history=2)
    newest = extend(pruned, pruned.head, 50).hash
    pruned.set_head(newest, newest, newest)
    assert store.stat()[NODES]["entries"] < whole
    assert pruned.stat()["oldest_state"] == 10
    archive = open_chain(store, history=None)
    archive.set_head(extend(archive, archive.head, 51).hash)
    assert archive.stat()["oldest_state"] == 10
    assert flat(archive)[1][0] == 51


def test_proofs_of_the_head_and_of_history_verify() -> None:
    chain = open_chain(MemoryStore())
    for block in grow(chain, chain.genesis, range(1, 6)):
        chain.set_head(block.hash)
    for number in (0, 3, 5):
        header = chain.header_by_number(number)
        assert header is not None
        for address in (CONTRACT, ALICE, b"\x01" * 20):
            proof = chain.states.prove(header.state_root, address, [1, 2, 100])
            leaf = HexaryTrie.get_from_proof(
                header.state_root, keccak256(address), [rlp_decode(node) for node in proof.account_nodes]
            )
            assert leaf == (b"" if proof.account is None else proof.account.encode())
            for slot, value, nodes in proof.slots:
                assert value == chain.state_at(chain.canonical_hash(number) or b"").storage(address, slot)
                if proof.account is None or not nodes:
                    assert value == 0
                    continue
                key = keccak256(slot.to_bytes(32, "big"))
                found = HexaryTrie.get_from_proof(proof.account.storage_root, key, [rlp_decode(n) for n in nodes])
                assert (int.from_bytes(rlp_decode(found), "big") if found else 0) == value


def test_nodes_that_went_and_came_back_stay_while_a_state_needs_them() -> None:
    chain = open_chain(MemoryStore(), history=2)
    for number in range(1, 14):
        parent = chain.head
        accounts = AccountDatabase(chain.state_at(parent.hash))
        # Two contents in turn, each in two accounts: the same nodes, in several places of several states.
        for address in (CONTRACT, ALICE):
            for slot in range(10):
                accounts.set_storage(address, slot, 2**200 + slot + number % 2)
        staged = chain.states.stage(parent.header.state_root, accounts.changes())
        header = Header(parent_hash=parent.hash, number=number, state_root=staged.root, base_fee_per_gas=1)
        block = Block(header)
        chain.insert(ExecutedBlock(block, []), staged)
        chain.set_head(block.hash, block.hash, block.hash)
        needed: set[bytes] = set()
        for height in range(max(0, number - 2), number + 1):
            kept = chain.header_by_number(height)
            assert kept is not None
            places: list[bytes] = []
            for _, data in Trie(chain.states._nodes, kept.state_root).items(places):
                list(Trie(chain.states._nodes, Account.decode(data).storage_root).items(places))
            needed |= set(places)
        assert {key for key, _ in chain.store.scan(NODES)} == needed
