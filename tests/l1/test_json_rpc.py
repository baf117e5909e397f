"""The HTTP transport: a few tries, then Temporary; errors that are answers are passed on."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from derivation.errors import Temporary
from rollup.l1.json_rpc import HttpEndpoint, JsonRpcClient, RpcError


class Script:
    """Answers in order and then always the last one; keeps the requests."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self.requests: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""

    def next(self) -> tuple[int, bytes]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def script() -> Iterator[Script]:
    script = Script()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(self.path)

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, request: Any) -> None:
            script.requests.append(request)
            script.headers.append(dict(self.headers))
            status, body = script.next()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    script.url = f"http://127.0.0.1:{http.server_port}"
    yield script
    http.shutdown()
    http.server_close()
    thread.join()


def result(value: Any, number: int = 1) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": number, "result": value}).encode()


def client(script: Script, pauses: list[float] | None = None, tries: int = 3) -> JsonRpcClient:
    slept = pauses if pauses is not None else []
    return JsonRpcClient(HttpEndpoint(script.url, timeout=5, tries=tries, pause=0.25, sleep=slept.append))


def test_a_call_is_json_rpc_2(script: Script):
    script.answers = [(200, result("0x1"))]
    assert client(script).call("eth_chainId", 1, True) == "0x1"
    assert script.requests == [{"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": [1, True]}]


def test_a_busy_node_is_asked_again_after_growing_pauses(script: Script):
    script.answers = [(503, b"busy"), (429, b""), (200, result("0x1"))]
    pauses: list[float] = []
    assert client(script, pauses).call("eth_chainId") == "0x1"
    assert pauses == [0.25, 0.5]


@pytest.mark.parametrize("answer", [(503, b"busy"), (200, b"<html>"), (200, b""), (502, b"{")])
def test_a_node_that_never_answers_is_temporary_after_a_few_tries(script: Script, answer: tuple[int, bytes]):
    script.answers = [answer]
    with pytest.raises(Temporary, match="does not answer"):
        client(script).call("eth_chainId")
    assert len(script.requests) == 3


def test_no_node_at_all_is_temporary(script: Script):
    endpoint = HttpEndpoint("http://127.0.0.1:1", timeout=1, tries=2, sleep=lambda seconds: None)
    with pytest.raises(Temporary, match="does not answer"):
        JsonRpcClient(endpoint).call("eth_chainId")


@pytest.mark.parametrize("status", [200, 400, 429, 500])
def test_an_error_object_is_an_answer_whatever_the_status(script: Script, status: int):
    error = {"code": -32000, "message": "nonce too low", "data": "0x01"}
    script.answers = [(status, json.dumps({"jsonrpc": "2.0", "id": 1, "error": error}).encode())]
    with pytest.raises(RpcError, match="eth_call: nonce too low") as caught:
        client(script).call("eth_call")
    assert (caught.value.code, caught.value.data) == (-32000, "0x01")
    assert len(script.requests) == 1


@pytest.mark.parametrize("body", [b"[]", b"5", b"null", b'{"jsonrpc":"2.0","id":1}', b'"text"'])
def test_json_that_is_not_an_answer_is_a_temporary_error(script: Script, body: bytes):
    script.answers = [(200, body)]
    with pytest.raises(Temporary):
        client(script).call("eth_chainId")


def test_a_batch_is_put_in_order_by_its_ids(script: Script):
    answers = [json.loads(result(f"0x{number}", number)) for number in (3, 1, 2)]
    script.answers = [(200, json.dumps(answers).encode())]
    assert client(script).batch("eth_getTransactionReceipt", [["a"], ["b"], ["c"]]) == ["0x1", "0x2", "0x3"]
    assert len(script.requests) == 1
    assert client(script).batch("eth_getTransactionReceipt", []) == []


def test_a_batch_with_a_hole_or_refused_as_a_whole_is_no_success(script: Script):
    script.answers = [(200, json.dumps([json.loads(result("0x1", 1))]).encode())]
    with pytest.raises(Temporary):
        client(script).batch("eth_getTransactionReceipt", [["a"], ["b"]])
    script.answers = [(200, json.dumps({"id": None, "error": {"code": -32600, "message": "no batches"}}).encode())]
    with pytest.raises(RpcError, match="no batches"):
        client(script).batch("eth_getTransactionReceipt", [["a"], ["b"]])


def test_get_gives_the_status_and_tries_again_only_when_that_may_help(script: Script):
    script.answers = [(404, b"")]
    endpoint = HttpEndpoint(script.url + "/", tries=3, sleep=lambda seconds: None)
    assert endpoint.get("/eth/v1/x", [("h", "1"), ("h", "2")]) == (404, None)
    assert script.requests == ["/eth/v1/x?h=1&h=2"]
    script.answers = [(503, b'{"code":503}')]
    with pytest.raises(Temporary):
        endpoint.get("/eth/v1/x")
    assert len(script.requests) == 4


def test_user_and_password_go_into_a_header_and_not_into_messages(script: Script):
    script.answers = [(503, b"")]
    url = script.url.replace("http://", "http://user:secret@")
    with pytest.raises(Temporary) as caught:
        HttpEndpoint(url, tries=1).post({})
    assert script.headers[0]["authorization"] == "Basic dXNlcjpzZWNyZXQ="
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "127.0.0.1:8545", "ws://127.0.0.1:8546", "http://", "ipc.sock", "http://[::1"])
def test_a_url_that_is_not_http_is_refused_at_once(url: str):
    with pytest.raises(ValueError):
        HttpEndpoint(url)
