"""Cheats that set an ERC-20 balance or allowance, whatever the token's storage looks like (docs/cheats.md).

The slot is found by trying: of all slots that the token's own function reads, it is the one which, when overridden,
makes the function answer the wanted value.
"""

from rollup.execution.calls import CallError, CallRequest, call, create_access_list
from rollup.execution.overrides import StateOverride
from rollup.protocol.primitives import Address, keccak256
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.cheat_api import Layer, cheat, cheats_of
from rollup.rpc.errors import RpcError
from rollup.rpc.eth_calls import call_deadline
from rollup.rpc.methods import Method, rpc
from rollup.rpc.params import address, quantity

_BALANCE_OF, _ALLOWANCE = keccak256(b"balanceOf(address)")[:4], keccak256(b"allowance(address,address)")[:4]
_PAD = bytes(12)


class TokenCheatApi:
    """The cheats of one layer's port that set balances and allowances of tokens."""

    def __init__(self, layer: Layer, backend: ExecutionBackend) -> None:
        self._layer = layer
        self._backend = backend

    def methods(self, is_strict: bool) -> dict[str, Method]:
        """The handlers by method name; when strict, all of them refuse."""
        return cheats_of(self, is_strict)

    @rpc(("anvil_dealERC20", "hardhat_dealERC20", "anvil_setERC20Balance"), address, address, quantity)
    @cheat
    def deal(self, account: Address, token: Address, amount: int) -> None:
        """Sets an account's balance of a token, in a new block. The slot is found by trying those that `balanceOf`
        reads. The total supply stays.
        """
        self._set(token, _BALANCE_OF + _PAD + account, amount, "balance")

    @rpc("anvil_setERC20Allowance", address, address, address, quantity)
    @cheat
    def set_allowance(self, owner: Address, spender: Address, token: Address, amount: int) -> None:
        """Sets how much of an owner's tokens a spender may take, in a new block."""
        self._set(token, _ALLOWANCE + _PAD + owner + _PAD + spender, amount, "allowance")

    def _set(self, token: Address, data: bytes, value: int, name: str) -> None:
        found = self._find(token, data, value)
        if found is None:
            raise RpcError(f"Unable to set ERC20 {name}, no slot found")
        holder, slot = found
        self._layer.patch(holder, StateOverride(storage_diff={slot: value}))

    def _find(self, token: Address, data: bytes, value: int) -> tuple[Address, int] | None:
        """The account and the slot that a view function answers from; None if it is not a single slot."""
        backend = self._backend
        head = backend.chain.head
        context, state, ancestors = backend.context(head), backend.state(head), backend.ancestors(head)
        request, deadline = CallRequest(to=token, data=data), call_deadline()
        try:
            touched, _ = create_access_list(context, state, request, ancestors, check_interrupt=deadline)
        except CallError as error:
            raise RpcError(str(error)) from error
        found = ((holder, int.from_bytes(slot, "big")) for holder, slots in touched for slot in slots)
        for holder, slot in sorted(found, key=lambda item: item[0] != token):  # the token's own slots first
            for wanted in (value, value ^ 1):  # a slot that the answer does not depend on may hold the value already
                override = {holder: StateOverride(storage_diff={slot: wanted})}
                try:
                    answer = call(context, state, request, ancestors, override, deadline)
                except CallError:
                    break
                if answer.error is not None or answer.output != wanted.to_bytes(32, "big"):
                    break
            else:
                return holder, slot
        return None
