"""eth_simulateV1: blocks of calls on each other, with what the specification says of each refusal."""

import pytest

from rollup.node import Node, NodeParams
from rollup.rpc.errors import RpcError
from tests.rpc.in_process import l2_methods

ALICE, BOB, CAROL = ("0x" + digit * 40 for digit in "abc")
RICH = {ALICE: {"balance": "0xde0b6b3a7640000"}}
TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
IDENTITY = "0x" + "4".rjust(40, "0")
GWEI = 10**9


@pytest.fixture(scope="module")
def node():
    node = Node.open(NodeParams(virtual_clock=True, genesis_time=1_700_000_000, archive=True))
    try:
        node.run_until_safe(2)
        yield node
    finally:
        node.close()


@pytest.fixture(scope="module")
def call(node):
    return l2_methods(node)


@pytest.fixture
def simulate(call):
    def run(*blocks, **flags):
        return call("eth_simulateV1", {"blockStateCalls": list(blocks), **flags}, "latest")

    return run


def test_a_block_begins_where_the_one_before_ended(simulate, call):
    first = {"stateOverrides": RICH, "calls": [{"from": ALICE, "to": BOB, "value": "0x64"}]}
    second = {"calls": [{"from": BOB, "to": CAROL, "value": "0x64"}]}
    one, two = simulate(first, second)
    head = call("eth_getBlockByNumber", "latest", False)
    assert one["parentHash"] == head["hash"]
    assert two["parentHash"] == one["hash"]
    assert int(two["number"], 16) == int(head["number"], 16) + 2
    assert [block["calls"][0]["status"] for block in (one, two)] == ["0x1", "0x1"]
    assert one["gasUsed"] == one["calls"][0]["gasUsed"] == "0x5208"
    assert call("eth_getBalance", BOB) == "0x0", "nothing is kept"


def test_numbers_that_are_left_out_are_empty_blocks(simulate, call):
    number = int(call("eth_blockNumber"), 16)
    found = simulate({}, {"blockOverrides": {"number": hex(number + 4)}})
    assert [int(block["number"], 16) - number for block in found] == [1, 2, 3, 4]
    times = [int(block["timestamp"], 16) for block in found]
    assert times == [times[0] + 12 * place for place in range(4)]


def test_transfers_are_logs_when_asked_for(simulate):
    block = {"stateOverrides": RICH, "calls": [{"from": ALICE, "to": BOB, "value": "0x5"}]}
    (log,) = simulate(block, traceTransfers=True)[0]["calls"][0]["logs"]
    assert log["address"] == "0x" + "ee" * 20
    assert log["topics"] == [TRANSFER, "0x" + ALICE[2:].rjust(64, "0"), "0x" + BOB[2:].rjust(64, "0")]
    assert int(log["data"], 16) == 5
    assert simulate(block)[0]["calls"][0]["logs"] == []


def test_calls_are_shown_as_transactions_of_their_sender(simulate):
    block = {"stateOverrides": RICH, "calls": [{"from": ALICE, "to": BOB}]}
    (shown,) = simulate(block, returnFullTransactions=True)[0]["transactions"]
    assert (shown["from"], shown["to"], shown["type"], shown["r"]) == (ALICE, BOB, "0x2", "0x0")
    assert simulate(block)[0]["transactions"] == [shown["hash"]]


def test_a_failed_call_says_why_and_the_others_go_on(simulate):
    codes = {BOB: {"code": "0x5f5ffd"}, CAROL: {"code": "0xfe"}}
    wanted = [{"to": BOB}, {"to": CAROL, "gas": "0x10000"}, {"to": ALICE}]
    calls = simulate({"stateOverrides": codes, "calls": wanted})[0]["calls"]
    assert [item["status"] for item in calls] == ["0x0", "0x0", "0x1"]
    assert calls[0]["error"] == {"code": 3, "message": "execution reverted", "data": "0x"}
    assert calls[1]["error"] == {"code": -32015, "message": "invalid opcode: INVALID"}


def test_a_moved_precompile_is_no_longer_at_its_old_address(simulate, call):
    overrides = {IDENTITY: {"movePrecompileToAddress": BOB, "code": "0x60075f5260205ff3"}}
    wanted = [{"to": BOB, "data": "0x1234"}, {"to": IDENTITY}]
    calls = simulate({"stateOverrides": overrides, "calls": wanted})[0]["calls"]
    assert [item["returnData"] for item in calls] == ["0x1234", f"0x{7:064x}"]
    assert call("eth_call", {"to": IDENTITY}, "latest", {IDENTITY: {"code": "0x60075f5260205ff3"}}) == f"0x{7:064x}"


@pytest.mark.parametrize(
    ("blocks", "code"),
    [
        ([], -32602),
        ([{"calls": [{"from": ALICE, "nonce": "0x0"}], "stateOverrides": {ALICE: {"nonce": "0x5"}}}], -38010),
        ([{"calls": [{"from": ALICE, "nonce": "0x9"}]}], -38011),
        ([{"calls": [{"from": ALICE}], "blockOverrides": {"baseFeePerGas": "0x9"}}], -38012),
        ([{"calls": [{"from": ALICE, "gas": "0x1", "maxFeePerGas": "0xffffffffff"}], "stateOverrides": RICH}], -38013),
        ([{"calls": [{"from": ALICE, "value": "0x1", "maxFeePerGas": "0xffffffffff"}]}], -38014),
        ([{"calls": [{"from": ALICE, "gas": "0xffffffffff"}]}], -38015),
        ([{"blockOverrides": {"number": "0x1"}}], -38020),
        ([{"blockOverrides": {"time": "0x1"}}], -38021),
        ([{}] * 257, -38026),
        ([{"blockOverrides": {"number": "0xfffff"}}], -38026),
    ],
)
def test_a_refusal_has_the_code_of_the_specification(simulate, blocks, code):
    with pytest.raises(RpcError) as refusal:
        simulate(*blocks, validation=True)
    assert refusal.value.code == code


def test_without_validation_fees_and_nonces_do_not_count(simulate):
    block = {"calls": [{"from": ALICE, "nonce": "0x9"}], "blockOverrides": {"baseFeePerGas": "0x9"}}
    assert simulate(block)[0]["calls"][0]["status"] == "0x1"


def test_fees_are_paid(simulate):
    fee = {"maxFeePerGas": hex(GWEI), "maxPriorityFeePerGas": hex(GWEI), "gas": "0x5208"}
    reader = {CAROL: {"code": "0x41315f5260205ff3"}}  # the balance of COINBASE
    paid = {"from": ALICE, "to": BOB, **fee}
    block = {
        "stateOverrides": {**RICH, **reader},
        "blockOverrides": {"feeRecipient": "0x" + "dd" * 20},
        "calls": [paid, {"to": CAROL}],
    }
    assert int(simulate(block)[0]["calls"][1]["returnData"], 16) == 21_000 * GWEI
