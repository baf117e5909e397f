"""eth_simulateV1 against op-geth on the requests of ethereum/execution-apis: blocks, roots, results, refusals."""

import json
from pathlib import Path

import pytest

from rollup.node import Node, NodeParams
from rollup.rpc import eth_simulate
from rollup.rpc.errors import RpcError
from tests.external.import_chain import ImportedChain
from tests.external.test_op_stack import differences
from tests.rpc.in_process import l2_methods
from tests.rpc.trace_story import TraceStory

pytestmark = [pytest.mark.external, pytest.mark.slow, pytest.mark.timeout(600)]

REQUESTS = json.loads((Path(__file__).parent / "simulate_requests.json").read_text())["requests"]
# op-geth 1.17.2 ends these with "method handler crashed".
CRASHES = {"blobs", "check-invalid-nonce", "fee-recipient-receiving-funds", "try-to-move-non-precompile"}
# Its code for a fee cap below the base fee; the specification, and geth since, say -38012.
BASE_FEE_CODES = (-38012, -32602)


@pytest.fixture(scope="module")
def node():
    node = Node.open(NodeParams(virtual_clock=True, genesis_time=1_700_000_000, archive=True, attribution="contract"))
    try:
        TraceStory.told(node)
        yield node
    finally:
        node.close()


@pytest.fixture(scope="module")
def geth(node, tmp_path_factory):
    with ImportedChain(node, tmp_path_factory.mktemp("op-geth")) as chain:
        yield chain


@pytest.fixture(scope="module")
def ours(node):
    methods = l2_methods(node)

    def answer(params):
        try:
            return {"result": methods("eth_simulateV1", *params)}
        except RpcError as error:
            return {"error": error.to_json()}

    return answer


@pytest.mark.parametrize("name", REQUESTS)
def test_a_simulation_is_op_geths(geth, ours, name, monkeypatch):
    monkeypatch.setattr(eth_simulate, "CALL_SECONDS", 120)
    theirs = geth.answer("eth_simulateV1", *REQUESTS[name])
    mine = ours(REQUESTS[name])
    if name in CRASHES:
        assert theirs["error"]["message"] == "method handler crashed"
        assert mine.get("error", {}).get("message") != "method handler crashed"
        return
    found = differences(mine, theirs)
    assert [item for item in found if item[1:] != BASE_FEE_CODES] == []
