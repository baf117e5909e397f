"""Any L1 over HTTP: as the source for derivation, and as the node to which batcher and proposer send."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from derivation.errors import Critical, NotFound, Temporary
from rollup.l1.beacon_client import BeaconClient
from rollup.l1.json_rpc import HttpEndpoint, JsonRpcClient, RpcError
from rollup.l1.l1_client import AlreadyPooled, L1Receipt, TransactionRefused
from rollup.l1.rpc_types import (
    MalformedResponse,
    UnknownHeaderField,
    block_from_json,
    check_withdrawals,
    data,
    header_from_json,
    quantity,
    receipts_from_json,
)
from rollup.l1.sidecar import BlobSidecar
from rollup.protocol.block import Block
from rollup.protocol.blockref import L1BlockRef
from rollup.protocol.header import Header
from rollup.protocol.primitives import Address, Hash
from rollup.protocol.receipt import Receipt
from rollup.protocol.transaction import Transaction

_V = TypeVar("_V")
_HEADERS_KEPT = 1024
_BLOCKS_KEPT = 64
_RECEIPTS_A_CALL = 20
# Without eth_getBlockReceipts: op-node falls back in the same way (op-service/sources, unusableMethod).
_METHOD_NOT_FOUND = -32601
_UNUSABLE_CODES = (-32600, _METHOD_NOT_FOUND, -32602)
_NOT_FOUND_TEXTS = ("not found", "unknown block")


class _Recent(Generic[_V]):
    """The most recently used values, by hash."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: OrderedDict[Hash, _V] = OrderedDict()

    def get(self, key: Hash) -> _V | None:
        value = self._items.get(key)
        if value is not None:
            self._items.move_to_end(key)
        return value

    def put(self, key: Hash, value: _V) -> _V:
        self._items[key] = value
        if len(self._items) > self._size:
            self._items.popitem(last=False)
        return value


class RpcL1Source:
    """An L1 node and its beacon node as derivation.sources' L1Source and BlobSource.

    Hashes, transactions and receipts roots and blobs are checked, so a wrong answer is a Temporary error and never
    data. Without a beacon URL only an L1 without blobs can be read.
    """

    def __init__(
        self, l1_url: str, beacon_url: str | None, *, endpoint: Callable[[str], HttpEndpoint] = HttpEndpoint
    ) -> None:
        """Raises ValueError for what is no HTTP URL."""
        self._rpc = JsonRpcClient(endpoint(l1_url))
        self._beacon = BeaconClient(endpoint(beacon_url)) if beacon_url is not None else None
        self._headers: _Recent[Header] = _Recent(_HEADERS_KEPT)
        self._blocks: _Recent[Block] = _Recent(_BLOCKS_KEPT)
        self._receipts: _Recent[list[Receipt]] = _Recent(_BLOCKS_KEPT)
        self._has_block_receipts = True

    def chain_id(self) -> int:
        """The L1's chain id; raises Temporary."""
        return self._parsed(lambda: quantity(self._call("eth_chainId"), "eth_chainId"))

    def head(self) -> L1BlockRef:
        """The latest block."""
        return self._ref_by_tag("latest")

    def safe(self) -> L1BlockRef:
        """The node's safe block; raises NotFound when it names none."""
        return self._ref_by_tag("safe")

    def finalized(self) -> L1BlockRef:
        """The node's finalized block; raises NotFound when it names none."""
        return self._ref_by_tag("finalized")

    def ref_by_number(self, number: int) -> L1BlockRef:
        """The canonical block at a height; raises NotFound while there is none."""
        ref = self._ref_by_tag(hex(number))
        if ref.number != number:
            raise Temporary(f"{self._rpc.url}: asked for block {number}, got {ref.number}")
        return ref

    def ref_by_hash(self, block_hash: Hash) -> L1BlockRef:
        """A block by its hash; raises NotFound."""
        return _ref(block_hash, self.header(block_hash))

    def header(self, block_hash: Hash) -> Header:
        """A header by its hash; raises NotFound."""
        return self._headers.get(block_hash) or self._block(block_hash, full=False).header

    def transactions(self, block_hash: Hash) -> list[Transaction]:
        """A block's transactions; raises NotFound."""
        block = self._blocks.get(block_hash) or self._block(block_hash, full=True)
        return block.transactions

    def receipts(self, block_hash: Hash) -> list[Receipt]:
        """The receipts of a block, one per transaction. Raises NotFound."""
        kept = self._receipts.get(block_hash)
        if kept is not None:
            return kept
        transactions = self.transactions(block_hash)
        header = self.header(block_hash)
        answer = self._block_receipts(block_hash, transactions)
        receipts = self._parsed(lambda: receipts_from_json(answer, header, len(transactions)))
        return self._receipts.put(block_hash, receipts)

    def blobs(self, ref: L1BlockRef, hashes: Sequence[Hash]) -> list[bytes]:
        """The blobs of a block with these versioned hashes, in their order; raises NotFound."""
        if self._beacon is None:
            raise Critical(f"L1 block {ref.number} has batches in blobs: give the URL of L1's beacon API (--beacon)")
        return self._beacon.blobs(ref, hashes)

    def _ref_by_tag(self, tag: str) -> L1BlockRef:
        answer = self._found("eth_getBlockByNumber", tag, False)
        header = self._parsed(lambda: header_from_json(answer))
        block_hash = header.hash
        self._headers.put(block_hash, header)
        return _ref(block_hash, header)

    def _block(self, block_hash: Hash, full: bool) -> Block:
        answer = self._found("eth_getBlockByHash", _hex(block_hash), full)
        block = self._parsed(lambda: _checked_block(answer) if full else Block(header_from_json(answer)))
        if block.hash != block_hash:
            raise Temporary(f"{self._rpc.url}: asked for block {_hex(block_hash)}, got {_hex(block.hash)}")
        self._headers.put(block_hash, block.header)
        return self._blocks.put(block_hash, block) if full else block

    def _block_receipts(self, block_hash: Hash, transactions: Sequence[Transaction]) -> Any:
        if self._has_block_receipts:
            try:
                return self._found("eth_getBlockReceipts", _hex(block_hash), raises=_UNUSABLE_CODES)
            except RpcError:
                self._has_block_receipts = False
        hashes = [[_hex(transaction.hash)] for transaction in transactions]
        answers: list[Any] = []
        for start in range(0, len(hashes), _RECEIPTS_A_CALL):
            try:
                answers += self._rpc.batch("eth_getTransactionReceipt", hashes[start : start + _RECEIPTS_A_CALL])
            except RpcError as error:
                raise Temporary(f"{self._rpc.url}: {error}") from error
        return answers

    def _found(self, method: str, *params: Any, raises: tuple[int, ...] = ()) -> Any:
        answer = self._call(method, *params, raises=raises)
        if answer is None:
            raise NotFound(f"{self._rpc.url}: {method} {params[0]}: not found")
        return answer

    def _call(self, method: str, *params: Any, raises: tuple[int, ...] = ()) -> Any:
        """Makes a call with derivation's errors: not found, or temporary. Raises RpcError for the given codes."""
        try:
            return self._rpc.call(method, *params)
        except RpcError as error:
            if error.code in raises:
                raise
            is_missing = any(text in error.message.lower() for text in _NOT_FOUND_TEXTS)
            if is_missing and error.code != _METHOD_NOT_FOUND:
                raise NotFound(f"{self._rpc.url}: {error}") from error
            raise Temporary(f"{self._rpc.url}: {error}") from error

    def _parsed(self, parse: Callable[[], _V]) -> _V:
        try:
            return parse()
        except UnknownHeaderField as error:
            raise Critical(f"{self._rpc.url}: {error}") from error
        except MalformedResponse as error:
            raise Temporary(f"{self._rpc.url}: {error}") from error


class RpcL1Client:
    """An L1 node for batcher and proposer (rollup.l1.l1_client.L1Client). Every call may raise Temporary."""

    def __init__(self, l1_url: str, *, endpoint: Callable[[str], HttpEndpoint] = HttpEndpoint) -> None:
        """Raises ValueError for what is no HTTP URL."""
        self._rpc = JsonRpcClient(endpoint(l1_url))

    def head(self) -> L1BlockRef:
        """The latest block."""
        answer = self._call("eth_getBlockByNumber", "latest", False)
        header = self._parsed(lambda: header_from_json(answer))
        return _ref(header.hash, header)

    def nonce(self, address: Address) -> int:
        """The account's nonce at the latest block."""
        return self._number("eth_getTransactionCount", _hex(address), "latest")

    def pending_nonce(self, address: Address) -> int:
        """The account's next nonce, counting what waits in the pool."""
        return self._number("eth_getTransactionCount", _hex(address), "pending")

    def base_fee(self) -> int:
        """The base fee of the next block, in wei."""
        history = self._call("eth_feeHistory", "0x1", "latest", [])
        fees = history.get("baseFeePerGas") if isinstance(history, dict) else None
        if not isinstance(fees, list) or not fees:
            raise Temporary(f"{self._rpc.url}: eth_feeHistory: no baseFeePerGas")
        return self._parsed(lambda: quantity(fees[-1], "baseFeePerGas"))

    def blob_base_fee(self) -> int | None:
        """The blob base fee of the next block, in wei; None before Cancun, as geth answers there."""
        answer = self._call("eth_blobBaseFee")
        return None if answer is None else self._parsed(lambda: quantity(answer, "eth_blobBaseFee"))

    def suggested_tip(self) -> int:
        """A priority fee that gets included, in wei."""
        return self._number("eth_maxPriorityFeePerGas")

    def send_raw_transaction(self, raw: bytes) -> Hash:
        """Hands in EIP-2718 bytes, a blob transaction in its network form; raises TransactionRefused."""
        answer = self._refusable("eth_sendRawTransaction", _hex(raw))
        return self._parsed(lambda: data(answer, "eth_sendRawTransaction", 32))

    def send_blob_transaction(self, transaction: Transaction, sidecar: BlobSidecar) -> Hash:
        """Hands in a blob transaction with its blobs; raises TransactionRefused."""
        return self.send_raw_transaction(sidecar.wrap(transaction))

    def receipt(self, tx_hash: Hash) -> L1Receipt | None:
        """The receipt while the transaction is in the canonical chain."""
        answer = self._call("eth_getTransactionReceipt", _hex(tx_hash))
        if answer is None:
            return None
        return self._parsed(lambda: _l1_receipt(tx_hash, answer))

    def call(self, to: Address, data: bytes) -> bytes:
        """eth_call at the latest block; raises TransactionRefused when it reverts."""
        answer = self._refusable("eth_call", {"to": _hex(to), "data": _hex(data)}, "latest")
        return self._parsed(lambda: _returned(answer))

    def _number(self, method: str, *params: Any) -> int:
        answer = self._call(method, *params)
        return self._parsed(lambda: quantity(answer, method))

    def _call(self, method: str, *params: Any) -> Any:
        try:
            return self._rpc.call(method, *params)
        except RpcError as error:
            raise Temporary(f"{self._rpc.url}: {error}") from error

    def _refusable(self, method: str, *params: Any) -> Any:
        try:
            return self._rpc.call(method, *params)
        except RpcError as error:
            # Other nodes' refusals have a text only (geth core/txpool, ErrAlreadyKnown).
            kind = AlreadyPooled if "already known" in error.message else TransactionRefused
            raise kind(error.message) from error

    def _parsed(self, parse: Callable[[], _V]) -> _V:
        try:
            return parse()
        except MalformedResponse as error:
            raise Temporary(f"{self._rpc.url}: {error}") from error


def _checked_block(answer: Any) -> Block:
    block = block_from_json(answer)
    check_withdrawals(answer, block.header)
    return block


def _l1_receipt(tx_hash: Hash, answer: Any) -> L1Receipt:
    if not isinstance(answer, dict):
        raise MalformedResponse("receipt: an object is expected")
    return L1Receipt(
        transaction_hash=tx_hash,
        block_hash=data(answer.get("blockHash"), "blockHash", 32),
        block_number=quantity(answer.get("blockNumber"), "blockNumber"),
        status=quantity(answer.get("status"), "status"),
        gas_used=quantity(answer.get("gasUsed"), "gasUsed"),
        effective_gas_price=quantity(answer.get("effectiveGasPrice"), "effectiveGasPrice"),
        blob_gas_used=quantity(answer.get("blobGasUsed") or "0x0", "blobGasUsed"),
        blob_gas_price=quantity(answer.get("blobGasPrice") or "0x0", "blobGasPrice"),
    )


def _returned(answer: Any) -> bytes:
    return data(answer, "eth_call")


def _ref(block_hash: Hash, header: Header) -> L1BlockRef:
    return L1BlockRef(block_hash, header.number, header.parent_hash, header.timestamp)


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
