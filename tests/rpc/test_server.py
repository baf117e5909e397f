"""The door itself: what comes that is no request, results that cannot be written, pages of other sites."""

import asyncio
import json

import aiohttp
import pytest
import pytest_asyncio

from rollup.rpc.errors import RpcCannotListen, RpcError
from rollup.rpc.origins import Origins
from rollup.rpc.server import MAX_BATCH, MAX_BODY, RpcServer
from rollup.rpc.subscriptions import Subscriptions
from tests.rpc.caller import Caller, Failed


def _crash(params):
    raise KeyError("secret detail")


def _deep(params):
    value = []
    for _ in range(2000):
        value = [value]
    return value


def _refuse(params):
    raise RpcError("no", -32000, "0x00")


METHODS = {
    "eth_echo": lambda params: params,
    "eth_wide": lambda params: {"value": 2**64},
    "eth_bytes": lambda params: b"\0",
    "eth_deep": _deep,
    "eth_crash": _crash,
    "eth_refuse": _refuse,
    "eth_long": lambda params: "0" * 10_000_000,
}


@pytest_asyncio.fixture
async def door():
    server = RpcServer("test", METHODS, Subscriptions({"newHeads": lambda options: None}))
    port = await server.start("127.0.0.1", 0)
    async with aiohttp.ClientSession() as session:
        yield Caller(session, f"http://127.0.0.1:{port}")
    await server.stop()


def request(method, *params, ident=1, **fields):
    return {"jsonrpc": "2.0", "id": ident, "method": method, "params": list(params), **fields}


async def test_a_host_that_is_none_is_named():
    server = RpcServer("test", METHODS)
    with pytest.raises(RpcCannotListen, match=r"test cannot listen on port 0 of 300\.1\.2\.3: "):
        await server.start("300.1.2.3", 0)


async def test_a_result_that_json_cannot_hold_is_an_error_and_the_connection_lives(door):
    for method in ("eth_wide", "eth_bytes", "eth_deep"):
        error = await door.failure(method)
        assert (error.code, error.message) == (-32603, "method handler crashed")
    assert await door("eth_echo", 1) == [1]
    async with door.websocket() as socket:
        with pytest.raises(Failed, match="method handler crashed"):
            await socket("eth_wide")
        assert await socket("eth_echo", 2) == [2]


async def test_one_bad_result_does_not_spoil_its_batch(door):
    answers = await door.send([request("eth_wide", ident=1), request("eth_echo", 5, ident=2)])
    assert answers[0]["error"]["code"] == -32603
    assert answers[1] == {"jsonrpc": "2.0", "id": 2, "result": [5]}


async def test_a_crash_tells_nothing_of_the_inside(door):
    _, text = await door.raw(json.dumps(request("eth_crash")))
    assert json.loads(text)["error"] == {"code": -32603, "message": "method handler crashed"}


async def test_an_error_of_a_handler_keeps_code_and_data(door):
    error = await door.failure("eth_refuse")
    assert (error.code, error.message, error.data) == (-32000, "no", "0x00")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"nonsense",
        b'{"jsonrpc":"2.0","id":1,"method":"eth_echo","params":[NaN]}',
        b'{"jsonrpc":"2.0","id":1,"method":"eth_echo","params":[Infinity]}',
        b'{"jsonrpc":"2.0","id":1,"method":"eth_echo","params":[1,]}',
        b'{"jsonrpc":"2.0","id":1,"method":"eth_echo","params":["\\ud800"]}',
        b'{"jsonrpc":"2.0","id":1,"method":"eth_echo","params":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"[" * 1_000_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda body: body[:70].decode(errors="replace"),
)
async def test_what_is_not_json_is_a_parse_error(door, body):
    status, text = await door.raw(body)
    assert status == 200
    assert json.loads(text) == {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "parse error"}}


@pytest.mark.parametrize(
    ("body", "ident"),
    [
        (1, None),
        ("eth_echo", None),
        (None, None),
        (True, None),
        ({}, None),
        ({"jsonrpc": "2.0"}, None),
        ({"jsonrpc": "2.0", "id": 3}, 3),
        ({"jsonrpc": "2.0", "id": 3, "method": ""}, 3),
        ({"jsonrpc": "2.0", "id": 3, "method": 5}, 3),
        ({"jsonrpc": "2.0", "id": 3, "method": ["eth_echo"]}, 3),
        ({"id": 3, "method": "eth_echo"}, 3),
        ({"jsonrpc": "1.0", "id": "x", "method": "eth_echo"}, "x"),
        ({"jsonrpc": 2.0, "id": 3, "method": "eth_echo"}, 3),
        ({"jsonrpc": "2.0", "id": {"a": 1}, "method": "eth_echo"}, None),
        ({"jsonrpc": "2.0", "id": [], "method": "eth_echo"}, None),
    ],
    ids=str,
)
async def test_what_is_not_a_request_is_an_invalid_request(door, body, ident):
    expected = {"jsonrpc": "2.0", "id": ident, "error": {"code": -32600, "message": "invalid request"}}
    assert await door.send(body) == expected
    assert await door.send([body, request("eth_echo")]) == [expected, {"jsonrpc": "2.0", "id": 1, "result": []}]


@pytest.mark.parametrize("ident", [0, -1, 1.5, "", "abc", None, 2**53 + 1])
async def test_an_id_comes_back_as_it_was(door, ident):
    assert await door.send(request("eth_echo", ident=ident)) == {"jsonrpc": "2.0", "id": ident, "result": []}


@pytest.mark.parametrize("params", [{}, {"a": 1}, "x", 5, True])
async def test_parameters_by_name_are_refused(door, params):
    answer = await door.send({"jsonrpc": "2.0", "id": 1, "method": "eth_echo", "params": params})
    assert answer["error"] == {"code": -32602, "message": "non-array args"}


async def test_parameters_may_be_absent_or_null(door):
    assert (await door.send({"jsonrpc": "2.0", "id": 1, "method": "eth_echo"}))["result"] == []
    assert (await door.send({"jsonrpc": "2.0", "id": 1, "method": "eth_echo", "params": None}))["result"] == []


async def test_an_unknown_method_in_words_that_ethers_knows(door):
    error = await door.failure("eth_nothing")
    assert (error.code, error.message) == (-32601, "the method eth_nothing does not exist/is not available")


async def test_a_batch_is_answered_in_order_and_equal_ids_each(door):
    answers = await door.send([request("eth_echo", n, ident=9) for n in range(50)])
    assert [answer["result"] for answer in answers] == [[n] for n in range(50)]
    assert {answer["id"] for answer in answers} == {9}


async def test_notifications_are_not_answered(door):
    note = {"jsonrpc": "2.0", "method": "eth_echo", "params": []}
    assert await door.raw(json.dumps(note)) == (200, "")
    assert await door.raw(json.dumps([note, note])) == (200, "")
    assert [answer["id"] for answer in await door.send([note, request("eth_echo", ident=4)])] == [4]


async def test_an_empty_batch_and_one_too_large(door):
    assert await door.send([]) == {
        "jsonrpc": "2.0",
        "id": None,
        "error": {"code": -32600, "message": "empty batch"},
    }
    answers = await door.send([1] + [request("eth_echo", ident=n) for n in range(5, MAX_BATCH + 5)])
    assert answers == [{"jsonrpc": "2.0", "id": 5, "error": {"code": -32600, "message": "batch too large"}}]


async def test_a_batch_with_too_much_to_answer_stops(door):
    answers = await door.send([request("eth_long", ident=n) for n in range(6)])
    assert [answer.get("error", {}).get("code") for answer in answers] == [None, None, None, -32003, -32003, -32003]
    assert answers[5]["error"]["message"] == "response too large"


async def test_a_long_batch_does_not_hold_up_others(door):
    async def quick():
        await asyncio.sleep(0)
        return await door("eth_echo", "quick")

    slow = asyncio.create_task(door.send([request("eth_echo", n) for n in range(MAX_BATCH)]))
    assert await quick() == ["quick"]
    assert len(await slow) == MAX_BATCH


async def test_a_body_over_the_limit_is_refused_and_the_server_goes_on(door):
    status, text = await door.raw(b" " * (MAX_BODY + 1))
    assert status == 413
    assert text == f"content length too large ({MAX_BODY + 1}>{MAX_BODY})"
    assert await door("eth_echo") == []


async def test_a_caller_that_goes_away_in_the_middle_is_no_news(door, caplog):
    port = int(door.url.rsplit(":", 1)[1])
    for sent in (b"POST / HTTP/1.1\r\nHost: x\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        await writer.drain()
        assert await door("eth_echo") == []  # it has been read by now
        writer.transport.abort()
        await writer.wait_closed()
        assert await door("eth_echo") == []
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_subscribing_needs_a_websocket(door):
    error = await door.failure("eth_subscribe", "newHeads")
    assert (error.code, error.message) == (-32601, "notifications not supported")


async def test_defects_over_a_websocket_leave_it_open(door):
    async with door.websocket() as socket:
        for body in ("{", "[]", "5", "\0"):
            await socket.socket.send_str(body)
            answer = json.loads((await socket.socket.receive(timeout=10)).data)
            assert answer["error"]["code"] in (-32700, -32600)
        await socket.socket.send_bytes(json.dumps(request("eth_echo", 3)).encode())
        assert json.loads((await socket.socket.receive(timeout=10)).data)["result"] == [3]


async def test_a_get_says_what_is_spoken_here(door):
    async with door.session.get(door.url) as response:
        assert response.status == 200
        assert "JSON-RPC" in await response.text()


# ---------------------------------------------------------------- origins
LOCAL = [
    "http://localhost",
    "http://localhost:3000",
    "https://localhost:1",
    "http://app.localhost:5173",
    "http://127.0.0.1:8080",
    "http://127.1.2.3",
    "http://[::1]:9000",
    "chrome-extension://nkbihfbeogaeaoehlefnkodbefgpgknn",
    "moz-extension://2f3a",
]
FOREIGN = [
    "https://example.com",
    "http://evil.test:9545",
    "http://localhost.evil.test",
    "http://127.0.0.1.evil.test",
    "http://evil.test#localhost",
    "http://localhost@evil.test",
    "null",
    "",
    "file://",
    "http://10.0.0.1",
    "http://[::2]",
    "http://[",
]


@pytest.mark.parametrize("origin", LOCAL)
async def test_a_page_of_this_machine_may_call(door, origin):
    status, text, headers = await door.exchange(json.dumps(request("eth_echo")), Origin=origin)
    assert (status, json.loads(text)["result"]) == (200, [])
    assert headers["Access-Control-Allow-Origin"] == origin
    async with door.session.options(door.url, headers={"Origin": origin}) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == origin
        assert "content-type" in response.headers["Access-Control-Allow-Headers"]
    async with door.session.ws_connect(door.url, origin=origin) as socket:
        await socket.send_json(request("eth_echo", 1))
        assert (await socket.receive_json())["result"] == [1]


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_page_of_another_site_may_not(door, origin):
    for kind in ("application/json", "text/plain"):
        status, text, headers = await door.exchange(
            json.dumps(request("eth_echo")), Origin=origin, **{"content-type": kind}
        )
        assert status == 403
        assert "not allowed" in text
        assert "Access-Control-Allow-Origin" not in headers
    async with door.session.options(door.url, headers={"Origin": origin}) as response:
        assert response.status == 403
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await door.session.ws_connect(door.url, headers={"Origin": origin})
    assert refused.value.status == 403


async def test_a_program_that_is_no_browser_gets_no_cors_headers(door):
    _, _, headers = await door.exchange(json.dumps(request("eth_echo")))
    assert "Access-Control-Allow-Origin" not in headers


def test_origins_that_the_user_names():
    named = Origins(["https://App.example/"])
    assert named.allows("https://app.example")
    assert named.allows("http://localhost:1")
    assert not named.allows("https://app.example.evil")
    assert Origins(["*"]).allows("https://any.example")
