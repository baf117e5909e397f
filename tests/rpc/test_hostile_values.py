"""Every method of every port with every hostile value: an answer or an error, never a crash.

The methods and their parameters are the product's own table. The fields of object parameters are those that the
product asks for: `Asking` notes them.
"""

import inspect
from contextlib import suppress

import orjson
import pytest

from rollup.cheats import layer, shared
from rollup.rpc.errors import HANDLER_CRASHED, RpcError
from rollup.serve import NodeServers
from tests.docs.rpc_tables import namespaces, rows_of, type_name
from tests.rpc.conftest import FREE_PORTS, GENESIS_TIME, SECRET, open_node

HOSTILE = [
    *(None, True, False, 0, 1, -1, 2**53 + 1, 2**64, 1.5, 1e308),
    *(
        "",
        " ",
        "0",
        "05",
        "x",
        "0x",
        "0X",
        "0x0",
        "0x00",
        "0x1",
        "0x01",
        "0x-1",
        "-0x1",
        "0xg",
        "0x 1",
        "٣",
        "\0",
        "\ud7ff",
    ),
    *("latest", "earliest", "finalized", "safe", "pending", "Latest", "newHeads"),
    *("0x" + "f" * 15, "0x" + "f" * 16, "0x" + "f" * 17, "0x" + "f" * 64, "0x" + "f" * 65, "0x" + "f" * 1_000),
    *("0x" + "00" * 20, "0x" + "ff" * 20, "0x" + "00" * 32, "0x" + "00" * 33, "0x" + "00" * 600, "0x" + "7f" * 256),
    *("0x02f8", "0x7ef8", "0x03f8", "0xf8ff", "0xc0", "0x80", "0x7e", "0x04c0"),
    *([], [None], [[]], [{}], ["0x"], [1], ["0x" + "00" * 32], [["0x" + "00" * 32]], [[[[]]]]),
    *({}, {"": None}, {"a": 1}, {"blockHash": None}, {"blockNumber": 1}, {"blockHash": "0x", "blockNumber": "0x"}),
    *({"0x" + "00" * 20: None}, {"0x" + "00" * 20: {}}, {"0x" + "00" * 20: {"code": 1}}, {"address": [None]}),
]
HEAD = {}  # a forkchoice state that names the head
# A value that each type of parameter takes, so that the parameters after it are reached.
VALID = {
    "address": "0x" + "11" * 20,
    "block": "latest",
    "call": {},
    "count64": "0x1",
    "data": "0x",
    "hash": "0x" + "11" * 32,
    "id or hash": "0x1",
    "integer": 1,
    "list of hash": [],
    "list of data": [],
    "number": "0x1",
    "number63": "0x1",
    "object": HEAD,
    "page": 1,
    "quantity": "0x1",
    "quantity64": "0x0",
    "short text": "text",
    "slot": "0x0",
    "storage key": "0x0",
    "storage keys": [],
    "text": "text",
}
GUESSES = [
    *("0x0", hex(GENESIS_TIME + 2), "0x", "0x" + "11" * 20, "0x" + "11" * 32, "0x" + "00" * 256, "0x" + "00" * 8),
    *([], True, "latest"),
]


class Asking(dict):
    """An object that notes which of its fields are asked for."""

    def __init__(self, *given):
        super().__init__(*given)
        self.asked: dict[str, int] = {}  # how often each

    @property
    def progress(self):
        """How far its reader came."""
        return sum(self.asked.values())

    def get(self, name, default=None):
        self.asked[name] = self.asked.get(name, 0) + 1
        return super().get(name, default)

    def __getitem__(self, name):
        self.asked[name] = self.asked.get(name, 0) + 1
        return super().__getitem__(name)

    def __contains__(self, name):
        self.asked[name] = self.asked.get(name, 0) + 1
        return super().__contains__(name)


@pytest.fixture(scope="module")
def tables():
    """Handlers by port and name, of a node of their own."""
    node = open_node()
    servers = NodeServers(node, FREE_PORTS, "127.0.0.1", SECRET)
    head = "0x" + node.build_l2().hash.hex()
    HEAD.update({f"{label}BlockHash": head for label in ("head", "safe", "finalized")})
    with pytest.MonkeyPatch.context() as patch:
        for module in (layer, shared):
            patch.setattr(module, "MAX_BLOCKS", 0)  # the values are read, and no blocks are made
        yield {port: server.methods for port, server in servers.rpc_servers.items()}
    node.close()


async def answer(handler, params):
    """The error code of an answer, None for a result; whatever else is raised fails the test."""
    refusal = None
    try:
        result = handler(params)
        if inspect.isawaitable(result):
            result = await result
        orjson.dumps(result)
    except RpcError as error:
        refusal = error
    if refusal is None:
        return None
    assert refusal.code != HANDLER_CRASHED
    assert len(orjson.dumps(refusal.to_json())) < 4_000
    return refusal.code


async def fields_of(handler, before, after):
    """The fields that are asked of an object at this position, each with a value that lets the next be asked for."""
    found, grew = Asking(), True
    await quietly(handler, [*before, found, *after])
    while grew:
        grew = False
        for name in list(found.asked):
            for guess in GUESSES:
                trial = Asking({**found, name: guess})
                await quietly(handler, [*before, trial, *after])
                if trial.progress > found.progress:
                    found, grew = trial, True
    return dict.fromkeys(found.asked) | found


async def quietly(handler, params):
    with suppress(RpcError):
        result = handler(params)
        if inspect.isawaitable(result):
            await result


PARAMETERS = {
    name: [VALID.get(type_name(getattr(item, "parser", item))) for _, item in row.parameters]
    for kind in namespaces().values()
    for row in rows_of(kind)
    for name in row.names
}


@pytest.mark.parametrize("name", sorted(PARAMETERS))
async def test_no_value_crashes_a_method(tables, name):
    valid = PARAMETERS[name]
    for port, methods in tables.items():
        handler = methods.get(name)
        if handler is None or (not valid and name.startswith("admin_")):
            continue
        codes = set()
        for place in range(len(valid)):
            before, after = valid[:place], valid[place + 1 :]
            for value in HOSTILE:
                codes.add(await answer(handler, [*before, value]))
                codes.add(await answer(handler, [*before, value, *after]))
            fields = await fields_of(handler, before, after)
            for field in fields:
                for value in HOSTILE:
                    codes.add(await answer(handler, [*before, {**fields, field: value}, *after]))
        assert await answer(handler, [None] * (len(valid) + 1)) == -32602
        assert not valid or -32602 in codes, (port, codes)


FIELDS = [
    ("l2", "eth_call", 0, {"to", "from", "gas", "gasPrice", "value", "data", "input", "accessList"}),
    ("l2", "eth_getLogs", 0, {"address", "topics", "fromBlock", "toBlock", "blockHash"}),
    ("engine", "engine_newPayloadV4", 0, {"parentHash", "stateRoot", "logsBloom", "transactions", "withdrawalsRoot"}),
    ("engine", "engine_forkchoiceUpdatedV3", 1, {"timestamp", "gasLimit", "transactions", "eip1559Params"}),
]


@pytest.mark.parametrize(("port", "name", "place", "expected"), FIELDS, ids=[name for _, name, _, _ in FIELDS])
async def test_the_fields_of_objects_are_found(tables, port, name, place, expected):
    valid = PARAMETERS[name]
    before, after = valid[:place], valid[place + 1 :]
    assert expected <= set(await fields_of(tables[port][name], before, after))
