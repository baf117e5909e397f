"""Every method that ethereum/execution-apis names answers by its schema, and its examples hold, on L1, L2 and engine.

The schemas and examples are in execution_apis.json, made by execution_apis.py.
"""

import asyncio
import inspect
import json
from pathlib import Path

import orjson
import pytest
from jsonschema import Draft202012Validator

from rollup.node import Node, NodeParams
from rollup.protocol.accounts import USERS
from rollup.rpc.absent import ABSENT
from rollup.rpc.errors import RpcError
from rollup.serve import PORTS, NodeServers
from tests.rpc.story import Story

APIS = json.loads(Path(__file__).with_name("execution_apis.json").read_text())
METHODS, EXAMPLES = APIS["methods"], APIS["examples"]

# Methods of the specification that are not served, with the reasons.
NOT_SERVED = {name: reason for name, reason in ABSENT.items() if name in METHODS}


class Layer:
    """The methods of a port, called without a server, and what its requests name."""

    def __init__(self, name, methods, backend_chain, story):
        self.name, self.methods, self.chain, self.story = name, methods, backend_chain, story
        self.user, self.other = ("0x" + account.address.hex() for account in USERS[4:6])
        number = backend_chain.find_transaction(story.logging if name != "l1" else story.deposit_l1).block_number
        self.block = backend_chain.block_by_number(number)
        self.transaction = "0x" + (story.logging if name != "l1" else story.deposit_l1).hex()
        self.contract = (
            "0x" + (story.contract if name != "l1" else story.node.devnet.rollup_config.deposit_contract_address).hex()
        )

    @property
    def hash(self):
        return "0x" + self.block.hash.hex()

    @property
    def number(self):
        return hex(self.block.number)

    def call(self, method, *params):
        """The result as a client reads it; raises RpcError."""
        answer = self.methods[method](list(params))
        if inspect.isawaitable(answer):
            answer = asyncio.run(answer)
        return orjson.loads(orjson.dumps(answer))


@pytest.fixture(scope="module")
def layers():
    params = NodeParams(virtual_clock=True, genesis_time=1_700_000_000, archive=True)
    node = Node.open(params)
    try:
        story = Story.told(node)
        servers = NodeServers(node, PORTS, "127.0.0.1", bytes(32)).rpc_servers
        chains = {"l1": node.l1.chain, "l2": node.l2.chain, "engine": node.l2.chain}
        yield {name: Layer(name, servers[name].methods, chain, story) for name, chain in chains.items()}
    finally:
        node.close()


def pending(at):
    """A transaction that waits in the pool: its nonce leaves a gap."""
    return at.call("eth_sendTransaction", {"from": at.user, "to": at.other, "nonce": "0x9", "gas": "0x5208"})


TRANSFER = lambda at: {"from": at.user, "to": at.other, "value": "0x1"}  # noqa: E731
LOGS = [{}, {"fromBlock": "0x0"}, {"fromBlock": "0x0", "toBlock": "latest"}]
BLOCKS = lambda at: [["latest"], ["earliest"], ["safe"], ["finalized"], ["pending"], [at.number], ["0xffffff"]]  # noqa: E731
HASHES = lambda at: [[at.hash], ["0x" + "11" * 32]]  # noqa: E731
TRACES = [
    {"limit": 40},
    {"limit": 40, "enableMemory": True, "enableReturnData": True},
    {"limit": 40, "disableStack": True, "disableStorage": True},
]


def filtered(at, method):
    """The identifier of a new filter."""
    return at.call(method, *([{"fromBlock": "0x0"}] if method == "eth_newFilter" else []))


# By method: the lists of parameters that are asked.
REQUESTS = {
    "debug_getBadBlocks": lambda at: [[]],
    "debug_getRawBlock": lambda at: [["latest"], [at.number]],
    "debug_getRawHeader": lambda at: [["latest"], [at.number]],
    "debug_getRawReceipts": lambda at: [["latest"], [at.number]],
    "debug_getRawTransaction": lambda at: [[at.transaction]],
    "debug_traceBlockByHash": lambda at: [[at.hash, options] for options in TRACES],
    "debug_traceBlockByNumber": lambda at: [[at.number, options] for options in TRACES],
    "debug_traceTransaction": lambda at: [[at.transaction, options] for options in TRACES],
    "eth_accounts": lambda at: [[]],
    "eth_baseFee": lambda at: [[]],
    "eth_blobBaseFee": lambda at: [[]],
    "eth_blockNumber": lambda at: [[]],
    "eth_call": lambda at: [[TRANSFER(at), "latest"], [{"to": at.other, "data": "0x07"}], [TRANSFER(at), at.number]],
    "eth_capabilities": lambda at: [[]],
    "eth_chainId": lambda at: [[]],
    "eth_coinbase": lambda at: [[]],
    "eth_config": lambda at: [[]],
    "eth_createAccessList": lambda at: [
        [{"from": at.user, "to": at.contract, "data": data}, "latest"] for data in ("0x05", "0x01", "0x02")
    ],
    "eth_estimateGas": lambda at: [[TRANSFER(at)], [TRANSFER(at), "latest"]],
    "eth_feeHistory": lambda at: [["0x2", "latest", [10, 50]], ["0x1", at.number, []], ["0x400", "latest", None]],
    "eth_fillTransaction": lambda at: [[TRANSFER(at)], [{**TRANSFER(at), "gasPrice": "0x3b9aca00"}]],
    "eth_gasPrice": lambda at: [[]],
    "eth_getBalance": lambda at: [[at.user, "latest"], [at.user, at.number], [at.user, {"blockHash": at.hash}]],
    "eth_getBlockByHash": lambda at: [[name, full] for (name,) in HASHES(at) for full in (False, True)],
    "eth_getBlockByNumber": lambda at: [[name, full] for (name,) in BLOCKS(at) for full in (False, True)],
    "eth_getBlockReceipts": lambda at: [*BLOCKS(at), *HASHES(at)],
    "eth_getBlockTransactionCountByHash": HASHES,
    "eth_getBlockTransactionCountByNumber": BLOCKS,
    "eth_getCode": lambda at: [[at.contract, "latest"], [at.user, "latest"]],
    "eth_getFilterChanges": lambda at: [
        [filtered(at, name)] for name in ("eth_newFilter", "eth_newBlockFilter", "eth_newPendingTransactionFilter")
    ],
    "eth_getFilterLogs": lambda at: [[filtered(at, "eth_newFilter")]],
    "eth_getLogs": lambda at: [*([query] for query in LOGS), [{"blockHash": at.hash}], [{"address": at.contract}]],
    "eth_getProof": lambda at: [[at.contract, ["0x0", "0x1"], "latest"], ["0x" + "11" * 20, ["0x0"], "latest"]],
    "eth_getStorageAt": lambda at: [[at.contract, "0x1", "latest"]],
    "eth_getStorageValues": lambda at: [[{at.contract: ["0x0", "0x1"]}, "latest"]],
    "eth_getTransactionByBlockHashAndIndex": lambda at: [[at.hash, "0x0"], [at.hash, "0x99"]],
    "eth_getTransactionByBlockNumberAndIndex": lambda at: [[at.number, "0x0"], ["latest", "0x99"]],
    "eth_getTransactionByHash": lambda at: [[at.transaction], [pending(at)], ["0x" + "11" * 32]],
    "eth_getTransactionCount": lambda at: [[at.user, "latest"], [at.user, "pending"]],
    "eth_getTransactionReceipt": lambda at: [[at.transaction], ["0x" + "11" * 32]],
    "eth_maxPriorityFeePerGas": lambda at: [[]],
    "eth_newBlockFilter": lambda at: [[]],
    "eth_newFilter": lambda at: [[query] for query in LOGS],
    "eth_newPendingTransactionFilter": lambda at: [[]],
    "eth_sendRawTransaction": lambda at: [[at.call("eth_signTransaction", TRANSFER(at))["raw"]]],
    "eth_sendTransaction": lambda at: [[TRANSFER(at)], [{**TRANSFER(at), "value": "0x2"}]],
    "eth_sign": lambda at: [[at.user, "0xdeadbeef"]],
    "eth_signTransaction": lambda at: [[TRANSFER(at)], [{**TRANSFER(at), "gasPrice": "0x3b9aca00"}]],
    "eth_simulateV1": lambda at: [
        [{"blockStateCalls": [{"calls": [TRANSFER(at)]}], "returnFullTransactions": full}, "latest"]
        for full in (False, True)
    ],
    "eth_syncing": lambda at: [[]],
    "eth_uninstallFilter": lambda at: [[filtered(at, "eth_newBlockFilter")], ["0x99"]],
    "net_version": lambda at: [[]],
    "txpool_content": lambda at: [[]],
    "txpool_contentFrom": lambda at: [[at.user]],
    "txpool_status": lambda at: [[]],
}
# Where geth's answers, and ours, are not the schema's: by the fault, what the schema wants and what geth answers.
POOL = (
    "the block, the place and the time of a transaction that waits in the pool",
    "geth: null, since the transaction has none yet",
)
GAS_PRICE = ("`gasPrice` of a transaction with a fee cap", "geth: null")
NO_NAME = ("`hash`, `nonce` and `miner` of a pending block", "geth: null")
DEPOSIT = ("a transaction type of L1", "op-geth: type 0x7e and its own fields, for a deposit and its receipt")
L1_FEE = ("no fields but those of L1 in a receipt", "op-geth: fields for the cost of L1 data besides")
EXCEPTIONS = {
    **{(layer, "eth_getTransactionByHash"): {POOL} for layer in ("l1", "l2")},
    **{(layer, "eth_signTransaction"): {GAS_PRICE} for layer in ("l1", "l2")},
    **{(layer, "eth_fillTransaction"): {GAS_PRICE} for layer in ("l1", "l2")},
    ("l1", "eth_getBlockByNumber"): {NO_NAME},
    ("l2", "eth_getBlockByHash"): {DEPOSIT},
    ("l2", "eth_getBlockByNumber"): {DEPOSIT},
    ("l2", "eth_getTransactionByBlockHashAndIndex"): {DEPOSIT},
    ("l2", "eth_getTransactionByBlockNumberAndIndex"): {DEPOSIT},
    ("l2", "eth_getBlockReceipts"): {DEPOSIT},
    ("l2", "eth_getTransactionReceipt"): {L1_FEE},
}
TESTED = [(layer, method) for layer in ("l1", "l2") for method in REQUESTS]


def any_of(value):
    """A schema whose alternatives may hold together: an empty list is both a list of logs and one of hashes."""
    if isinstance(value, list):
        return [any_of(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {"anyOf" if name == "oneOf" else name: any_of(item) for name, item in value.items()}


SCHEMAS = any_of(APIS["schemas"])


def leaf(error):
    """The fault in the alternative that comes nearest to the answer."""
    while error.context:
        alternatives = {}
        for item in error.context:
            alternatives.setdefault(item.schema_path[0], []).append(item)
        error = min(alternatives.values(), key=_distance)[0]
    return error


def _distance(faults):
    is_other_kind = any(not fault.path and fault.validator == "type" for fault in faults)
    return is_other_kind, any(list(fault.path) == ["type"] for fault in faults), len(faults)


def named(error):
    """The exception that explains a fault, or the fault itself."""
    found = leaf(error)
    place, is_null = [str(part) for part in found.absolute_path], found.instance is None
    item = found.instance if isinstance(found.instance, dict) else {}
    if found.instance == "0x7e" or item.get("type") == "0x7e":
        return DEPOSIT
    if "l1Fee" in item and found.validator == "additionalProperties":
        return L1_FEE
    if is_null and place == ["tx", "gasPrice"]:
        return GAS_PRICE
    if is_null and place in (["hash"], ["nonce"], ["miner"]):
        return NO_NAME
    if is_null and place in (["blockHash"], ["blockNumber"], ["blockTimestamp"], ["transactionIndex"]):
        return POOL
    return f"{'/'.join(place)}: {found.message[:300]}"


@pytest.mark.parametrize(("layer", "method"), TESTED)
def test_an_answer_is_what_the_schema_says(layers, layer, method):
    at = layers[layer]
    check = Draft202012Validator({**any_of(METHODS[method]["result"]), "components": {"schemas": SCHEMAS}})
    found = {named(error) for params in REQUESTS[method](at) for error in check.iter_errors(at.call(method, *params))}
    assert found == EXCEPTIONS.get((layer, method), set())


@pytest.mark.parametrize("layer", ["l1", "l2", "engine"])
def test_every_method_of_the_specification_is_served_or_listed(layers, layer):
    named = {name for name in METHODS if name.startswith("engine_") == (layer == "engine")}
    assert named - layers[layer].methods.keys() == NOT_SERVED.keys() & named
    if layer != "engine":
        assert REQUESTS.keys() == named - NOT_SERVED.keys()


@pytest.mark.parametrize("layer", ["l1", "l2"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_has_the_same_answer_on_this_chain(layers, layer, name):
    example = EXAMPLES[name]
    try:
        answer = {"result": layers[layer].call(example["method"], *example["params"])}
    except RpcError as error:
        answer = {"error": error.to_json()}
    expected = {key: example[key] for key in ("result", "error") if key in example}
    assert answer == expected
