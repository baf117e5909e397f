"""Our traces against op-geth's on the same blocks, field by field."""

import re

import pytest

from rollup.node import Node, NodeParams
from rollup.rpc.errors import RpcError
from tests.external.import_chain import ImportedChain
from tests.external.test_op_stack import differences
from tests.rpc.in_process import l2_methods
from tests.rpc.trace_story import TraceStory

pytestmark = [pytest.mark.external, pytest.mark.slow, pytest.mark.timeout(600)]

OPTIONS = {
    "struct logs": {},
    "all of struct logs": {"enableMemory": True, "enableReturnData": True, "tracer": None},
    "little of struct logs": {"disableStack": True, "disableStorage": True, "limit": 3_000},
    "calls": {"tracer": "callTracer"},
    "calls and logs": {"tracer": "callTracer", "tracerConfig": {"withLog": True, "onlyTopCall": None}},
    "the top call": {"tracer": "callTracer", "tracerConfig": {"onlyTopCall": True, "withLog": True}},
    "prestate": {"tracer": "prestateTracer"},
    "difference": {"tracer": "prestateTracer", "tracerConfig": {"diffMode": True}},
    "bare prestate": {
        "tracer": "prestateTracer",
        "tracerConfig": {"disableCode": True, "disableStorage": True, "includeEmpty": True},
    },
    "bare difference": {
        "tracer": "prestateTracer",
        "tracerConfig": {"disableCode": True, "disableStorage": True, "diffMode": True},
    },
    "selectors": {"tracer": "4byteTracer"},
    "nothing": {"tracer": "noopTracer"},
    "flat calls": {"tracer": "flatCallTracer"},
    "flat calls with precompiles": {"tracer": "flatCallTracer", "tracerConfig": {"includePrecompiles": True}},
    "several": {"tracer": "muxTracer", "tracerConfig": {"callTracer": {"withLog": True}, "4byteTracer": None}},
}
# op-geth (1.17) wraps these in its gas functions; what they say is what follows.
WRAPPED = re.compile(r"out of gas: (?:gas uint64 overflow|out of gas)")
# The words of its library for alt_bn128, and ours.
CURVE = {"point is not on curve", "no point of y^2 = x^3 + 3"}


@pytest.fixture(scope="module")
def story():
    node = Node.open(NodeParams(virtual_clock=True, genesis_time=1_700_000_000, archive=True, attribution="contract"))
    try:
        yield TraceStory.told(node)
    finally:
        node.close()


@pytest.fixture(scope="module")
def geth(story, tmp_path_factory):
    with ImportedChain(story.node, tmp_path_factory.mktemp("op-geth")) as chain:
        yield chain


@pytest.fixture(scope="module")
def ours(story):
    methods = l2_methods(story.node)

    def answer(method, *params):
        try:
            return {"result": methods(method, *params)}
        except RpcError as error:
            return {"error": error.to_json()}

    return answer


def is_known(path, one, other):
    """Differences in the words of an error, and in what an opcode would have cost that could not be paid: op-geth stops
    counting earlier at memory above 2^32 words and at a call to a delegating account, later at a copy out of bounds."""
    if path.endswith(".gasCost"):
        return (one > 2**60 and other == 3) or (one, other) in ((3, 9), (200, 100))
    if not isinstance(other, str):
        return False
    if {one, other} == CURVE:
        return True
    if other == "out of gas: write protection":
        return one in ("write protection", None)
    return one == "out of gas" and bool(WRAPPED.fullmatch(other))


@pytest.mark.parametrize("options", OPTIONS)
def test_every_transaction_has_op_geths_trace(story, geth, ours, options):
    for number in range(1, story.node.l2.chain.head.number + 1):
        given = "debug_traceBlockByNumber", hex(number), OPTIONS[options]
        one, other = ours(*given), geth.answer(*given)
        assert "result" in other
        found = [item for item in differences(one, other) if not is_known(*item)]
        assert not found, f"{number}: {found[0]}"
        assert len(other["result"]) > 0


RICH = "0x" + "12" * 20
CODE = "0x" + "ee" * 20
CALLS = {
    "a contract": ({"to": "recursive", "data": "0x0102030405", "gas": "0x30000"}, {}),
    "with overrides": (
        {"to": "0x4200000000000000000000000000000000000006", "data": "0xd0e30db0", "value": "0x5", "from": RICH},
        {"stateOverrides": {RICH: {"balance": "0xffffff"}}, "blockOverrides": {"number": "0x99"}},
    ),
    "a creation": ({"data": "0x4342600052600a6000fd"}, {"blockOverrides": {"number": "0x99", "time": "0x70000000"}}),
    "in the middle of a block": (
        {"to": CODE, "from": RICH, "gasPrice": "0x3b9aca00", "gas": "0x8000", "value": "0x1"},
        {
            "stateOverrides": {
                RICH: {"balance": "0xffffffffffffff"}, CODE: {"code": "0x60015460020160015500"}
            },
            "txIndex": "0x2",
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_a_call_has_op_geths_trace(story, geth, ours, name):
    request, more = CALLS[name]
    if request.get("to") == "recursive":
        request = {**request, "to": "0x" + story.recursive.hex()}
    head = hex(story.node.l2.chain.head.number)
    for options in OPTIONS.values():
        given = "debug_traceCall", request, head, {**options, **more}
        found = [item for item in differences(ours(*given), geth.answer(*given)) if not is_known(*item)]
        assert not found, f"{options}: {found[0]}"


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("debug_traceTransaction", ["0x" + "11" * 32]),
        ("debug_traceTransaction", ["recursion", {"timeout": "abc"}]),
        ("debug_traceTransaction", ["recursion", {"timeout": "5"}]),
        ("debug_traceTransaction", ["recursion", {"timeout": "1m5x"}]),
        ("debug_traceTransaction", ["recursion", {"timeout": "0s"}]),
        (
            "debug_traceTransaction",
            ["recursion", {"tracer": "prestateTracer", "tracerConfig": {"diffMode": True, "includeEmpty": True}}],
        ),
        ("debug_traceBlockByNumber", ["0x0"]),
        ("debug_traceBlockByNumber", ["0xfff"]),
        ("debug_traceBlockByHash", ["0x" + "11" * 32]),
        ("debug_traceCall", [{}, "pending"]),
        ("debug_traceCall", [{}, "0xfff"]),
        ("debug_traceCall", [{}, "0x1", {"txIndex": "0x99"}]),
        ("debug_traceCall", [{}]),
    ],
)
def test_a_refusal_is_op_geths(story, geth, ours, method, params):
    params = ["0x" + story.hashes["recursion"].hex() if item == "recursion" else item for item in params]
    refusal = geth.answer(method, *params)
    assert "error" in refusal
    assert ours(method, *params) == refusal
