"""eth_sendTransaction from impersonated accounts, and eth_sendUnsignedTransaction (docs/cheats.md).

An account whose key the node holds signs as ever; only for others impersonation is asked.
"""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from rollup.pool.errors import PoolError
from rollup.protocol.primitives import Address
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.cheat_api import Layer, refusal
from rollup.rpc.errors import RpcError
from rollup.rpc.eth_accounts import EthAccounts
from rollup.rpc.formats import hex_data
from rollup.rpc.methods import Choice, Handler, Method, changes_all, collect, for_local_callers, rpc
from rollup.rpc.params import Invalid, Optional, address, count64, mapping

_FEES = ("gasPrice", "maxFeePerGas", "maxPriorityFeePerGas")


class ImpersonationApi:
    """The methods of one layer's port that send without a signature."""

    def __init__(self, layer: Layer, backend: ExecutionBackend, accounts: EthAccounts) -> None:
        """accounts: the port's own eth_ methods, for accounts that are not impersonated."""
        self._layer = layer
        self._backend = backend
        self._accounts = accounts

    def methods(self, is_strict: bool) -> dict[str, Method]:
        """The handlers by method name; when strict, accounts send with their keys alone."""
        if is_strict:
            return {"eth_sendUnsignedTransaction": refusal("eth_sendUnsignedTransaction")}
        own, signing = collect(self), collect(self._accounts)
        unsigned = {
            "eth_sendTransaction": own["eth_sendUnsignedTransaction"],
            "eth_sendTransactionSync": own["eth_sendTransactionSync"],
        }
        return {**own, **{name: self._choice(handler, signing[name]) for name, handler in unsigned.items()}}

    def _choice(self, unsigned: Handler, signed: Handler) -> Choice:
        return Choice(lambda given: unsigned if self._is_impersonated(given) else signed, signed)

    @rpc(("eth_accounts", "eth_requestAccounts"))
    def accounts(self) -> list[str]:
        """The addresses that eth_sendTransaction sends from."""
        own = self._backend.keys
        return [
            hex_data(item) for item in (*own, *(one for one in self._layer.impersonation.accounts if one not in own))
        ]

    @changes_all
    @for_local_callers
    @rpc("eth_sendUnsignedTransaction", mapping)
    def send_unsigned(self, request: Mapping[str, Any]) -> str:
        """Fills in a transaction and sends it as its `from`, impersonated or not; its hash on this layer."""
        is_free = self._backend.name == "l2"  # a deposit pays no fees
        asked = {name: value for name, value in request.items() if not (is_free and name in _FEES)}
        transaction, sender = self._accounts.filled(asked)
        if is_free:
            self._check(sender, transaction.nonce if request.get("nonce") is not None else None, transaction.value)
        try:
            return hex_data(self._layer.send_as(sender, transaction))
        except PoolError as error:
            raise RpcError(str(error), error.code) from error
        except ValueError as error:
            raise RpcError(str(error)) from error

    @changes_all
    @for_local_callers
    @rpc("eth_sendTransactionSync", mapping, Optional(count64))
    def send_unsigned_sync(self, request: Mapping[str, Any], timeout: int | None) -> Awaitable[dict[str, Any]]:
        """Sends as an impersonated account; the receipt, as `eth_sendRawTransactionSync`."""
        return self._accounts.receipt(bytes.fromhex(self.send_unsigned(request)[2:]), timeout)

    def _check(self, sender: Address, nonce: int | None, value: int) -> None:
        """Raises RpcError for a deposit that its block would not execute as asked: it takes the next nonce, and fails
        without coins.
        """
        chain = self._backend.chain
        account = chain.state_at(chain.head.hash).account(sender)
        have, balance = (account.nonce, account.balance) if account is not None else (0, 0)
        if nonce is not None and nonce < have:
            raise RpcError(f"nonce too low: next nonce {have}, tx nonce {nonce}")
        if nonce is not None and nonce > have:
            raise RpcError(f"nonce too high: a deposit takes the account's next nonce, {have}, got {nonce}")
        if value > balance:
            raise RpcError(
                f"insufficient funds for gas * price + value: balance {balance}, tx cost {value}, "
                f"overshot {value - balance}"
            )

    def _is_impersonated(self, given: Sequence[Any]) -> bool:
        if not given or not isinstance(given[0], Mapping):
            return False
        try:
            sender = address(given[0].get("from"))
        except Invalid:
            return False
        return sender not in self._backend.keys and self._layer.impersonation.covers(sender)
