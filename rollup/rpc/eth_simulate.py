"""eth_simulateV1: blocks of calls on top of a block (execution-apis src/eth/execute.yaml; geth's codes and texts)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eth.exceptions import Revert

from rollup.execution.block_context import BlockOverrides
from rollup.execution.calls import CallError
from rollup.execution.errors import Refusal
from rollup.execution.halts import describe_error
from rollup.execution.revert_reason import revert_reason
from rollup.execution.simulation import (
    BlockFull,
    CallRefused,
    GasCapExhausted,
    InvalidOrder,
    InvalidTime,
    SimulatedBlock,
    SimulatedCall,
    SimulatedCalls,
    Simulation,
    SimulationRefused,
    TooMuch,
)
from rollup.protocol.primitives import ZERO_HASH
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.deadline import Deadline
from rollup.rpc.errors import REVERTED, InvalidParams, RpcError
from rollup.rpc.eth_calls import block_overrides
from rollup.rpc.formats import block_json, hex_data, hex_quantity, log_json
from rollup.rpc.limits import CALL_SECONDS, MAX_SIMULATED_BLOCK_CALLS, MAX_SIMULATED_BLOCKS, MAX_SIMULATED_CALLS
from rollup.rpc.methods import rpc, takes_long
from rollup.rpc.params import (
    BlockId,
    Invalid,
    Optional,
    block_id,
    boolean,
    call_request,
    given_members,
    hash32,
    list_of,
    mapping,
    state_overrides,
)

_LIMIT_EXCEEDED, _VM_ERROR, _INTERNAL = -38026, -32015, -32603
_CODES: dict[Refusal, int] = {
    Refusal.NONCE_LOW: -38010,
    Refusal.NONCE_HIGH: -38011,
    Refusal.BASE_FEE: -38012,
    Refusal.INTRINSIC_GAS: -38013,
    Refusal.FLOOR_GAS: -38013,
    Refusal.FUNDS: -38014,
    Refusal.NOT_AN_EOA: -38024,
    Refusal.INITCODE_SIZE: -38025,
}
_REFUSALS: tuple[tuple[type[SimulationRefused], int], ...] = (
    (BlockFull, -38015),
    (InvalidOrder, -38020),
    (InvalidTime, -38021),
    (TooMuch, _LIMIT_EXCEEDED),
    (GasCapExhausted, -32000),
)


@dataclass(slots=True)
class SimulationRequest:
    """The first parameter."""

    blocks: list[SimulatedCalls]
    traces_transfers: bool
    validates: bool
    returns_full_transactions: bool


def simulation_request(value: Any) -> SimulationRequest:
    """`{blockStateCalls, traceTransfers, validation, returnFullTransactions}`, each of them optional."""
    given = mapping(value)
    flags = [_flag(given, name) for name in ("traceTransfers", "validation", "returnFullTransactions")]
    blocks = given.get("blockStateCalls")
    return SimulationRequest(list_of(_block)([] if blocks is None else blocks), *flags)


def _flag(given: Mapping[str, Any], name: str) -> bool:
    value = given.get(name)
    return False if value is None else boolean(value)


def _block(value: Any) -> SimulatedCalls:
    given = given_members(value)
    overrides = dict(mapping(given.get("blockOverrides", {})))
    root, withdrawals = overrides.pop("beaconRoot", None), overrides.pop("withdrawals", None)
    if withdrawals:
        raise Invalid("withdrawals: there are none in simulated blocks")
    return SimulatedCalls(
        list_of(call_request)(given.get("calls", [])),
        state_overrides(given.get("stateOverrides", {})),
        block_overrides(overrides) if overrides else BlockOverrides(),
        ZERO_HASH if root is None else bytes(hash32(root)),
    )


class EthSimulate:
    """Blocks that could be."""

    def __init__(self, backend: ExecutionBackend) -> None:
        self._backend = backend

    @takes_long
    @rpc("eth_simulateV1", simulation_request, Optional(block_id, "latest"))
    def simulate(self, blocks: SimulationRequest, block_id: BlockId) -> list[Any]:
        """Simulates blocks of calls on top of a block, with geth's error codes; without L1 and operator fee."""
        _check_size(blocks)
        backend = self._backend
        block = backend.require_block(block_id)
        backend.state(block)
        deadline = Deadline(CALL_SECONDS, lambda: RpcError(f"execution aborted (timeout = {CALL_SECONDS}s)"))
        simulation = Simulation(
            backend.config, block.header, block.hash, backend.chain.states, backend.ancestors(block), deadline
        )
        simulation.traces_transfers, simulation.validates = blocks.traces_transfers, blocks.validates
        try:
            found = simulation.run(blocks.blocks)
        except CallError as error:
            raise RpcError(str(error)) from error
        except CallRefused as error:
            raise RpcError(str(error), _CODES.get(error.kind, _INTERNAL)) from error
        except SimulationRefused as error:
            code = next(code for kind, code in _REFUSALS if isinstance(error, kind))
            raise RpcError(str(error), code) from error
        return [_block_json(item, blocks.returns_full_transactions) for item in found]


def _check_size(request: SimulationRequest) -> None:
    if not request.blocks:
        raise InvalidParams("empty input")
    if len(request.blocks) > MAX_SIMULATED_BLOCKS:
        raise RpcError("too many blocks", _LIMIT_EXCEEDED)
    total = 0
    for block in request.blocks:
        count = len(block.calls)
        if count > MAX_SIMULATED_BLOCK_CALLS:
            text = f"too many calls in block: {count} > {MAX_SIMULATED_BLOCK_CALLS}"
            raise RpcError(text, _LIMIT_EXCEEDED)
        total += count
        if total > MAX_SIMULATED_CALLS:
            raise RpcError(f"too many calls: {total} > {MAX_SIMULATED_CALLS}", _LIMIT_EXCEEDED)


def _block_json(simulated: SimulatedBlock, is_full: bool) -> dict[str, Any]:
    block = simulated.block
    result = block_json(block, [], full=is_full)
    calls, log_index = [], 0
    for index, call in enumerate(simulated.calls):
        transaction_hash = block.transactions[index].hash
        answer: dict[str, Any] = {
            "returnData": hex_data(call.output),
            "logs": [
                log_json(log, log_index + place, transaction_hash, index, block) for place, log in enumerate(call.logs)
            ],
            "gasUsed": hex_quantity(call.gas_used),
            "maxUsedGas": hex_quantity(call.max_gas_used),
            "status": hex_quantity(0 if call.error is not None else 1),
        }
        log_index += len(call.logs)
        if call.error is not None:
            answer["error"] = _error_json(call)
        calls.append(answer)
    return {**result, "calls": calls}


def _error_json(call: SimulatedCall) -> dict[str, Any]:
    error = call.error
    assert error is not None
    if isinstance(error, Revert):
        reason = revert_reason(call.revert_data)
        message = "execution reverted" + (f": {reason}" if reason else "")
        return {"code": REVERTED, "message": message, "data": hex_data(call.revert_data)}
    message = describe_error(error)
    if call.was_capped:
        message += " (gas limit was capped by the RPC server's global gas cap)"
    return {"code": _VM_ERROR, "message": message}
