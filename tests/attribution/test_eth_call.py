"""A19 at the node's door: eth_call on the precompile with any slot overridden ends in an answer or a JSON-RPC error."""

import asyncio
import json
from typing import Any

import pytest

from attribution_precompile import ADDRESS, ADDRESS_BYTES, explain
from rollup.execution.calls import CallRequest, estimate_gas
from rollup.execution.overrides import StateOverride
from rollup.protocol.forks import Fork
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.eth_calls import EthCalls
from rollup.rpc.methods import collect
from rollup.rpc.server import RpcServer

from . import calls
from .harness import CONTRACT, MODES, NATIVE
from .scene import VALID, build
from .test_chain import start
from .test_guards import touched_slots

REVERTED = 3
WORDS = (2**256 - 1, 2**255, 1 << 176)


def _word(number: int) -> str:
    return f"0x{number:064x}"


class Door:
    """eth_call as a client makes it, JSON in and JSON out, on a chain of one mode."""

    def __init__(self, mode: str) -> None:
        node = start(mode, Fork.ISTHMUS)
        self._server = RpcServer("test", collect(EthCalls(ExecutionBackend("l2", node.chain, node.config))))

    def call(self, name: str, state: dict[int, int]) -> dict[str, Any]:
        call = VALID[name]
        request = {
            "from": calls.hexed(call.caller),
            "to": calls.hexed(ADDRESS),
            "data": "0x" + call.data.hex(),
            "value": hex(call.value),
        }
        slots = {_word(slot): _word(value) for slot, value in state.items()}
        overrides = {
            calls.hexed(ADDRESS): {"state": slots, "balance": hex(10**30)},
            calls.hexed(call.caller): {"balance": hex(10**30)},
        }
        body = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [request, "latest", overrides]}
        reply = asyncio.run(self._server.handle(json.dumps(body).encode()))
        assert reply is not None
        answer: dict[str, Any] = json.loads(reply)
        return answer


@pytest.mark.parametrize("name", ["quote", "claimable", "infer", "inferBatch", "settle", "contribute", "claim"])
def test_a19_eth_call_with_any_slot_overridden(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    slots = touched_slots(name, monkeypatch)
    scene = build(NATIVE)
    # What is not of this method reads as zero: it is not read.
    state = {slot: scene.storage(slot) for slot in slots}
    native, contract = Door(NATIVE), Door(CONTRACT)
    untouched = native.call(name, state)
    assert "result" in untouched
    for slot in slots:
        for word in WORDS:
            answers = [door.call(name, {**state, slot: word}) for door in (native, contract)]
            assert answers[0] == answers[1]
            if "error" in answers[0]:
                assert answers[0]["error"]["code"] == REVERTED
                assert not explain(bytes.fromhex(answers[0]["error"]["data"][2:])).startswith("0x")
    assert native.call(name, state) == untouched, "the node lives, and nothing stayed"


@pytest.mark.parametrize("mode", MODES)
def test_a19_an_account_of_ones(mode: str) -> None:
    """Every slot there is, all ones."""
    door = Door(mode)
    for name in VALID:
        answer = door.call(name, dict.fromkeys(range(10), 2**256 - 1))
        assert ("result" in answer) != (answer.get("error", {}).get("code") == REVERTED), (name, answer)


@pytest.mark.parametrize("name", ["createDatanet", "infer", "setPlatform"])
def test_an_estimate_is_enough_for_the_twins_code_too(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tools that execute a transaction themselves run the code of the account, with the gas that was estimated."""
    needed, scene, call = {}, build(NATIVE), VALID[name]
    slots = {slot: scene.storage(slot) for slot in touched_slots(name, monkeypatch)}
    caller = call.caller.to_bytes(20, "big")
    overrides = {caller: StateOverride(balance=10**30), ADDRESS_BYTES: StateOverride(storage_diff=slots)}
    for mode in MODES:
        node = start(mode, Fork.ISTHMUS)
        request = CallRequest(caller, ADDRESS_BYTES, value=call.value, data=call.data)
        backend = ExecutionBackend("l2", node.chain, node.config)
        block = node.chain.head
        context, state = backend.context(block), backend.state(block)
        needed[mode] = estimate_gas(context, state, request, lambda number: None, overrides)
    assert needed[NATIVE] == needed[CONTRACT]
