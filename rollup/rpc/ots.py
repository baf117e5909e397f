"""ots_ and erigon_: what the Otterscan explorer asks of a node (otterscan docs/custom-jsonrpc.md), level 8."""

from collections.abc import Iterator
from typing import Any

from rollup.cooperative import in_turns
from rollup.execution.tracers.call import CallFrame
from rollup.protocol.block import Block
from rollup.protocol.primitives import Address, Hash
from rollup.protocol.receipt import Receipt
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.errors import InvalidParams
from rollup.rpc.formats import bare_block_json, hex_data, hex_quantity, receipt_json, transaction_json
from rollup.rpc.limits import MAX_OTS_PAGE
from rollup.rpc.methods import rpc, takes_long
from rollup.rpc.params import BlockId, Optional, address, block_id, count64, hash32
from rollup.rpc.tracer_options import TraceOptions
from rollup.rpc.tracing import Tracings

_LEVEL = 8
_TRANSFER, _SELFDESTRUCT, _CREATE, _CREATE2 = range(4)
_KINDS = {"SELFDESTRUCT": _SELFDESTRUCT, "CREATE": _CREATE, "CREATE2": _CREATE2}
_CALLS = TraceOptions("callTracer")


def numbered_block(value: Any) -> BlockId:
    """A block's number as a plain JSON number, as Otterscan sends it, or one of the forms of a block."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = hex(value) if value >= 0 else str(value)
    return block_id(value)


class Otterscan:
    """The methods that Otterscan calls. Searches run the blocks again, newest or oldest first, until a page is full."""

    def __init__(self, backend: ExecutionBackend) -> None:
        self._backend = backend
        self._chain = backend.chain
        self._tracings = Tracings(backend)

    @rpc("ots_getApiLevel")
    def get_api_level(self) -> int:
        """The API level: 8."""
        return _LEVEL

    @rpc("erigon_getHeaderByNumber", numbered_block)
    def get_header_by_number(self, block_id: BlockId) -> dict[str, Any] | None:
        """A block's header with its hash and size."""
        block = self._backend.block(block_id)
        return None if block is None else _without(bare_block_json(block), "withdrawals")

    @rpc("ots_hasCode", address, Optional(numbered_block, "latest"))
    def has_code(self, address: Address, block_id: BlockId) -> bool:
        """Whether an account has code."""
        return self._has_code(address, block_id)

    # ------------------------------------------------------------ blocks
    @rpc("ots_getBlockDetails", numbered_block)
    def get_block_details(self, block_id: BlockId) -> dict[str, Any] | None:
        """A block without its transactions, its issuance and its fees."""
        return self._details(self._backend.block(block_id))

    @rpc("ots_getBlockDetailsByHash", hash32)
    def get_block_details_by_hash(self, block_hash: Hash) -> dict[str, Any] | None:
        """A block without its transactions, its issuance and its fees."""
        return self._details(self._chain.block(block_hash))

    def _details(self, block: Block | None) -> dict[str, Any] | None:
        if block is None:
            return None
        receipts = self._receipts(block)
        answer = _without(bare_block_json(block), "logsBloom")
        answer["transactionCount"] = len(block.transactions)
        fees = sum(receipt.gas_used * (receipt.effective_gas_price or 0) for receipt in receipts)
        issuance = dict.fromkeys(("blockReward", "uncleReward", "issuance"), "0x0")
        return {"block": answer, "issuance": issuance, "totalFees": hex_quantity(fees)}

    @rpc("ots_getBlockTransactions", numbered_block, count64, count64)
    def get_block_transactions(self, block_id: BlockId, page: int, size: int) -> dict[str, Any] | None:
        """A page of a block's transactions, the newest first, and receipts without logs. Input is the selector only."""
        block = self._backend.block(block_id)
        if block is None:
            return None
        _check_page(size)
        receipts = self._receipts(block)
        end = max(len(block.transactions) - page * size, 0)
        chosen = range(max(end - size, 0), end)
        transactions = [transaction_json(block.transactions[index], block, index, receipts[index]) for index in chosen]
        for item in transactions:
            item["input"] = item["input"][:10]
        shown = [self._receipt_json(block, receipts, index) for index in chosen]
        answer = bare_block_json(block) | {"transactions": transactions, "transactionCount": len(block.transactions)}
        return {
            "fullblock": answer,
            "receipts": [_without(item, "logs", "logsBloom") | {"logs": None} for item in shown],
        }

    # ------------------------------------------------------------ one transaction
    @takes_long
    @rpc("ots_traceTransaction", hash32)
    def trace_transaction(self, tx_hash: Hash) -> list[dict[str, Any]]:
        """The frames of a transaction, each before those below it."""
        return [
            {
                "type": frame["type"],
                "depth": depth,
                "from": frame["from"],
                "to": frame.get("to"),
                "value": frame.get("value"),
                "input": frame["input"],
                "output": frame.get("output", "0x"),
            }
            for depth, frame in _frames(self._tracings.call_tree(tx_hash))
        ]

    @takes_long
    @rpc("ots_getInternalOperations", hash32)
    def get_internal_operations(self, tx_hash: Hash) -> list[dict[str, Any]]:
        """Transfers of ether, creations and selfdestructs below a transaction's own frame."""
        return [
            {
                "type": _KINDS.get(frame["type"], _TRANSFER),
                "from": frame["from"],
                "to": frame.get("to"),
                "value": frame.get("value", "0x0"),
            }
            for depth, frame in _frames(self._tracings.call_tree(tx_hash))
            if depth and _moves(frame)
        ]

    @takes_long
    @rpc("ots_getTransactionError", hash32)
    def get_transaction_error(self, tx_hash: Hash) -> str:
        """The revert data of a transaction; `0x` if it did not revert."""
        top = self._tracings.call_tree(tx_hash)
        return hex_data(top.output or b"") if top.error is not None else "0x"

    # ------------------------------------------------------------ searches
    @takes_long
    @rpc("ots_getTransactionBySenderAndNonce", address, count64)
    def get_transaction_by_sender_and_nonce(self, address: Address, nonce: int) -> str | None:
        """The hash of an account's transaction by its nonce."""
        found = self._sent(address, nonce)
        return None if found is None else hex_data(found[0].transactions[found[1]].hash)

    @takes_long
    @rpc("eth_getTransactionBySenderAndNonce", address, count64)
    def get_whole_transaction_by_sender_and_nonce(self, address: Address, nonce: int) -> dict[str, Any] | None:
        """An account's transaction by its nonce, of the pool or the chain; `null` if there is none."""
        pool = self._backend.pool
        content = pool.content() if pool is not None else None
        for waiting in (content.pending, content.queued) if content is not None else ():
            for transaction in waiting.get(address, ()):
                if transaction.nonce == nonce:
                    return transaction_json(transaction)
        found = self._sent(address, nonce)
        if found is None:
            return None
        block, index = found
        return transaction_json(block.transactions[index], block, index, self._receipts(block)[index])

    def _sent(self, address: Address, nonce: int) -> tuple[Block, int] | None:
        """The block of an account's transaction by its nonce, and its place in it."""
        low, high = 0, self._chain.head.number
        if self._nonce(address, high) <= nonce:
            return None
        while low < high:  # the first block after which the nonce is above
            middle = (low + high) // 2
            low, high = (low, middle) if self._nonce(address, middle) > nonce else (middle + 1, high)
        block = self._chain.block_by_number(low)
        assert block is not None
        for index, (transaction, receipt) in enumerate(zip(block.transactions, self._receipts(block), strict=True)):
            sent = receipt.deposit_nonce if transaction.is_deposit else transaction.nonce
            if transaction.sender == address and sent == nonce:
                return block, index
        return None

    def _nonce(self, who: Address, number: int) -> int:
        account = self._backend.state(self._backend.require_block(number)).account(who)
        return 0 if account is None else account.nonce

    @takes_long
    @rpc("ots_getContractCreator", address)
    def get_contract_creator(self, address: Address) -> dict[str, str] | None:
        """`{hash, creator}`: the transaction that created a contract, and the account that did. `null` for a contract
        of genesis, and for an account without code.
        """
        low, high = 0, self._chain.head.number
        if not self._has_code(address, high) or self._has_code(address, 0):
            return None
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self._has_code(address, middle) else (middle + 1, high)
        block = self._chain.block_by_number(low)
        assert block is not None
        for transaction, top in zip(block.transactions, self._tracings.call_trees(block), strict=True):
            for _, frame in _frames(top):
                if frame["type"] in ("CREATE", "CREATE2") and frame.get("to") == hex_data(address):
                    return {"hash": hex_data(transaction.hash), "creator": frame["from"]}
        return None

    def _has_code(self, who: Address, which: BlockId) -> bool:
        state = self._backend.state(self._backend.require_block(which))
        account = state.account(who)
        return account is not None and bool(state.code(account.code_hash))

    @takes_long
    @rpc("ots_searchTransactionsBefore", address, count64, count64)
    def search_transactions_before(self, address: Address, number: int, size: int) -> dict[str, Any]:
        """Transactions that involve an account, below a block, newest first; 0 means from the head. Runs the blocks
        again.
        """
        head = self._chain.head.number
        first = head if number == 0 else min(number - 1, head)
        found, is_whole = self._search(address, range(first, -1, -1), size)
        return self._results(found, is_first=number == 0, is_last=is_whole)

    @takes_long
    @rpc("ots_searchTransactionsAfter", address, count64, count64)
    def search_transactions_after(self, address: Address, number: int, size: int) -> dict[str, Any]:
        """Transactions that involve an account, above a block, newest first; 0 means from genesis. Runs the blocks
        again.
        """
        found, is_whole = self._search(address, range(number + 1, self._chain.head.number + 1), size)
        found.reverse()
        return self._results(found, is_first=is_whole, is_last=number == 0)

    def _search(self, who: Address, heights: range, size: int) -> tuple[list[tuple[Block, int]], bool]:
        """Places of transactions, block by block until a page is full; whether no block is left."""
        _check_page(size)
        found: list[tuple[Block, int]] = []
        for height in in_turns(heights):
            block = self._chain.block_by_number(height)
            if block is None or not height:
                continue
            places = [(block, index) for index in self._places(who, block)]
            found += reversed(places) if heights.step < 0 else places
            if len(found) >= size:
                return found, height == heights[-1]
        return found, True

    def _places(self, who: Address, block: Block) -> list[int]:
        """The transactions of a block that an account sends, gets, is created by, or is called in."""
        name = hex_data(who)
        receipts = self._receipts(block)
        found = []
        for index, top in enumerate(self._tracings.call_trees(block)):
            transaction = block.transactions[index]
            if who in (transaction.sender, transaction.to, receipts[index].contract_address) or any(
                name in (frame["from"], frame.get("to")) for _, frame in _frames(top)
            ):
                found.append(index)
        return found

    def _results(self, found: list[tuple[Block, int]], is_first: bool, is_last: bool) -> dict[str, Any]:
        transactions, receipts = [], []
        for block, index in found:
            all_receipts = self._receipts(block)
            transactions.append(transaction_json(block.transactions[index], block, index, all_receipts[index]))
            receipts.append(self._receipt_json(block, all_receipts, index) | {"timestamp": block.header.timestamp})
        return {"txs": transactions, "receipts": receipts, "firstPage": is_first, "lastPage": is_last}

    def _receipts(self, block: Block) -> list[Receipt]:
        return self._chain.receipts(block.hash) or []

    def _receipt_json(self, block: Block, receipts: list[Receipt], index: int) -> dict[str, Any]:
        return receipt_json(self._backend.config, block, index, receipts[index])


def _frames(top: CallFrame) -> Iterator[tuple[int, dict[str, Any]]]:
    """A frame and those below it, each with its depth and before those below it."""
    rest = [(0, top)]
    while rest:
        depth, frame = rest.pop()
        yield depth, frame.to_json()
        rest += [(depth + 1, call) for call in reversed(frame.calls)]


def _moves(frame: dict[str, Any]) -> bool:
    return frame["type"] in _KINDS or (frame["type"] in ("CALL", "CALLCODE") and int(frame.get("value", "0x0"), 16) > 0)


def _check_page(size: int) -> None:
    if not 0 < size <= MAX_OTS_PAGE:
        raise InvalidParams(f"page size must be from 1 to {MAX_OTS_PAGE}")


def _without(answer: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in names}
