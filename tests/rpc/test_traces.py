"""debug_trace… and trace_…: what they say is true of the chain, and they hold up nobody."""

import asyncio
from itertools import pairwise

import aiohttp
import orjson
import pytest

from attribution_precompile import ADDRESS_BYTES
from rollup.rpc import parity_trace, tracing
from rollup.rpc.errors import RpcError
from rollup.rpc.tracer_options import duration
from rollup.serve import PORTS, NodeServers
from tests.attribution import calls
from tests.rpc.caller import Caller
from tests.rpc.in_process import SECRET
from tests.rpc.trace_story import CREATIONS, SENDER

TRACERS = ["callTracer", "flatCallTracer", "prestateTracer", "4byteTracer", "noopTracer"]
MUX = {"tracer": "muxTracer", "tracerConfig": dict.fromkeys(TRACERS)}


def heights(traced):
    return range(1, traced.node.l2.chain.head.number + 1)


def test_every_tracer_tells_the_gas_and_the_success_of_the_receipt(traced, answer):
    for number in heights(traced):
        receipts = answer("eth_getBlockReceipts", hex(number))
        logs = answer("debug_traceBlockByNumber", hex(number))
        several = answer("debug_traceBlockByNumber", hex(number), MUX)
        assert len(receipts) == len(logs) == len(several)
        for receipt, rows, item in zip(receipts, logs, several, strict=True):
            top = item["result"]["callTracer"]
            assert rows["txHash"] == item["txHash"] == receipt["transactionHash"]
            assert rows["result"]["gas"] == int(top["gasUsed"], 16) == int(receipt["gasUsed"], 16)
            assert rows["result"]["failed"] == ("error" in top) == (receipt["status"] == "0x0")


def test_the_logs_of_a_call_tree_are_those_of_the_receipts(traced, answer):
    def logs_of(frame):
        own = frame.get("logs", [])
        return own + [log for call in frame.get("calls", []) for log in logs_of(call)]

    options = {"tracer": "callTracer", "tracerConfig": {"withLog": True}}
    for number in heights(traced):
        said = [
            log for item in answer("debug_traceBlockByNumber", hex(number), options) for log in logs_of(item["result"])
        ]
        wanted = [log for receipt in answer("eth_getBlockReceipts", hex(number)) for log in receipt["logs"]]
        assert sorted((int(log["index"], 16), log["address"], log["data"], *log["topics"]) for log in said) == [
            (int(log["logIndex"], 16), log["address"], log["data"], *log["topics"]) for log in wanted
        ]


def test_the_differences_of_a_block_lead_to_its_state(traced, answer):
    """The last difference of an account is how the block leaves it; the vaults are not shown, as by op-geth."""
    options = {"tracer": "prestateTracer", "tracerConfig": {"diffMode": True}}
    for number in heights(traced):
        after = {}
        for item in answer("debug_traceBlockByNumber", hex(number), options):
            for address, account in item["result"]["post"].items():
                after.setdefault(address, {}).update(account)
        assert after
        for address, account in after.items():
            found = answer("eth_getAccountInfo", address, hex(number))
            assert int(account.get("balance", found["balance"]), 16) == int(found["balance"], 16)
            assert account.get("nonce", int(found["nonce"], 16)) == int(found["nonce"], 16)
            assert account.get("code", found["code"]) == found["code"]
            for slot, value in account.get("storage", {}).items():
                assert answer("eth_getStorageAt", address, slot, hex(number)) == value


def test_flat_calls_are_the_tree_in_order(traced, answer):
    def flat(frame, place=()):
        yield frame["type"], list(place), len(frame.get("calls", []))
        for index, call in enumerate(frame.get("calls", [])):
            yield from flat(call, (*place, index))

    wanted = {"tracer": "flatCallTracer", "tracerConfig": {"includePrecompiles": True}}
    for tx_hash in traced.hashes.values():
        tree = answer("debug_traceTransaction", "0x" + tx_hash.hex(), {"tracer": "callTracer"})
        rows = answer("debug_traceTransaction", "0x" + tx_hash.hex(), wanted)
        names = [
            row["action"].get("callType", row["action"].get("creationMethod", "selfdestruct")).upper() for row in rows
        ]
        found = [(name, row["traceAddress"], row["subtraces"]) for name, row in zip(names, rows, strict=True)]
        assert found == list(flat(tree))


def trace(traced, answer, name, **options):
    return answer("debug_traceTransaction", "0x" + traced.hashes[name].hex(), options)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("reverts", "execution reverted"),
        ("out of gas", "out of gas"),
        ("invalid jump", "invalid jump destination"),
        ("undefined opcode", "invalid opcode: opcode 0xc not defined"),
        ("invalid", "invalid opcode: INVALID"),
        ("stack underflow", "stack underflow (1 <=> 2)"),
        ("stack overflow", "stack limit reached 1024 (1023)"),
        ("return data out of bounds", "return data out of bounds"),
        ("code that cannot be paid for", "contract creation code storage out of gas"),
    ],
)
def test_a_failed_transaction_says_why(traced, answer, name, words):
    top = trace(traced, answer, name, tracer="callTracer")
    assert top["error"] == words
    assert top["type"] == "CREATE"
    assert "to" not in top
    assert top.get("revertReason") == ("no" if name == "reverts" else None)


def test_calls_that_cannot_begin_are_shown_with_the_reason(traced, answer):
    failed = trace(traced, answer, "no funds", tracer="callTracer")["calls"]
    assert [call["type"] for call in failed] == ["CALL", "CALLCODE", "CREATE", "CREATE2"]
    assert {call["error"] for call in failed} == {"insufficient balance for transfer"}
    assert {call["gasUsed"] for call in failed} == {"0x0"}


def test_creations_that_fail_are_shown_with_the_reason(traced, answer):
    for name, words in (
        ("a taken address", "contract address collision"),
        ("too much code", "max code size exceeded: code size 25000 limit 24576"),
        ("creations", "invalid code: must not begin with 0xef"),
        ("a creation that is invalid", "invalid opcode: INVALID"),
    ):
        top = trace(traced, answer, name, tracer="callTracer")
        assert words in [call.get("error") for call in top["calls"]], name


def test_the_cost_of_a_step_is_what_the_next_one_has_less(traced, answer):
    for name in CREATIONS:
        rows = trace(traced, answer, name)["structLogs"]
        assert rows
        for row, following in pairwise(rows):
            if row["depth"] == following["depth"] and "CALL" not in row["op"] and "CREATE" not in row["op"]:
                assert row["gas"] - row["gasCost"] == following["gas"], (name, row)


def test_struct_logs_show_what_is_asked_for(traced, answer):
    options = {"enableMemory": True, "enableReturnData": True, "disableStack": None}
    everything = [
        row for name in ("calls", "precompiles") for row in trace(traced, answer, name, **options)["structLogs"]
    ]
    little = trace(traced, answer, "calls", disableStack=True, disableStorage=True)["structLogs"]
    assert {"stack", "memory", "returnData", "storage"} <= {name for row in everything for name in row}
    assert {name for row in little for name in row} - {"error", "refund"} == {"pc", "op", "gas", "gasCost", "depth"}
    limited = trace(traced, answer, "calls", disableStack=True, disableStorage=True, limit=500)["structLogs"]
    assert limited == little[: len(limited)]
    assert sum(len(orjson.dumps(row)) for row in limited[:-1]) <= 500


def test_the_native_precompile_is_a_call_whose_input_and_output_are_its_own(answer):
    request = {"to": "0x" + ADDRESS_BYTES.hex(), "data": "0x" + calls.call("createDatanet", b"\1" * 32).hex()}
    options = {"tracer": "callTracer", "tracerConfig": {"withLog": True}}
    top = answer("debug_traceCall", request, "latest", options)
    assert (top["type"], top["to"], top["input"]) == ("CALL", request["to"], request["data"])
    assert top["output"] == answer("eth_call", request) == f"0x{1:064x}"
    assert top["logs"][0]["address"] == request["to"]
    assert "calls" not in top
    assert answer("debug_traceCall", request, "latest", {})["structLogs"] == []
    unknown = {**request, "data": "0x00000000"}
    assert answer("debug_traceCall", unknown, "latest", options)["error"] == "execution reverted"


def test_trace_methods_filter_by_account(traced, answer):
    head = traced.node.l2.chain.head.number
    frames = [frame for number in heights(traced) for frame in answer("trace_block", hex(number))]
    every = {"fromBlock": "0x0", "toBlock": hex(head), "fromAddress": None}
    assert answer("trace_filter", every) == frames
    sender = "0x" + SENDER.address.hex()
    sent = [frame for frame in frames if frame["action"].get("from") == sender]
    assert len(sent) > 10
    assert answer("trace_filter", {**every, "fromAddress": [sender]}) == sent
    assert answer("trace_filter", {**every, "fromAddress": [sender], "after": 2, "count": 3}) == sent[2:5]
    assert answer("trace_transaction", sent[0]["transactionHash"])[0] == sent[0]
    assert answer("trace_transaction", "0x" + "11" * 32) is None
    assert answer("trace_block", "0x0") == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tracer": "{step: function() {}}"}, "tracer not found"),
        ({"timeout": "1h5"}, 'time: invalid duration "1h5"'),
        ({"timeout": "0s"}, "execution timeout"),
        ({"tracer": "callTracer", "tracerConfig": {"withLog": 1}}, "withLog: a boolean is expected"),
        ({"tracer": "muxTracer", "tracerConfig": {"muxTracer": {}}}, "a muxTracer does not run another one"),
        ({"tracer": "muxTracer", "tracerConfig": {"nope": {}}}, "tracer not found"),
        ([], "invalid argument 1: an object is expected"),
    ],
)
def test_a_bad_option_is_refused(traced, answer, options, message):
    with pytest.raises(RpcError) as refusal:
        answer("debug_traceTransaction", "0x" + traced.hashes["recursion"].hex(), options)
    assert refusal.value.message == message


def test_a_filter_over_too_many_blocks_is_refused(answer, monkeypatch):
    monkeypatch.setattr(parity_trace, "MAX_TRACE_BLOCKS", 2)
    assert answer("trace_filter", {"fromBlock": "0x0", "toBlock": "0x1"})
    with pytest.raises(RpcError, match="currently limited to 2 blocks"):
        answer("trace_filter", {"fromBlock": "0x0", "toBlock": "0x2"})


@pytest.mark.parametrize("tracer", [None, *TRACERS[:4]])
def test_a_trace_that_would_hold_too_much_is_refused(traced, answer, monkeypatch, tracer):
    monkeypatch.setattr(tracing, "MAX_TRACE_BYTES", 100)
    with pytest.raises(RpcError, match="trace too large: more than 100 bytes"):
        answer("debug_traceTransaction", "0x" + traced.hashes["recursion"].hex(), {"tracer": tracer})


async def test_a_long_trace_lets_others_have_their_turn(traced):
    servers = NodeServers(traced.node, dict.fromkeys(PORTS, 0), "127.0.0.1", SECRET)
    await servers.start()
    loop = {"data": "0x5b5f56", "gas": "0x1000000"}
    async with aiohttp.ClientSession() as session:
        l2 = Caller(session, servers.url("l2"))
        trace = asyncio.create_task(l2.failure("debug_traceCall", loop, "latest", {"timeout": "400ms"}))
        answers = 0
        while not trace.done():
            await l2("eth_blockNumber")
            answers += 1
        assert (await trace).message == "execution timeout"
    await servers.stop()
    assert answers > 5


@pytest.mark.parametrize(
    ("text", "seconds"), [("300ms", 0.3), ("1m30s", 90), ("1.5h", 5400), ("2us", 2e-6), ("-5s", -5), ("0", 0)]
)
def test_a_timeout_is_a_go_duration(text, seconds):
    assert duration(text) == pytest.approx(seconds)
