"""eth_getLogs, filters that are polled, and what a reorganisation tells them."""

import asyncio
import tracemalloc
from cProfile import Profile
from functools import partial
from pstats import Stats
from random import Random
from types import SimpleNamespace

import orjson
import pytest

from rollup.cooperative import Turns
from rollup.execution.chain import HeadChange
from rollup.protocol.accounts import USERS
from rollup.protocol.bloom import BloomTest, logs_bloom, value_bits
from rollup.protocol.receipt import Log
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.errors import RpcError
from rollup.rpc.eth_logs import EthLogs
from rollup.rpc.limits import (
    FILTER_SECONDS,
    MAX_ADDRESSES,
    MAX_TOPIC_POSITIONS,
    MAX_TOPICS_PER_POSITION,
)
from rollup.rpc.log_query import BlockTest, LogQuery
from rollup.rpc.log_routes import LogRoutes
from rollup.rpc.log_search import LogSearch
from rollup.rpc.methods import collect
from tests.rpc.caller import Failed
from tests.rpc.story import TOPIC_A, TOPIC_B, contract_code, init_code
from tests.rpc.test_eth_calls import signed

ALICE = "0x" + USERS[0].address.hex()
A, B = "0x" + TOPIC_A.hex(), "0x" + TOPIC_B.hex()
UNKNOWN = "0x" + "77" * 32


def emitting(contract, nonce=1):
    """A transaction of its sender after the creation: the contract logs twice."""
    return signed(nonce=nonce, to=bytes.fromhex(contract[2:]), data=b"\0", gas_limit=10**5)


# ---------------------------------------------------------------- getLogs
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [0, 1]),
        ({"topics": []}, [0, 1]),
        ({"topics": [A]}, [0, 1]),
        ({"topics": [A, B]}, [0]),
        ({"topics": [None, B]}, [0]),
        ({"topics": [[A, B]]}, [0, 1]),
        ({"topics": [[UNKNOWN, A], [B, UNKNOWN]]}, [0]),
        ({"topics": [B]}, []),
        ({"topics": [A, None]}, [0]),
        ({"topics": [A, B, None]}, []),
        ({"topics": [[]]}, [0, 1]),
        ({"address": "contract"}, [0, 1]),
        ({"address": ["contract", ALICE]}, [0, 1]),
        ({"address": ALICE}, []),
        ({"address": []}, [0, 1]),
        ({"fromBlock": "0xe", "toBlock": "0xe"}, [0, 1]),
        ({"fromBlock": "0xf"}, []),
        ({"toBlock": "0xd"}, []),
        ({"fromBlock": "earliest", "toBlock": "latest"}, [0, 1]),
    ],
    ids=str,
)
async def test_logs_by_query(rpc, story, query, found):
    contract = "0x" + story.contract.hex()
    whole = {"fromBlock": "0x1", "toBlock": "latest"} | query
    if "address" in whole:
        given = whole["address"]
        swap = {"contract": contract}
        named = [swap.get(item, item) for item in (given if isinstance(given, list) else [given])]
        whole["address"] = named if isinstance(given, list) else named[0]
    logs = await rpc.l2("eth_getLogs", whole)
    receipt = await rpc.l2("eth_getTransactionReceipt", "0x" + story.logging.hex())
    mine = [log for log in logs if log["address"] == contract]
    assert mine == [receipt["logs"][index] for index in found]
    by_filter = await rpc.l2("eth_newFilter", whole)
    assert await rpc.l2("eth_getFilterLogs", by_filter) == logs


async def test_logs_of_a_block_by_its_hash(rpc, story):
    receipt = await rpc.l2("eth_getTransactionReceipt", "0x" + story.logging.hex())
    assert await rpc.l2("eth_getLogs", {"blockHash": receipt["blockHash"]}) == receipt["logs"]
    error = await rpc.l2.failure("eth_getLogs", {"blockHash": UNKNOWN})
    assert (error.code, error.message) == (-32000, "unknown block")


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ({"fromBlock": "0x5", "toBlock": "0x4"}, -32602, "invalid block range params"),
        ({"topics": [A] * 5}, -32000, "exceed max topics"),
        ({"topics": A}, -32602, "invalid argument 0: topics: a list is expected"),
        ({"topics": ["0x00"]}, -32602, "invalid argument 0: hex string has length 2, want 64"),
        ({"address": "0x00"}, -32602, "invalid argument 0: hex string has length 2, want 40"),
        ({"address": {}}, -32602, "invalid argument 0: a hex string is expected"),
        ({"fromBlock": "new"}, -32602, "invalid argument 0: hex string without 0x prefix"),
        (
            {"blockHash": UNKNOWN, "fromBlock": "0x1"},
            -32602,
            "invalid argument 0: cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other",
        ),
        ([], -32602, "invalid argument 0: an object is expected"),
        ("", -32602, "invalid argument 0: an object is expected"),
        (None, -32602, "missing value for required argument 0"),
    ],
    ids=str,
)
async def test_queries_refused(rpc, query, code, message):
    for method in ("eth_getLogs", "eth_newFilter"):
        if method == "eth_newFilter" and message.startswith("invalid block range"):
            continue
        error = await rpc.l2.failure(method, query)
        assert (error.code, error.message) == (code, message)


# ---------------------------------------------------------------- filters
async def test_filters_return_what_came_since_the_last_poll(fresh):
    node = fresh.node
    blocks = await fresh.l2("eth_newBlockFilter")
    pending = await fresh.l2("eth_newPendingTransactionFilter")
    assert await fresh.l2("eth_getFilterChanges", blocks) == []
    tx_hash = await fresh.l2("eth_sendRawTransaction", signed())
    assert await fresh.l2("eth_getFilterChanges", pending) == [tx_hash]
    assert await fresh.l2("eth_getFilterChanges", pending) == []
    first, second = node.build_l2(), node.build_l2()
    assert await fresh.l2("eth_getFilterChanges", blocks) == ["0x" + block.hash.hex() for block in (first, second)]
    assert await fresh.l2("eth_getFilterChanges", blocks) == []
    assert await fresh.l2("eth_uninstallFilter", blocks) is True
    assert await fresh.l2("eth_uninstallFilter", blocks) is False
    for method in ("eth_getFilterChanges", "eth_getFilterLogs"):
        error = await fresh.l2.failure(method, blocks)
        assert (error.code, error.message) == (-32000, "filter not found")
    assert (await fresh.l2.failure("eth_getFilterLogs", pending)).message == "filter not found"


@pytest.fixture
def clock(monkeypatch):
    """The clock of filters, which the test sets."""
    clock = SimpleNamespace(time=1_000.0)
    monkeypatch.setattr("rollup.serve.EthLogs", partial(EthLogs, now=lambda: clock.time))
    return clock


@pytest.fixture
async def timed(clock, fresh):
    """A node at genesis whose filters go by `clock`."""
    return fresh


async def test_a_filter_that_nobody_polls_ends(clock, timed):
    polled, forgotten = [await timed.l2("eth_newBlockFilter") for _ in range(2)]
    clock.time += FILTER_SECONDS
    assert await timed.l2("eth_getFilterChanges", polled) == []
    clock.time += 1
    assert (await timed.l2.failure("eth_getFilterChanges", forgotten)).message == "filter not found"
    assert await timed.l2("eth_getFilterChanges", polled) == []


@pytest.mark.parametrize("method", ["eth_newBlockFilter", "eth_newFilter"])
async def test_a_filter_too_far_behind_the_chain_ends(fresh, monkeypatch, method):
    monkeypatch.setattr("rollup.rpc.eth_logs.MAX_JOURNAL", 2)
    logs = EthLogs(ExecutionBackend("l2", fresh.node.l2.chain, fresh.node.l2.engine.config), Turns())
    ident = collect(logs)[method]([{}] if method == "eth_newFilter" else [])
    for _ in range(2):
        fresh.node.build_l2()
    assert len(logs.get_filter_changes(ident)) == (0 if method == "eth_newFilter" else 2)
    for _ in range(3):
        fresh.node.build_l2()
    with pytest.raises(RpcError, match="filter not found"):
        logs.get_filter_changes(ident)


async def test_entries_beyond_one_poll_come_with_the_next_poll(fresh, monkeypatch):
    created = await fresh.l2(
        "eth_sendRawTransaction", signed(to=None, data=init_code(contract_code()), gas_limit=10**6)
    )
    fresh.node.build_l2()
    contract = (await fresh.l2("eth_getTransactionReceipt", created))["contractAddress"]
    ident = await fresh.l2("eth_newFilter", {"address": contract})
    for nonce in (1, 2):
        raw = signed(nonce=nonce, to=bytes.fromhex(contract[2:]), data=b"\0", gas_limit=10**5)
        await fresh.l2("eth_sendRawTransaction", raw)
        fresh.node.build_l2()
    monkeypatch.setattr("rollup.rpc.log_search.MAX_LOGS", 1)
    polled = [await fresh.l2("eth_getFilterChanges", ident) for _ in range(3)]
    assert [[int(log["blockNumber"], 16) for log in logs] for logs in polled] == [[2, 2], [3, 3], []]


# ---------------------------------------------------------------- bounds of queries
def addresses(count):
    return [f"0x{number:040x}" for number in range(1, count + 1)]


def topics(count):
    return [f"0x{number:064x}" for number in range(1, count + 1)]


AT_THE_BOUND = {"address": addresses(MAX_ADDRESSES), "topics": [topics(MAX_TOPICS_PER_POSITION)] * 4}
OVER_THE_BOUND = [
    ({"address": addresses(MAX_ADDRESSES + 1)}, "exceed max addresses or topics per search position"),
    *(
        ({"topics": [None] * place + [topics(MAX_TOPICS_PER_POSITION + 1)]}, "exceed max topics")
        for place in range(MAX_TOPIC_POSITIONS)
    ),
    ({"topics": [None] * (MAX_TOPIC_POSITIONS + 1)}, "exceed max topics"),
]


@pytest.mark.parametrize(("query", "message"), OVER_THE_BOUND, ids=range(len(OVER_THE_BOUND)))
async def test_every_way_to_ask_for_logs_has_geths_bounds(rpc, query, message):
    async with rpc.l2.websocket() as socket:
        for method, params in (("eth_getLogs", []), ("eth_newFilter", []), ("eth_subscribe", ["logs"])):
            with pytest.raises(Failed) as refused:
                await socket(method, *params, query)
            assert (refused.value.code, refused.value.message) == (-32000, message)
        assert await socket("eth_getLogs", AT_THE_BOUND) == []


async def test_filters_are_bounded_by_their_addresses_and_topics(fresh, monkeypatch):
    monkeypatch.setattr("rollup.rpc.filters.MAX_CRITERIA", 25)
    first, second, third = [await fresh.l2("eth_newFilter", {"address": addresses(10)}) for _ in range(3)]
    assert (await fresh.l2.failure("eth_getFilterChanges", first)).message == "filter not found"
    assert await fresh.l2("eth_getFilterChanges", second) == await fresh.l2("eth_getFilterChanges", third) == []


async def test_subscriptions_are_bounded_by_their_addresses_and_topics(rpc, monkeypatch):
    monkeypatch.setattr("rollup.rpc.log_feed.MAX_CRITERIA", 25)
    async with rpc.l2.websocket() as socket:
        first = await socket("eth_subscribe", "logs", {"address": addresses(20)})
        with pytest.raises(Failed, match="addresses and topics on this port"):
            await socket("eth_subscribe", "logs", {"topics": [topics(6)]})
        assert await socket("eth_unsubscribe", first)
        assert await socket("eth_subscribe", "logs", {"topics": [topics(6)]})


async def test_subscriptions_of_a_port_are_bounded(rpc, monkeypatch):
    monkeypatch.setattr("rollup.rpc.subscriptions.MAX_PORT_SUBSCRIPTIONS", 1)
    async with rpc.l2.websocket() as socket:
        async with rpc.l2.websocket() as other:
            await other("eth_subscribe", "newHeads")
            with pytest.raises(Failed, match="subscriptions on this port"):
                await socket("eth_subscribe", "newHeads")
            await other.socket.close()
        assert await socket("eth_subscribe", "newHeads")


# ---------------------------------------------------------------- searches that take long
@pytest.fixture
def no_time(monkeypatch):
    """No search has any time."""
    monkeypatch.setattr("rollup.rpc.eth_logs.LOG_SECONDS", -1)


async def test_a_search_that_takes_too_long_ends_as_on_geth(fresh, no_time):
    error = await fresh.l2.failure("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"})
    assert (error.code, error.message) == (-32002, "request timed out")


async def test_a_poll_that_takes_too_long_ends_and_can_be_repeated(fresh, monkeypatch):
    ident = await fresh.l2("eth_newFilter", {})
    fresh.node.build_l2()
    with monkeypatch.context() as patch:
        patch.setattr("rollup.rpc.eth_logs.LOG_SECONDS", -1)
        error = await fresh.l2.failure("eth_getFilterChanges", ident)
    assert await fresh.l2("eth_getFilterChanges", ident) == []
    assert (error.code, error.message) == (-32002, "request timed out")


async def test_a_reorganisation_during_a_search_leaves_no_trace_of_the_old_chain(fresh):
    node, chain = fresh.node, fresh.node.l2.chain
    created = await fresh.l2(
        "eth_sendRawTransaction", signed(to=None, data=init_code(contract_code()), gas_limit=10**6)
    )
    node.build_l2()
    contract = (await fresh.l2("eth_getTransactionReceipt", created))["contractAddress"]
    base = chain.head
    await fresh.l2("eth_sendRawTransaction", emitting(contract))
    with_logs = node.build_l2()
    await fresh.l2("eth_sendRawTransaction", emitting(contract, nonce=2))
    last = node.build_l2()
    turns = []

    def go_back():
        if search.found:
            chain.set_head(base.hash)
            search.rewind(with_logs.number)

    def start_again():
        turns.append(None)
        if len(turns) in (2, with_logs.number + 1, with_logs.number + 2):
            again.rewind(0)

    search = LogSearch(chain, LogQuery(frozenset({bytes.fromhex(contract[2:])})), go_back)
    search.canonical(0, chain.head.number)
    assert search.found == []
    chain.set_head(last.hash)
    whole, again = LogSearch(chain, LogQuery()), LogSearch(chain, LogQuery(), start_again)
    for item in (whole, again):
        item.canonical(0, chain.head.number)
    assert texts(again) == texts(whole) != []


def texts(search):
    return [orjson.dumps(item) for item in search.found]


async def test_two_polls_of_a_filter_at_once_do_not_answer_the_same(fresh, monkeypatch):
    monkeypatch.setattr("rollup.cooperative.TURN_SECONDS", 0)
    created = await fresh.l2(
        "eth_sendRawTransaction", signed(to=None, data=init_code(contract_code()), gas_limit=10**6)
    )
    fresh.node.build_l2()
    contract = (await fresh.l2("eth_getTransactionReceipt", created))["contractAddress"]
    ident = await fresh.l2("eth_newFilter", {"address": contract})
    await fresh.l2("eth_sendRawTransaction", emitting(contract))
    fresh.node.build_l2()
    polled = await asyncio.gather(*(fresh.l2("eth_getFilterChanges", ident) for _ in range(5)))
    assert sorted(map(len, polled)) == [0, 0, 0, 0, 2]


# ---------------------------------------------------------------- against a plain reading of the rules
def random_queries(random, logs):
    """Queries of addresses and topics, most of them seen in logs."""
    seen = [log.address for log in logs], [topic for log in logs for topic in log.topics]

    def some(values, size):
        known = random.sample(values, min(len(values), random.randrange(3)))
        return frozenset(known + [random.randbytes(size) for _ in range(random.randrange(3))])

    for _ in range(300):
        wanted = tuple(some(seen[1], 32) or None for _ in range(random.randrange(5)))
        yield LogQuery(some(seen[0], 20), wanted)


def plainly_matches(query, log):
    if query.addresses and not any(log.address == item for item in query.addresses):
        return False
    for place, wanted in enumerate(query.topics):
        if place >= len(log.topics) or (wanted is not None and not any(log.topics[place] == item for item in wanted)):
            return False
    return True


def test_the_test_of_a_bloom_passes_what_has_all_three_bits_of_a_value():
    random = Random(9)
    passed = 0
    for count in (0, 1, 2, 5, 40, 600):
        values = [random.randbytes(20) for _ in range(count)]
        test = BloomTest(values)
        for _ in range(60):
            bloom = random.choice((0, 2**2048 - 1, random.getrandbits(2048) | random.getrandbits(2048)))
            if values and random.random() < 0.5:
                bloom = random.getrandbits(2048) & random.getrandbits(2048) | value_bits(random.choice(values))
            expected = any(value_bits(value) & bloom == value_bits(value) for value in values)
            assert test.may_match(bloom) == expected
            passed += expected
    assert 60 < passed < 300


def test_a_search_for_many_values_holds_few_bytes_for_each():
    """A hundred clients may search for a thousand values each at once."""
    query = LogQuery(frozenset(number.to_bytes(20, "big") for number in range(1_000)))
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        held = BlockTest(query), query.index_groups()
        size = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert held
    assert size < 20 * len(query.addresses)


def test_bloom_routes_and_queries_agree_with_a_plain_reading():
    random = Random(8)
    values = [random.randbytes(20) for _ in range(6)], [random.randbytes(32) for _ in range(8)]
    logs = [
        Log(random.choice(values[0]), tuple(random.choices(values[1], k=random.randrange(5))), b"") for _ in range(80)
    ]
    queries = list(random_queries(random, logs))
    routes = LogRoutes()
    for number, query in enumerate(queries):
        routes.add(number, query)
    found = 0
    for log in logs:
        expected = {number for number, query in enumerate(queries) if plainly_matches(query, log)}
        routed = list(routes.of(log))
        assert len(routed) == len(set(routed))
        assert set(routed) == expected == {n for n, query in enumerate(queries) if query.matches(log)}
        assert all(BlockTest(queries[number]).may_match(logs_bloom([log])) for number in expected)
        found += len(expected)
    assert found > 1_000
    passed = sum(BlockTest(query).may_match(logs_bloom([log])) for log in logs for query in queries)
    assert passed < len(logs) * len(queries) / 2
    for number, query in enumerate(queries):
        routes.remove(number, query)
    assert not routes._by_value
    assert not routes._open


def test_a_new_block_costs_the_same_with_one_filter_and_with_a_thousand(fresh_node):
    logs = EthLogs(ExecutionBackend("l2", fresh_node.l2.chain, fresh_node.l2.engine.config), Turns())
    counts = []
    for filters in (1, 100):
        for number in range(filters):
            logs.new_filter({"address": addresses(1_000), "topics": [[f"0x{number:064x}"]]})
        change = HeadChange(added=[fresh_node.build_l2()])
        profiler = Profile()
        profiler.runcall(logs.on_head_change, change)
        counts.append(Stats(profiler).total_calls)
    assert counts[0] == counts[1]


async def test_filters_are_bounded(fresh, monkeypatch):
    monkeypatch.setattr("rollup.rpc.filters.MAX_FILTERS", 3)
    idents = [await fresh.l2("eth_newBlockFilter") for _ in range(4)]
    assert (await fresh.l2.failure("eth_getFilterChanges", idents[0])).message == "filter not found"
    assert await fresh.l2("eth_getFilterChanges", idents[3]) == []
