"""trace_replay…, trace_call and trace_get: what Parity's three traces say is true of the chain, and of each other."""

from itertools import accumulate

import orjson
import pytest

from rollup.rpc import tracing
from rollup.rpc.errors import RpcError
from rollup.serve import PORTS, NodeServers
from tests.rpc.in_process import SECRET
from tests.rpc.trace_story import CREATIONS, DELEGATING, SENDER, WRITER, creating, deploying

KINDS = ["trace", "stateDiff", "vmTrace"]
CODELESS = {"ops": [], "code": "0x"}


def heights(traced):
    return range(1, traced.node.l2.chain.head.number + 1)


def replayed(traced, answer, name, kinds=KINDS):
    return answer("trace_replayTransaction", "0x" + traced.hashes[name].hex(), kinds)


@pytest.fixture(scope="module")
def blocks(traced, answer):
    """Every block replayed, by height."""
    return {number: answer("trace_replayBlockTransactions", hex(number), KINDS) for number in heights(traced)}


def test_a_block_is_its_transactions(traced, answer, blocks):
    for number, traces in blocks.items():
        hashes = answer("eth_getBlockByNumber", hex(number), False)["transactions"]
        assert [trace["transactionHash"] for trace in traces] == hashes
    for name, tx_hash in traced.hashes.items():
        (found,) = [
            trace for traces in blocks.values() for trace in traces if trace["transactionHash"] == f"0x{tx_hash.hex()}"
        ]
        assert {**replayed(traced, answer, name), "transactionHash": found["transactionHash"]} == found


def test_only_what_is_asked_for_is_answered(traced, answer):
    whole = replayed(traced, answer, "calls")
    for kinds in ([], ["trace"], ["stateDiff"], ["vmTrace"], ["vmTrace", "vmTrace", "stateDiff"]):
        absent = {"trace": [], "stateDiff": None, "vmTrace": None}
        wanted = {**whole, **{kind: absent[kind] for kind in KINDS if kind not in kinds}}
        assert replayed(traced, answer, "calls", kinds) == wanted


def test_frames_are_those_of_trace_transaction_without_their_place(traced, answer, blocks):
    place = {"blockHash", "blockNumber", "transactionHash", "transactionPosition"}
    for trace in (trace for traces in blocks.values() for trace in traces):
        frames = answer("trace_transaction", trace["transactionHash"])
        assert all(place <= frame.keys() for frame in frames)
        assert [{name: frame[name] for name in frame.keys() - place} for frame in frames] == trace["trace"]
        for frame in trace["trace"]:
            assert ("error" in frame or frame["type"] == "suicide") >= (frame["result"] is None)


def test_the_outermost_frame_has_the_gas_of_its_code(traced, answer):
    """Parity takes what a transaction costs before its first opcode out; geth's flatCallTracer does not."""
    (frame,) = answer("trace_transaction", "0x" + traced.hashes["transfer"].hex())
    assert (frame["action"]["gas"], frame["result"]["gasUsed"]) == ("0x0", "0x0")
    rows = answer("debug_traceTransaction", "0x" + traced.hashes["everything else"].hex())["structLogs"]
    top = answer("trace_transaction", "0x" + traced.hashes["everything else"].hex())[0]
    assert int(top["action"]["gas"], 16) == rows[0]["gas"]
    assert int(top["result"]["gasUsed"], 16) == rows[0]["gas"] - rows[-1]["gas"] + rows[-1]["gasCost"]
    assert top["error"] == "Reverted"


def test_a_frame_is_found_by_its_trace_address(traced, answer):
    tx_hash = "0x" + traced.hashes["a child"].hex()
    frames = answer("trace_transaction", tx_hash)
    assert any(len(frame["traceAddress"]) > 1 for frame in answer("trace_transaction", hash_of(traced, "recursion")))
    for frame in frames:
        assert answer("trace_get", tx_hash, [hex(index) for index in frame["traceAddress"]]) == frame
    assert answer("trace_get", tx_hash, ["0x0", "0x9"]) is None
    assert answer("trace_get", "0x" + "11" * 32, []) is None


def hash_of(traced, name):
    return "0x" + traced.hashes[name].hex()


# ---------------------------------------------------------------- stateDiff
def ends(delta):
    """The values of a delta before and after, None for what is not there; nothing where they are the same."""
    if delta == "=":
        return None
    ((sign, value),) = delta.items()
    return {"+": (None, value), "-": (value, None)}.get(sign) or (value["from"], value["to"])


def test_the_differences_of_a_block_are_all_its_changes(traced, answer, blocks):
    """One after the other they lead from the state before the block to the state after it, fees included."""
    for number, traces in blocks.items():
        values = {}
        for trace in traces:
            for address, account in trace["stateDiff"].items():
                fields = {name: account[name] for name in ("balance", "nonce", "code")} | account["storage"]
                assert any(delta != "=" for delta in fields.values())
                for name, delta in fields.items():
                    if (both := ends(delta)) is not None:
                        assert values.get((address, name), both[0]) == both[0] or values[address, name] is None
                        values[address, name] = both[1]
        assert values
        for (address, name), value in values.items():
            if len(name) == 66:
                assert answer("eth_getStorageAt", address, name, hex(number)) == (value or "0x" + "00" * 32)
            else:
                found = answer("eth_getAccountInfo", address, hex(number))[name]
                assert found == (value or ("0x" if name == "code" else "0x0"))


def test_money_is_only_minted_by_deposits_and_burned_by_nothing(blocks):
    for traces in blocks.values():
        for trace in traces[1:]:
            both = [ends(account["balance"]) for account in trace["stateDiff"].values()]
            moved = [tuple(int(value or "0x0", 16) for value in pair) for pair in both if pair is not None]
            assert sum(after - before for before, after in moved) == 0


def test_a_new_account_is_marked_as_new(traced, answer):
    account = replayed(traced, answer, "transfer")["stateDiff"]["0x" + "ab" * 20]
    assert account == {"balance": {"+": "0x5"}, "code": {"+": "0x"}, "nonce": {"+": "0x0"}, "storage": {}}
    made = answer("eth_getTransactionReceipt", hash_of(traced, "deployment"))["contractAddress"]
    account = replayed(traced, answer, "deployment")["stateDiff"][made]
    assert account["code"] == {"+": answer("eth_getCode", made, "latest")}
    assert account["nonce"] == {"+": "0x1"}
    delegating = "0x" + DELEGATING.address.hex()
    account = replayed(traced, answer, "set code")["stateDiff"][delegating]
    assert account["code"] == {"*": {"from": "0x", "to": answer("eth_getCode", delegating, "latest")}}


def test_a_contract_that_was_never_there_afterwards_is_not_in_the_difference(traced, answer):
    for name in ("selfdestruct", "a dead contract", "reverts", "invalid"):
        trace = replayed(traced, answer, name)
        assert all("-" not in account["nonce"] for account in trace["stateDiff"].values())
        made = answer("eth_getTransactionReceipt", hash_of(traced, name))["contractAddress"]
        assert (made in trace["stateDiff"]) == (answer("eth_getCode", made, "latest") != "0x")


# ---------------------------------------------------------------- vmTrace
def opcodes(frame, depth=1):
    """Every row with its depth, in the order of execution."""
    for row in frame["ops"]:
        yield depth, row
        if row["sub"] is not None:
            assert row["sub"]["ops"]
            yield from opcodes(row["sub"], depth + 1)


@pytest.mark.parametrize("name", [*CREATIONS, "recursion", "withdraw", "a delegating account", "set code"])
def test_opcodes_are_those_of_the_struct_logger(traced, answer, name):
    options = {"enableMemory": True}
    logs = answer("debug_traceTransaction", hash_of(traced, name), options)["structLogs"]
    rows = list(opcodes(replayed(traced, answer, name)["vmTrace"]))
    assert [(depth, row["pc"], row["op"]) for depth, row in rows] == [
        (log["depth"], log["pc"], log["op"]) for log in logs
    ]
    for index, ((depth, row), log) in enumerate(zip(rows, logs, strict=True)):
        following = next((other for other in logs[index + 1 :] if other["depth"] <= depth), None)
        if following is None or following["depth"] < depth:
            continue  # the last of its frame
        assert row["cost"] == log["gasCost"] or row["op"] in ("CREATE", "CREATE2")
        assert row["ex"]["used"] == following["gas"]
        pushed = row["ex"]["push"]
        assert pushed == following["stack"][len(following["stack"]) - len(pushed) :]
        if row["ex"]["mem"] is not None:
            start, written = row["ex"]["mem"]["off"], row["ex"]["mem"]["data"][2:]
            assert "".join(following["memory"])[2 * start :].startswith(written)


def test_an_opcode_that_failed_has_no_effects(traced, answer):
    for name in ("invalid jump", "undefined opcode", "stack underflow", "out of gas", "return data out of bounds"):
        *before, last = replayed(traced, answer, name)["vmTrace"]["ops"]
        assert last["ex"] is None
        assert all(row["ex"] is not None for row in before)
    for name in ("reverts", "code that cannot be paid for"):  # the opcode itself did its work
        assert replayed(traced, answer, name)["vmTrace"]["ops"][-1]["ex"]["push"] == []


def test_effects_by_hand(answer):
    """A contract that makes one of OpenEthereum's test (ethcore, executive.rs: test_call_to_create)."""
    init = bytes.fromhex("601080600c6000396000f300") + bytes.fromhex("6000355415600957005b60203560003555")
    code = b"\x7c" + init + bytes.fromhex("600052601d60036017f0600055")
    at = "0x" + "ef" * 20
    found = answer(
        "trace_call",
        {"to": at, "gas": "0x186a0"},
        ["vmTrace"],
        "latest",
        {at: {"code": "0x" + code.hex(), "balance": "0x64"}},
    )["vmTrace"]
    gas = 100_000 - 21_000
    assert found["code"] == "0x" + code.hex()
    assert [(row["pc"], row["op"], row["cost"]) for row in found["ops"][:6]] == [
        *[(0, "PUSH29", 3), (30, "PUSH1", 3), (32, "MSTORE", 6), (33, "PUSH1", 3), (35, "PUSH1", 3), (37, "PUSH1", 3)]
    ]
    assert [row["ex"]["used"] for row in found["ops"][:6]] == [gas - spent for spent in (3, 6, 12, 15, 18, 21)]
    assert [row["ex"]["push"] for row in found["ops"][:6]] == [
        *[[hex(int.from_bytes(init, "big"))], ["0x0"], [], ["0x1d"], ["0x3"], ["0x17"]]
    ]
    assert found["ops"][2]["ex"]["mem"] == {"off": 0, "data": "0x" + init.rjust(32, b"\0").hex()}
    create, _, write, stop = found["ops"][6:]
    assert create["op"] == "CREATE"
    assert write["ex"]["store"] == {"key": "0x0", "val": create["ex"]["push"][0]}
    assert (stop["op"], stop["ex"]["push"]) == ("STOP", [])
    rows = create["sub"]["ops"]
    assert create["sub"]["code"] == "0x" + init.hex()
    assert [(row["pc"], row["op"], row["cost"]) for row in rows] == [
        *[(0, "PUSH1", 3), (2, "DUP1", 3), (3, "PUSH1", 3), (5, "PUSH1", 3), (7, "CODECOPY", 9), (8, "PUSH1", 3)],
        (10, "RETURN", 0),
    ]
    assert [row["ex"]["push"] for row in rows] == [["0x10"], ["0x10", "0x10"], ["0xc"], ["0x0"], [], ["0x0"], []]
    assert rows[4]["ex"]["mem"] == {"off": 0, "data": "0x" + init[12:28].hex()}


# ---------------------------------------------------------------- calls
def test_a_call_is_traced_on_changed_state_and_in_a_changed_block(answer):
    at, sender = "0x" + "ef" * 20, "0x" + SENDER.address.hex()
    request = {"from": sender, "to": at, "gas": "0x30d40"}
    code = "0x42600055600054600101600155"  # slot 0 becomes the time, slot 1 one more
    found = answer("trace_call", request, KINDS, "latest", {at: {"code": code}}, {"time": "0x99999999"})
    slots = found["stateDiff"][at]["storage"]
    assert [ends(delta)[1] for delta in slots.values()] == [f"0x{value:064x}" for value in (0x99999999, 0x9999999A)]
    assert found["trace"][0]["action"]["gas"] == hex(200_000 - 21_000)
    assert answer("eth_getCode", at, "latest") == "0x"
    assert answer("trace_call", request, ["vmTrace"])["vmTrace"] == CODELESS


def test_a_creation_of_a_call_answers_with_the_code(answer):
    found = answer("trace_call", {"data": "0x" + deploying(WRITER).hex()}, KINDS)
    assert found["output"] == "0x" + WRITER.hex()
    assert found["trace"][0]["result"]["code"] == found["output"]
    inner = answer("trace_call", {"data": "0x" + creating(deploying(WRITER)).hex()}, KINDS)
    made = inner["trace"][1]["result"]["address"]
    assert inner["stateDiff"][made]["code"] == {"+": "0x" + WRITER.hex()}


def test_frames_deeper_than_json_may_nest(traced):
    method = NodeServers(traced.node, PORTS, "127.0.0.1", SECRET).rpc_servers["l2"].methods["trace_call"]
    text = orjson.dumps(method([{"to": "0x" + traced.recursive.hex(), "gas": hex(30_000_000)}, ["vmTrace"]]))
    depths = list(accumulate({"{": 1, "}": -1}.get(character, 0) for character in text.decode()))
    assert max(depths) > 500
    assert (min(depths), depths[-1]) == (0, 0)


# ---------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    ("method", "params", "message"),
    [
        ("trace_replayTransaction", ["0x" + "11" * 32, KINDS], "transaction not found"),
        ("trace_replayTransaction", ["0x" + "11" * 32], "missing value for required argument 1"),
        ("trace_call", [{}, KINDS, "pending"], "tracing on top of pending is not supported"),
        ("trace_call", [{}, KINDS, "0xffffff"], "header not found"),
        ("trace_call", [{}, "trace"], "invalid argument 1: a list is expected"),
        (
            "trace_call",
            [{}, ["trace", "nope"]],
            "invalid argument 1: trace type 'nope' is not known: it is one of trace, stateDiff, vmTrace",
        ),
        ("trace_get", ["0x" + "11" * 32, ["x"]], "invalid argument 1: hex string without 0x prefix"),
    ],
)
def test_what_cannot_be_traced_is_refused(answer, method, params, message):
    with pytest.raises(RpcError) as refusal:
        answer(method, *params)
    assert refusal.value.message == message


def test_blocks_without_traces(answer):
    assert answer("trace_replayBlockTransactions", "0x0", KINDS) == []
    assert answer("trace_replayBlockTransactions", "0xffffff", KINDS) is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_trace_that_would_hold_too_much_is_refused(traced, answer, monkeypatch, kind):
    monkeypatch.setattr(tracing, "MAX_TRACE_BYTES", 100)
    with pytest.raises(RpcError, match="trace too large: more than 100 bytes"):
        replayed(traced, answer, "recursion", [kind])
