"""eth_getLogs reads only the blocks that may have wanted logs, and finds what a reading of every block finds."""

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.execution import log_index
from rollup.execution.chain import Chain
from rollup.execution.chain_recovery import empty
from rollup.execution.state.changes import StateChanges
from rollup.protocol.block import Block, ExecutedBlock
from rollup.protocol.bloom import logs_bloom
from rollup.protocol.header import Header
from rollup.protocol.receipt import Log, Receipt
from rollup.protocol.transaction import deposit_transaction
from rollup.rpc.log_query import LogQuery
from rollup.rpc.log_search import LogSearch
from rollup.store.kv import MemoryStore
from tests.chain.test_chain import ALICE, open_chain

# Few of each, so that queries find something; two addresses and two topics share the bytes that the index keeps.
ADDRESSES = [bytes([first]) + bytes(18) + bytes([last]) for first, last in ((1, 1), (2, 1), (3, 2), (4, 3))]
TOPICS = [bytes([first]) + bytes(30) + bytes([last]) for first, last in ((1, 1), (2, 1), (3, 2), (4, 3), (5, 4))]

addresses = st.sampled_from(ADDRESSES)
topics = st.sampled_from(TOPICS)
logs = st.builds(Log, addresses, st.lists(topics, max_size=4).map(tuple), st.just(b""))
block_logs = st.lists(st.one_of(st.just([]), st.lists(logs, max_size=5)), min_size=1, max_size=12)
queries = st.builds(
    LogQuery,
    st.frozensets(addresses, max_size=2),
    st.lists(st.none() | st.frozensets(topics, min_size=1, max_size=2), max_size=4).map(tuple),
)
steps = st.lists(st.tuples(st.integers(0, 6), block_logs), min_size=1, max_size=5)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short sections, and blocks that soon have too many values, so that a few blocks meet every case."""
    monkeypatch.setattr(log_index, "_SECTION", 8)
    monkeypatch.setattr(log_index, "_MAX_VALUES", 9)


def add(chain: Chain, parent: Block, wanted: list[Log], salt: int) -> Block:
    """A block with these logs and an unchanged state, outside the canonical chain."""
    root = parent.header.state_root
    header = Header(
        parent_hash=parent.hash,
        number=parent.number + 1,
        state_root=root,
        base_fee_per_gas=1,
        logs_bloom=logs_bloom(wanted),
        extra_data=salt.to_bytes(8, "big"),
    )
    deposit = deposit_transaction(
        source_hash=bytes(32), sender=ALICE, to=ALICE, mint=None, value=0, gas_limit=1, is_system=False, data=b""
    )
    block = Block(header, [deposit])
    chain.insert(ExecutedBlock(block, [Receipt(2, 1, 0, 0, wanted)]), chain.states.stage(root, StateChanges()))
    return block


def grow(chain: Chain, back: int, added: list[list[Log]], salt: int) -> None:
    """Makes a branch the head that begins this many blocks below it."""
    parent = chain.block_by_number(max(chain.head.number - back, 0))
    for place, wanted in enumerate(added):
        parent = add(chain, parent, wanted, 1_000 * salt + place)
    chain.set_head(parent.hash)


def searched(
    chain: Chain, query: LogQuery, start: int, stop: int, check_interrupt=lambda: None
) -> list[tuple[int, int]]:
    """Height and index in its block of every log that is found."""
    search = LogSearch(chain, query, check_interrupt)
    search.canonical(start, stop)
    found = orjson.loads(orjson.dumps(search.found))
    return [(int(log["blockNumber"], 16), int(log["logIndex"], 16)) for log in found]


def read(chain: Chain, query: LogQuery, start: int, stop: int) -> list[tuple[int, int]]:
    """The heights found by reading every log of every block."""
    return [
        (number, index)
        for number in range(start, min(stop, chain.head.number) + 1)
        for index, log in enumerate(chain.receipts(chain.canonical_hash(number))[0].logs if number else [])
        if query.matches(log)
    ]


def made(changes: list[tuple[int, list[list[Log]]]]) -> Chain:
    """A chain after growing and reorganising."""
    chain = open_chain(MemoryStore())
    for salt, (back, added) in enumerate(changes, 1):
        grow(chain, back, added, salt)
    return chain


@settings(max_examples=80, deadline=None)
@given(changes=steps, query=queries, start=st.integers(0, 20), length=st.integers(0, 40))
def test_a_search_finds_what_a_reading_of_every_block_finds(
    changes: list[tuple[int, list[list[Log]]]], query: LogQuery, start: int, length: int
) -> None:
    chain = made(changes)
    assert searched(chain, query, start, start + length) == read(chain, query, start, start + length)


@settings(max_examples=40, deadline=None)
@given(changes=steps)
def test_the_index_after_reorganisations_is_that_of_the_chain_as_it_is(
    changes: list[tuple[int, list[list[Log]]]],
) -> None:
    chain, again = made(changes), open_chain(MemoryStore())
    blocks = [chain.receipts(chain.canonical_hash(number))[0].logs for number in range(1, chain.head.number + 1)]
    grow(again, 0, blocks, 0)
    assert dict(chain.store.scan(log_index.LOGS)) == dict(again.store.scan(log_index.LOGS))


@settings(max_examples=40, deadline=None)
@given(changes=steps, later=steps, query=queries)
def test_a_store_without_an_index_is_searched_too(
    changes: list[tuple[int, list[list[Log]]]], later: list[tuple[int, list[list[Log]]]], query: LogQuery
) -> None:
    old = made(changes)
    with old.store.write() as batch:
        batch.delete("pointers", b"logs from")
        for key, _ in list(old.store.scan(log_index.LOGS)):
            batch.delete(log_index.LOGS, key)
    chain = open_chain(old.store)
    for salt, (back, added) in enumerate(later, 100):
        grow(chain, back, added, salt)
        reopened = open_chain(chain.store)
        assert searched(reopened, query, 0, 99) == searched(chain, query, 0, 99) == read(chain, query, 0, 99)


@settings(max_examples=40, deadline=None)
@given(changes=steps, query=queries, turn=st.integers(0, 30), back=st.integers(0, 12), added=block_logs)
def test_a_search_that_a_reorganisation_overtakes_answers_the_new_chain(
    changes: list[tuple[int, list[list[Log]]]], query: LogQuery, turn: int, back: int, added: list[list[Log]]
) -> None:
    chain, turns = made(changes), []
    stop = chain.head.number

    def reorganise() -> None:
        turns.append(None)
        if len(turns) == turn:
            grow(chain, back, added, 500)

    search = LogSearch(chain, query, reorganise)
    chain.subscribe(lambda change: search.rewind(change.removed[-1].number) if change.removed else None)
    search.canonical(0, stop)
    found = [
        (int(log["blockNumber"], 16), int(log["logIndex"], 16)) for log in orjson.loads(orjson.dumps(search.found))
    ]
    assert found == read(chain, query, 0, stop)


def test_blocks_without_wanted_logs_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = open_chain(MemoryStore())
    log = Log(ADDRESSES[0], (TOPICS[0],), b"")
    other = Log(ADDRESSES[2], (TOPICS[2],), b"")
    grow(chain, 0, [[other], [], [log], [other], [], [other]] * 5, 1)
    reads: list[bytes] = []
    monkeypatch.setattr(chain, "header", lambda name: reads.append(name) or Chain.header(chain, name))
    query = LogQuery(frozenset({ADDRESSES[0]}), (frozenset({TOPICS[0]}),))
    assert len(searched(chain, query, 0, chain.head.number)) == 5
    assert set(reads) == {chain.canonical_hash(number) for number in range(3, 31, 6)}


def test_an_emptied_store_has_no_index() -> None:
    chain = made([(0, [[Log(ADDRESSES[0], (), b"")]])])
    assert dict(chain.store.scan(log_index.LOGS))
    empty(chain.store)
    assert set(chain.store.stat()) <= {"codes"}  # by their hashes, and of no chain
