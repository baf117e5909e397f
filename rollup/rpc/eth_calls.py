"""eth_call, eth_estimateGas, eth_createAccessList."""

from collections.abc import Callable
from typing import Any

from rollup.execution.block_context import BlockOverrides
from rollup.execution.calls import (
    CallError,
    CallRequest,
    ExecutionReverted,
    call,
    create_access_list,
    describe_error,
    estimate_gas,
)
from rollup.execution.overrides import StateOverride
from rollup.execution.revert_reason import revert_reason
from rollup.execution.state.trie import MissingNode
from rollup.protocol.primitives import Address
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.deadline import Deadline
from rollup.rpc.errors import REVERTED, RpcError
from rollup.rpc.formats import hex_data, hex_quantity
from rollup.rpc.limits import CALL_SECONDS
from rollup.rpc.methods import rpc, takes_long
from rollup.rpc.params import (
    BlockId,
    Invalid,
    Optional,
    Parser,
    address,
    block_id,
    call_request,
    hash32,
    mapping,
    quantity,
    quantity64,
    state_overrides,
)

# Block overrides (geth internal/ethapi/override): name in the request, field of BlockOverrides, form.
_BLOCK_FIELDS: dict[str, tuple[str, Parser[Any]]] = {
    "number": ("number", quantity64),
    "time": ("timestamp", quantity64),
    "gasLimit": ("gas_limit", quantity64),
    "feeRecipient": ("coinbase", address),
    "prevRandao": ("prev_randao", hash32),
    "baseFeePerGas": ("base_fee", quantity),
    "blobBaseFee": ("blob_base_fee", quantity),
}

Overrides = dict[Address, StateOverride]


def block_overrides(value: Any) -> BlockOverrides:
    """`{number, time, gasLimit, feeRecipient, prevRandao, baseFeePerGas, difficulty}`, each of them optional.
    `difficulty` changes nothing; another name is an error.
    """
    result: dict[str, Any] = {}
    for name, given in mapping(value).items():
        if given is None:
            continue
        try:
            if name == "difficulty":  # no block since the merge has one: geth reads it, and it changes nothing
                quantity(given)
                continue
            if name not in _BLOCK_FIELDS:
                raise Invalid("this block override is not supported")
            field, parser = _BLOCK_FIELDS[name]
            result[field] = parser(given)
        except Invalid as error:
            raise Invalid(f"{name}: {error}") from error
    return BlockOverrides(**result)


def call_deadline() -> Deadline:
    """Ends a call that runs longer than geth lets it (--rpc.evmtimeout)."""
    return Deadline(CALL_SECONDS, lambda: CallError(f"execution aborted (timeout = {CALL_SECONDS}s)"))


class EthCalls:
    """Calls on the state after a block."""

    def __init__(self, backend: ExecutionBackend) -> None:
        self._backend = backend

    @takes_long
    @rpc(
        "eth_call",
        call_request,
        Optional(block_id, "latest"),
        Optional(state_overrides),
        Optional(block_overrides),
    )
    def call(
        self,
        request: CallRequest,
        block_id: BlockId,
        state_overrides: Overrides | None,
        block_overrides: BlockOverrides | None,
    ) -> str:
        """The output; a revert is an error with code 3. No L1 fee and no operator fee is charged."""
        result = self._run(
            block_id,
            lambda context, state, ancestors: call(
                context.overridden(block_overrides) if block_overrides is not None else context,
                state,
                request,
                ancestors,
                state_overrides,
                check_interrupt=call_deadline(),
            ),
        )
        try:
            result.raise_if_failed()
        except CallError as error:
            raise to_rpc_error(error) from error
        return hex_data(result.output)

    @takes_long
    @rpc(
        "eth_estimateGas",
        call_request,
        Optional(block_id, "latest"),
        Optional(state_overrides),
        Optional(block_overrides),
    )
    def estimate_gas(
        self,
        request: CallRequest,
        block_id: BlockId,
        state_overrides: Overrides | None,
        block_overrides: BlockOverrides | None,
    ) -> str:
        """The least gas limit that succeeds, or up to 1.5 % more; without L1 and operator fee, as on op-geth."""
        return hex_quantity(
            self._run(
                block_id,
                lambda context, state, ancestors: estimate_gas(
                    context.overridden(block_overrides) if block_overrides is not None else context,
                    state,
                    request,
                    ancestors,
                    state_overrides,
                    call_deadline(),
                ),
            )
        )

    @takes_long
    @rpc("eth_createAccessList", call_request, Optional(block_id, "latest"), Optional(state_overrides))
    def create_access_list(
        self, request: CallRequest, block_id: BlockId, state_overrides: Overrides | None
    ) -> dict[str, Any]:
        """`{accessList, gasUsed, error}`: the addresses and slots that a call touches, and the gas that it uses with
        that list.
        """
        access_list, result = self._run(
            block_id,
            lambda context, state, ancestors: create_access_list(
                context, state, request, ancestors, state_overrides, call_deadline()
            ),
        )
        answer: dict[str, Any] = {
            "accessList": [
                {"address": hex_data(where), "storageKeys": [hex_data(key) for key in keys]}
                for where, keys in access_list
            ],
            "gasUsed": hex_quantity(result.gas_used),
        }
        if result.error is not None:
            answer["error"] = describe_error(result.error)
        return answer

    def _run(self, which: BlockId, run: Callable[..., Any]) -> Any:
        block = self._backend.require_block(which)
        try:
            return run(self._backend.context(block), self._backend.state(block), self._backend.ancestors(block))
        except CallError as error:
            raise to_rpc_error(error) from error
        except MissingNode as error:
            raise RpcError(str(error)) from error


def to_rpc_error(error: CallError) -> RpcError:
    """geth's error object for a failed call."""
    if isinstance(error, ExecutionReverted):
        reason = revert_reason(error.output)
        message = "execution reverted" + (f": {reason}" if reason else "")
        return RpcError(message, REVERTED, hex_data(error.output))
    return RpcError(str(error))
