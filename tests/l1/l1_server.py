"""A mock L1 behind real HTTP: JSON-RPC and beacon paths on one port, for the L1 clients to talk to.

Deliberately apart from rollup.rpc: a second writer of the same JSON. `tamper` lets a test lie.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from rollup.l1.beacon import BeaconApi, BeaconBadRequest, BeaconNotFound
from rollup.l1.client import LocalL1Client
from rollup.l1.l1_client import TransactionRefused
from rollup.l1.miner import MockL1
from rollup.protocol.block import Block
from tests.l1.rpc_json import block_json, h, receipts_json


class ServerError(Exception):
    """An error object to answer with."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class L1Server:
    """An L1 node over HTTP that a test can tamper with. It keeps the names of the methods it was asked."""

    def __init__(self, l1: MockL1) -> None:
        self.l1 = l1
        self.client = LocalL1Client(l1)
        self.beacon = BeaconApi(l1)
        self.asked: list[str] = []
        self.tamper: Callable[[str, Any], Any] = lambda method, answer: answer
        self.missing: set[str] = set()  # methods and beacon paths this node does not have
        self.url = ""

    def answer(self, method: str, params: list[Any]) -> Any:
        self.asked.append(method)
        if method in self.missing:
            raise ServerError(-32601, f"the method {method} does not exist/is not available")
        return self.tamper(method, getattr(self, "_" + method)(*params))

    def get(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        self.asked.append(path)
        if any(path.startswith(item) for item in self.missing):
            return 404, {"code": 404, "message": "no such path"}
        routes: dict[str, Callable[[], Any]] = {
            "/eth/v1/beacon/genesis": self.beacon.genesis,
            "/eth/v1/config/spec": self.beacon.spec,
        }
        name, _, slot = path.rpartition("/")
        try:
            if path in routes:
                return 200, self.tamper(path, routes[path]())
            if name == "/eth/v1/beacon/blobs":
                return 200, self.tamper(name, self.beacon.blobs(slot, query.get("versioned_hashes", [])))
            if name == "/eth/v1/beacon/blob_sidecars":
                return 200, self.tamper(name, self.beacon.blob_sidecars(slot, query.get("indices", [])))
        except BeaconNotFound as error:
            return 404, {"code": 404, "message": str(error)}
        except BeaconBadRequest as error:
            return 400, {"code": 400, "message": str(error)}
        return 404, None

    def _block(self, tag: str) -> Block | None:
        chain = self.l1.chain
        named = {"latest": chain.head, "safe": chain.safe, "finalized": chain.finalized}
        return named[tag] if tag in named else chain.block_by_number(int(tag, 16))

    def _eth_chainId(self) -> Any:
        return hex(self.l1.config.chain_id)

    def _eth_getBlockByNumber(self, tag: str, full: bool) -> Any:
        block = self._block(tag)
        return block_json(block, full) if block is not None else None

    def _eth_getBlockByHash(self, block_hash: str, full: bool) -> Any:
        block = self.l1.chain.block(bytes.fromhex(block_hash[2:]))
        return block_json(block, full) if block is not None else None

    def _eth_getBlockReceipts(self, block_hash: str) -> Any:
        block = self.l1.chain.block(bytes.fromhex(block_hash[2:]))
        return receipts_json(block, self.l1.chain.receipts(block.hash) or []) if block is not None else None

    def _eth_getTransactionReceipt(self, tx_hash: str) -> Any:
        found = self.client.receipt(bytes.fromhex(tx_hash[2:]))
        if found is None:
            return None
        every = self._eth_getBlockReceipts(h(found.block_hash))
        mine = next(item for item in every if item["transactionHash"] == tx_hash)
        if found.blob_gas_used:
            mine |= {"blobGasUsed": hex(found.blob_gas_used), "blobGasPrice": hex(found.blob_gas_price)}
        return mine

    def _eth_getTransactionCount(self, address: str, tag: str) -> Any:
        raw = bytes.fromhex(address[2:])
        return hex(self.client.pending_nonce(raw) if tag == "pending" else self.client.nonce(raw))

    def _eth_feeHistory(self, count: str, newest: str, percentiles: list[float]) -> Any:
        head = self.l1.chain.head
        fees = [hex(head.header.base_fee_per_gas or 0), hex(self.client.base_fee())]
        return {"oldestBlock": hex(head.number), "baseFeePerGas": fees}

    def _eth_blobBaseFee(self) -> Any:
        price = self.client.blob_base_fee()
        return None if price is None else hex(price)

    def _eth_maxPriorityFeePerGas(self) -> Any:
        return hex(self.client.suggested_tip())

    def _eth_sendRawTransaction(self, raw: str) -> Any:
        try:
            return h(self.client.send_raw_transaction(bytes.fromhex(raw[2:])))
        except TransactionRefused as error:
            raise ServerError(-32000, str(error)) from error

    def _eth_call(self, request: dict[str, str], tag: str) -> Any:
        try:
            return h(self.client.call(bytes.fromhex(request["to"][2:]), bytes.fromhex(request["data"][2:])))
        except TransactionRefused as error:
            raise ServerError(3, str(error)) from error


@contextmanager
def serve(server: L1Server) -> Iterator[L1Server]:
    """Runs it on a free port of this machine; the address is in server.url."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server))
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_port}"
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def _handler(server: L1Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self._send(*server.get(parts.path, parse_qs(parts.query)))

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            many = isinstance(request, list)
            answers = [_answered(server, item) for item in (request if many else [request])]
            self._send(200, answers if many else answers[0])

        def _send(self, status: int, value: Any) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


def _answered(server: L1Server, request: dict[str, Any]) -> dict[str, Any]:
    head = {"jsonrpc": "2.0", "id": request["id"]}
    try:
        return head | {"result": server.answer(request["method"], request["params"])}
    except ServerError as error:
        return head | {"error": {"code": error.code, "message": str(error)}}
