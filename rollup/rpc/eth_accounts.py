"""eth_: sending transactions, and signing with the accounts the node holds keys of (the public development keys)."""

import asyncio
from collections.abc import Awaitable
from types import ModuleType
from typing import Any

from eth_abi.exceptions import EncodingError
from eth_utils.exceptions import ValidationError

from rollup.cooperative import Turns
from rollup.execution.calls import CallError, CallRequest, estimate_gas
from rollup.protocol.json_text import parse_json
from rollup.protocol.primitives import Address, Hash
from rollup.protocol.transaction import (
    ACCESS_LIST,
    DYNAMIC_FEE,
    LEGACY,
    SET_CODE,
    Transaction,
)
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.errors import SYNC_TIMED_OUT, InvalidParams, RpcError
from rollup.rpc.eth_calls import call_deadline, to_rpc_error
from rollup.rpc.formats import hex_data, receipt_json, signable_json, transaction_json
from rollup.rpc.methods import rpc, takes_long
from rollup.rpc.params import (
    Invalid,
    Optional,
    address,
    anything,
    call_request,
    count64,
    data,
    mapping,
    quantity,
)
from rollup.rpc.queries import Queries

# Seconds a caller of eth_sendRawTransactionSync waits, at most, and between two looks (geth eth/ethconfig/config.go).
SYNC_SECONDS, SYNC_MOST_SECONDS, _SYNC_STEP = 20, 60, 0.02
# The exceptions of eth-account and the libraries below it for data that is not an EIP-712 message.
_TYPED_DATA_ERRORS = (ValueError, TypeError, KeyError, AttributeError, ValidationError, EncodingError)


def _message_signing() -> ModuleType:
    """The module that signs messages, which only a node that is asked to sign loads: it takes a fifth of a start."""
    from rollup.rpc import message_signing

    return message_signing


class EthAccounts:
    """Accounts, signatures, transactions."""

    def __init__(self, backend: ExecutionBackend, turns: Turns | None = None) -> None:
        """turns: those of the node."""
        self._backend = backend
        self._turns = turns if turns is not None else Turns()
        self._queries = Queries(backend)

    @rpc(("eth_accounts", "eth_requestAccounts"))
    def accounts(self) -> list[str]:
        """The development accounts, whose keys the node holds, and on 8545 and 9545 impersonated accounts. None on the
        verifier.
        """
        return [hex_data(account) for account in self._backend.keys]

    @takes_long  # the proofs of blobs are checked
    @rpc("eth_sendRawTransaction", data)
    def send_raw_transaction(self, raw: bytes) -> str | Awaitable[str]:
        """Takes a signed transaction into the pool; its hash. With automine or `--instant` it answers when the block
        is there. On L1 a blob transaction comes with its sidecar. The verifier takes none.
        """
        return self._sent(self._send(raw))

    @rpc("eth_sendRawTransactionSync", data, Optional(count64))
    async def send_raw_transaction_sync(self, raw: bytes, timeout: int | None) -> dict[str, Any]:
        """Takes a signed transaction into the pool; its receipt (EIP-7966). After the timeout in milliseconds, by
        default 20 s and at most 60 s, the error has code 4 and the hash.
        """
        return await self.receipt(await self._turns.call(lambda: self._send(raw)), timeout)

    @takes_long
    @rpc("eth_sendTransaction", mapping)
    def send_transaction(self, request: Any) -> str | Awaitable[str]:
        """Fills in, signs and sends a transaction; its hash, as `eth_sendRawTransaction`. Every type except blobs and
        deposits, chosen by the fields.
        """
        return self._sent(self._send(self._sign(request).encode()))

    @takes_long
    @rpc("eth_sendTransactionSync", mapping, Optional(count64))
    def send_transaction_sync(self, request: Any, timeout: int | None) -> Awaitable[dict[str, Any]]:
        """Fills in, signs and sends a transaction; its receipt, as `eth_sendRawTransactionSync`."""
        return self.receipt(self._send(self._sign(request).encode()), timeout)

    async def receipt(self, tx_hash: Hash, timeout: int | None) -> dict[str, Any]:
        """The receipt of a transaction that has been sent, once it is in a block. timeout: in milliseconds.

        Raises RpcError after the timeout.
        """
        loop = asyncio.get_running_loop()
        seconds = min(timeout / 1000, SYNC_MOST_SECONDS) if timeout else SYNC_SECONDS
        end = loop.time() + seconds
        while True:
            found = self._queries.find_transaction(tx_hash)
            if found is not None:
                block, index = found
                return receipt_json(self._backend.config, block, index, self._queries.receipts(block)[index])
            if loop.time() >= end:
                message = f"The transaction was added to the transaction pool but wasn't processed in {seconds:g}s"
                raise RpcError(message, SYNC_TIMED_OUT, hex_data(tx_hash))
            await asyncio.sleep(_SYNC_STEP)

    @takes_long
    @rpc("eth_signTransaction", mapping)
    def sign_transaction(self, request: Any) -> dict[str, Any]:
        """Fills in and signs a transaction; `{raw, tx}`."""
        transaction = self._sign(request)
        return {"raw": hex_data(transaction.encode()), "tx": signable_json(transaction)}

    @takes_long
    @rpc("eth_fillTransaction", mapping)
    def fill_transaction(self, request: Any) -> dict[str, Any]:
        """Fills in nonce, gas and fees of a transaction; `{raw, tx}`, unsigned."""
        transaction, sender = self.filled(request)
        transaction._sender = sender
        return {"raw": hex_data(transaction.encode()), "tx": signable_json(transaction)}

    @rpc("eth_sign", address, data)
    def sign(self, address: Address, message: bytes) -> str:
        """Signs a message (EIP-191)."""
        signing = _message_signing()
        return hex_data(signing.sign(signing.text_message(message), self._key(address)))

    @rpc("personal_sign", data, address)
    def personal_sign(self, message: bytes, address: Address) -> str:
        """Signs a message (EIP-191); the parameters have the other order."""
        signing = _message_signing()
        return hex_data(signing.sign(signing.text_message(message), self._key(address)))

    @rpc(("eth_signTypedData_v4", "eth_signTypedData"), address, anything)
    def sign_typed_data(self, address: Address, typed_data: Any) -> str:
        """Signs typed data (EIP-712), given as an object or as JSON text."""
        signing = _message_signing()
        try:
            message = signing.typed_message(parse_json(typed_data) if isinstance(typed_data, str) else typed_data)
        except _TYPED_DATA_ERRORS as error:
            raise RpcError(f"invalid typed data: {error}") from error
        return hex_data(signing.sign(message, self._key(address)))

    @rpc("eth_pendingTransactions")
    def pending_transactions(self) -> list[dict[str, Any]]:
        """The pool's transactions of the accounts that this node signs for."""
        pool = self._backend.pool
        content = pool.content() if pool is not None else None
        pending = content.pending if content is not None else {}
        return [
            transaction_json(transaction) for account in self._backend.keys for transaction in pending.get(account, [])
        ]

    def _send(self, raw: bytes) -> Hash:
        if self._backend.send is None:
            raise RpcError("this node takes no transactions: send them to the sequencer")
        return self._backend.send(raw)

    def _sent(self, tx_hash: Hash) -> str | Awaitable[str]:
        """The answer to a sender, which comes with the block where blocks are instant."""
        if not self._backend.inclusion.is_coming([tx_hash]):
            return hex_data(tx_hash)
        return self._included(tx_hash)

    async def _included(self, tx_hash: Hash) -> str:
        await self._backend.inclusion.wait([tx_hash])
        return hex_data(tx_hash)

    def _key(self, who: Address) -> bytes:
        key = self._backend.keys.get(who)
        if key is None:
            raise RpcError("unknown account")
        return key

    def _sign(self, source: Any) -> Transaction:
        transaction, sender = self.filled(source)
        return transaction.signed(self._key(sender))

    def filled(self, source: Any) -> tuple[Transaction, Address]:
        """An unsigned transaction with nonce, gas and fees, and its sender; raises RpcError."""
        try:
            request: CallRequest = call_request(source)
        except Invalid as error:
            raise InvalidParams(f"invalid argument 0: {error}") from error
        if source.get("from") is None:
            raise RpcError("unknown account")
        if request.blob_versioned_hashes:
            raise RpcError("this transaction type cannot be filled in here: send it signed, with its blobs")
        if request.authorization_list and source.get("gasPrice") is not None:
            raise InvalidParams("invalid argument 0: gasPrice and authorizationList cannot be given together")
        backend = self._backend
        _check_chain_id(source, backend.config.chain_id)
        head = backend.chain.head
        tx_type, cap, tip = self._fees(source, request)
        gas = request.gas
        if gas is None:
            try:
                gas = estimate_gas(
                    backend.context(head),
                    backend.state(head),
                    request,
                    backend.ancestors(head),
                    check_interrupt=call_deadline(),
                )
            except CallError as error:
                raise to_rpc_error(error) from error
        nonce = request.nonce  # read last: others have their turn while the gas is estimated
        if nonce is None:
            nonce = self._queries.nonce(request.sender, "pending")
        transaction = Transaction(
            tx_type,
            nonce=nonce,
            gas_limit=gas,
            to=request.to,
            value=request.value,
            data=request.data,
            chain_id=backend.config.chain_id,
            max_fee_per_gas=cap,
            max_priority_fee_per_gas=tip,
            access_list=request.access_list,
            authorization_list=request.authorization_list,
        )
        return transaction, request.sender

    def _fees(self, source: Any, request: CallRequest) -> tuple[int, int, int]:
        """Type, fee cap and tip."""
        if source.get("gasPrice") is not None:
            return ACCESS_LIST if request.access_list else LEGACY, request.max_fee_per_gas, request.max_fee_per_gas
        tip = request.max_priority_fee_per_gas
        if source.get("maxPriorityFeePerGas") is None:
            tip = self._queries.fees.suggested_tip()
        cap = request.max_fee_per_gas
        if source.get("maxFeePerGas") is None:
            cap = 2 * self._queries.fees.next_base_fee() + tip
        return SET_CODE if request.authorization_list else DYNAMIC_FEE, cap, tip


def _check_chain_id(source: Any, expected: int) -> None:
    """A transaction that names another chain was meant for it (geth internal/ethapi/transaction_args.go)."""
    if source.get("chainId") is None:
        return
    try:
        given = quantity(source["chainId"])
    except Invalid as error:
        raise InvalidParams(f"invalid argument 0: chainId: {error}") from error
    if given != expected:
        raise RpcError(f"chainId does not match node's (have={given}, want={expected})")
