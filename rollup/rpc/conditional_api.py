"""eth_sendRawTransactionConditional: a transaction that a block may take only under a condition (ERC-7796).

Checks, their order, codes and texts are op-geth's (internal/sequencerapi/api.go). The builder checks the condition
again, and a transaction that does not meet it then is dropped.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from rollup.cooperative import Turns
from rollup.execution.conditional import Conditional
from rollup.execution.errors import InvalidTransaction
from rollup.execution.state.accounts import AccountDatabase
from rollup.protocol.primitives import Address, Hash
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.errors import LIMIT_EXCEEDED, TRANSACTION_REJECTED, RpcError
from rollup.rpc.formats import hex_data
from rollup.rpc.limits import CONDITION_COST_BURST, CONDITION_COST_PER_SECOND, MAX_CONDITION_COST, SEND_SECONDS
from rollup.rpc.methods import rpc
from rollup.rpc.params import Invalid, Parser, address, data, hash32, mapping, quantity, quantity64

_BOUNDS: dict[str, tuple[str, Parser[int]]] = {
    "blockNumberMin": ("block_number_min", quantity),
    "blockNumberMax": ("block_number_max", quantity),
    "timestampMin": ("timestamp_min", quantity64),
    "timestampMax": ("timestamp_max", quantity64),
}


def conditional(value: Any) -> Conditional:
    """`{knownAccounts, blockNumberMin, blockNumberMax, timestampMin, timestampMax}`, each of them optional."""
    bounds: dict[str, int] = {}
    roots: dict[Address, Hash] = {}
    slots: dict[Address, dict[int, int]] = {}
    for name, item in mapping(value).items():
        if name not in _BOUNDS and name != "knownAccounts":
            raise Invalid(f"json: unknown field {json.dumps(name[:80])}")
        if item is None:
            continue
        try:
            if name == "knownAccounts":
                _read_accounts(item, roots, slots)
            else:
                field, parse = _BOUNDS[name]
                bounds[field] = parse(item)
        except Invalid as error:
            raise Invalid(f"{name}: {error}") from error
    return Conditional(roots, slots, **bounds)


def _read_accounts(value: Any, roots: dict[Address, Hash], slots: dict[Address, dict[int, int]]) -> None:
    """An account's storage root is a hash, and an object has the values of its slots."""
    for key, item in mapping(value).items():
        account = bytes(address(key))
        if isinstance(item, str):
            roots[account] = bytes(hash32(item))
        else:
            slots[account] = {_word(slot): _word(word) for slot, word in mapping(item).items()}


def _word(value: Any) -> int:
    return int.from_bytes(hash32(value), "big")


class CostRate:
    """How much conditions may cost per second, in lookups: a bucket that fills at a constant rate."""

    def __init__(self, per_second: int = CONDITION_COST_PER_SECOND, most: int = CONDITION_COST_BURST) -> None:
        self._per_second = per_second
        self._most = self._left = float(most)
        self._filled = 0.0

    def wait_for(self, cost: int, now: float) -> float:
        """Takes the cost and returns the seconds to wait. now: seconds by any clock.

        Takes nothing where the wait would be longer than that for a client.
        """
        left = min(self._most, self._left + (now - self._filled) * self._per_second)
        self._left, self._filled = left, now
        seconds = max(cost - left, 0) / self._per_second
        if seconds <= SEND_SECONDS:
            self._left -= cost
        return seconds


class ConditionalTransactions:
    """The method of one L2 chain whose sequencer takes conditions."""

    def __init__(
        self, backend: ExecutionBackend, send: Callable[[bytes, Conditional], Hash], turns: Turns | None = None
    ) -> None:
        """send: puts a transaction into the pool with its condition; raises RpcError. turns: those of the node."""
        self._backend = backend
        self._send = send
        self._turns = turns if turns is not None else Turns()
        self._rate = CostRate()

    @rpc("eth_sendRawTransactionConditional", data, conditional)
    async def send_raw_transaction_conditional(self, raw: bytes, condition: Conditional) -> str:
        """Takes a signed transaction into the pool if the head meets its condition; its hash. Only with
        `--conditional-transactions`.
        """
        await self._turns.call(lambda: self._check(condition))
        seconds = self._rate.wait_for(condition.cost, asyncio.get_running_loop().time())
        if seconds > SEND_SECONDS:
            raise RpcError(f"cost {condition.cost} rate limited", LIMIT_EXCEEDED)
        if seconds > 0:
            await asyncio.sleep(seconds)
        tx_hash = await self._turns.call(lambda: self._send(raw, condition))
        await self._backend.inclusion.wait([tx_hash])
        return hex_data(tx_hash)

    def _check(self, condition: Conditional) -> None:
        cost = condition.cost
        if cost > MAX_CONDITION_COST:
            raise RpcError(f"conditional cost, {cost}, exceeded max: {MAX_CONDITION_COST}", LIMIT_EXCEEDED)
        _refuse("failed conditional validation", condition.check_itself)
        head = self._backend.chain.head
        _refuse("failed header check", lambda: condition.check_block(head.number, head.timestamp))
        state = AccountDatabase(self._backend.state(head))
        _refuse("failed state check", lambda: condition.check_storage(state))
        # The parent's state too, so that this method gives no advantage over eth_sendRawTransaction.
        before = AccountDatabase(self._backend.state(self._backend.require_block(head.header.parent_hash)))
        parent = f"failed parent block {hex_data(head.header.parent_hash)} state check"
        _refuse(parent, lambda: condition.check_storage(before))


def _refuse(what: str, check: Callable[[], None]) -> None:
    try:
        check()
    except InvalidTransaction as error:
        raise RpcError(f"{what}: {error}", TRANSACTION_REJECTED) from error
