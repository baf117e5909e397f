"""The door itself: bodies that are not requests, results that cannot be written, connections."""

import asyncio
import gzip
import json
from collections import Counter
from contextlib import suppress

import aiohttp
import pytest

from rollup.cooperative import is_in_turns, pause
from rollup.rpc.limits import LARGE_BODY, MAX_BATCH, MAX_BODY, MAX_VALUES
from rollup.rpc.listener import connections_per_port
from rollup.rpc.methods import changes_chain
from rollup.rpc.request_text import parse_request
from rollup.rpc.server import RpcServer
from tests.rpc.caller import Caller, Failed
from tests.rpc.door_methods import METHODS, request


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
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda body: body[:70].decode(errors="replace"),
)
async def test_text_that_is_not_json_is_a_parse_error(door, body):
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
async def test_json_that_is_not_a_request_is_an_invalid_request(door, body, ident):
    expected = {"jsonrpc": "2.0", "id": ident, "error": {"code": -32600, "message": "invalid request"}}
    assert await door.send(body) == expected
    assert await door.send([body, request("eth_echo")]) == [expected, {"jsonrpc": "2.0", "id": 1, "result": []}]


@pytest.mark.parametrize("ident", [0, -1, 1.5, "", "abc", None, 2**53 + 1, 2**64 - 1])
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


@pytest.mark.parametrize("value", ["1", "[]", "{}", '{"":{}}', "[[[[]]]]", '"a,b"'])
async def test_a_request_of_too_many_values_is_refused_before_it_is_read(door, value, monkeypatch):
    count = MAX_VALUES // (value.count(",") + value.count("[") + value.count("{") + 1)
    text = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_echo", "params": ["@"]})
    within, beyond = (text.replace('"@"', ",".join([value] * number)) for number in (count - 9, count + 9))
    assert "error" not in json.loads((await door.raw(within))[1])
    monkeypatch.setattr("rollup.rpc.request_text.orjson.loads", None)
    error = json.loads((await door.raw(beyond))[1])["error"]
    assert error == {"code": -32700, "message": f"request has more than {MAX_VALUES} values"}


async def test_large_bodies_are_read_in_turns_and_small_ones_at_once(door, monkeypatch):
    seen = []

    def parse(body):
        seen.append(is_in_turns())
        return parse_request(body)

    monkeypatch.setattr("rollup.rpc.dispatch.parse_request", parse)
    for size in (10, LARGE_BODY + 1):
        assert await door("eth_echo", "x" * size) == ["x" * size]
    assert seen == [False, True]


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


IDENTS = ["123456789012345678901", "-123456789012345678901", "1e400", "1.50", "1" * 300, "0.1", "1E2"]


@pytest.mark.parametrize("ident", IDENTS, ids=[ident[:30] for ident in IDENTS])
async def test_an_id_comes_back_in_the_digits_it_was_written_in(door, ident):
    one = f'{{"jsonrpc":"2.0","id":{ident},"method":"eth_echo","params":[1.5]}}'
    status, text = await door.raw(one)
    if ident == "1e400":  # no JSON number of any reader of ours
        assert json.loads(text)["error"]["code"] == -32700
        return
    assert (status, text) == (200, f'{{"jsonrpc":"2.0","id":{ident},"result":[1.5]}}')
    other = one.replace("eth_echo", "eth_refuse")
    _, text = await door.raw(f"[{one},5,{other}]")
    assert text.count(f'"id":{ident},') == 2


async def test_an_unknown_method_is_looked_up_before_its_parameters_are_read(door):
    answer = await door.send({"jsonrpc": "2.0", "id": 1, "method": "wallet_watchAsset", "params": {}})
    assert answer["error"]["code"] == -32601


@pytest.mark.parametrize("path", ["/", "/any/path?x=1", "/%0d%0a", "//", "/%00", "/%ff", "/../.."])
async def test_a_post_to_any_path_is_answered(door, path):
    port = int(door.url.rsplit(":", 1)[1])
    body = json.dumps(request("eth_echo", 1)).encode()
    answer = await spoken(
        port, b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (path.encode(), len(body), body)
    )
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b'{"jsonrpc":"2.0","id":1,"result":[1]}')


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
async def test_other_http_methods_are_refused(door, method):
    async with door.session.request(method, door.url) as response:
        assert response.status == 405


async def spoken(port, sent):
    """The port's answer to these bytes. It ends when the port closes the connection or is silent for 0.3 s."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    answer = b""
    with suppress(TimeoutError, ConnectionError):
        while part := await asyncio.wait_for(reader.read(65_536), 0.3):
            answer += part
            if b"\r\n\r\n" in answer and answer.endswith((b"}", b"\n")):
                break
    writer.transport.abort()
    return answer


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "x"])
@pytest.mark.parametrize("body", [b"0123456789", b"", gzip.compress(b"{}" * 500, mtime=0)[:-9], b"\x1f\x8b"])
async def test_a_body_that_is_not_what_its_encoding_says_is_a_bad_request(door, caplog, encoding, body):
    status, text = await door.raw(body, **{"content-encoding": encoding})
    assert status == 400 or json.loads(text)["error"]["code"] == -32700
    assert status == 400 or encoding == "x" or body != b"0123456789"
    assert caplog.records == []
    assert await door("eth_echo") == []


async def test_a_body_that_unpacks_to_more_than_the_limit_is_refused(door):
    status, _ = await door.raw(gzip.compress(b" " * (MAX_BODY + 1)), **{"content-encoding": "gzip"})
    assert status == 413


@pytest.mark.parametrize(("host", "status"), [("localhost", 413), ("other.example", 403)])
async def test_others_have_turns_while_a_refused_body_is_unpacked(monkeypatch, host, status):
    read_at = Counter()  # bytes by the others' turn
    turn, readany = 0, aiohttp.StreamReader.readany

    async def counted(stream):
        piece = await readany(stream)
        read_at[turn] += len(piece)
        return piece

    async def others():
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    server = RpcServer("test", METHODS, max_body=100)
    reader, writer = await asyncio.open_connection("127.0.0.1", await server.start("127.0.0.1", 0))
    size = 8 * 2**20
    bomb = gzip.compress(bytes(size), mtime=0)
    call = json.dumps(request("eth_echo", 1)).encode()
    head = b"POST / HTTP/1.1\r\nHost: %b\r\nContent-Length: %d\r\n"
    monkeypatch.setattr("aiohttp.StreamReader.readany", counted)
    task = asyncio.create_task(others())
    writer.write(head % (host.encode(), len(bomb)) + b"Content-Encoding: gzip\r\n\r\n" + bomb)
    writer.write(head % (b"localhost", len(call)) + b"\r\n" + call)
    answer = await reader.readuntil(b'{"jsonrpc":"2.0","id":1,"result":[1]}')
    task.cancel()
    writer.close()
    await server.stop()
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert sum(read_at.values()) > size / 2
    assert max(read_at.values()) <= 2**20


async def test_a_body_whose_rest_does_not_come_ends_its_connection(door, monkeypatch):
    monkeypatch.setattr("rollup.rpc.body.SKIP_SECONDS", 0)
    head = b"POST / HTTP/1.1\r\nHost: other.example\r\nContent-Length: 9\r\n\r\n{"
    reader, writer = await asyncio.open_connection("127.0.0.1", int(door.url.rsplit(":", 1)[1]))
    writer.write(head)
    assert (await reader.read()).startswith(b"HTTP/1.1 403 ")
    writer.close()


MALFORMED = [
    b"\r\n\r\n",
    b"nonsense\r\n\r\n",
    b"POST / HTTP/9.9\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nA: " + b"b" * 100_000 + b"\r\n\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00",
    b"\0" * 300,
    b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n12345",
]


@pytest.mark.parametrize("sent", MALFORMED, ids=[str(sent[:40]) for sent in MALFORMED])
async def test_bytes_that_are_not_http_leave_no_traceback(door, caplog, capfd, sent):
    answer = await spoken(int(door.url.rsplit(":", 1)[1]), sent)
    assert answer == b"" or answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 ", b"HTTP/1.1 413 "))
    assert [record.getMessage() for record in caplog.records] == []
    assert "Traceback" not in "".join(capfd.readouterr())
    assert await door("eth_echo") == []


# ---------------------------------------------------------------- connections
async def test_an_idle_connection_makes_room_for_a_new_one(monkeypatch):
    monkeypatch.setattr("rollup.rpc.listener.MAX_CONNECTIONS", 5)
    server = RpcServer("test", METHODS)
    port = await server.start("127.0.0.1", 0)
    idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(20)]
    try:
        async with aiohttp.ClientSession() as session:
            assert await Caller(session, f"http://127.0.0.1:{port}")("eth_echo", 1) == [1]
        closed = [await asyncio.wait_for(reader.read(), 5) for reader, _ in idle[:15]]
        assert closed == [b""] * 15
    finally:
        for _, writer in idle:
            writer.transport.abort()
        await server.stop()


async def test_busy_connections_are_kept_and_the_one_too_many_is_told(monkeypatch):
    monkeypatch.setattr("rollup.rpc.listener.MAX_CONNECTIONS", 2)
    release = asyncio.Event()

    async def wait(params):
        await release.wait()
        return params

    server = RpcServer("test", {"eth_wait": wait})
    port = await server.start("127.0.0.1", 0)
    async with aiohttp.ClientSession() as session:
        caller = Caller(session, f"http://127.0.0.1:{port}")
        busy = [asyncio.create_task(caller("eth_wait", number)) for number in range(2)]
        while len(server._busy) < 2:
            await asyncio.sleep(0)
        answer = await spoken(port, b"")
        assert answer.startswith(b"HTTP/1.1 503 ")
        release.set()
        assert await asyncio.gather(*busy) == [[0], [1]]
    await server.stop()


async def test_websockets_are_bounded(door, monkeypatch):
    monkeypatch.setattr("rollup.rpc.server.MAX_WEBSOCKETS", 2)
    async with door.websocket() as one, door.websocket():
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await door.session.ws_connect(door.url)
        assert refused.value.status == 503
        assert await one("eth_echo", 1) == [1]
    async with door.websocket() as one:
        assert await one("eth_echo", 1) == [1]


async def test_a_body_that_does_not_come_is_given_up(door, monkeypatch):
    monkeypatch.setattr("rollup.rpc.body.READ_SECONDS", 0)
    port = int(door.url.rsplit(":", 1)[1])
    answer = await spoken(port, b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
    assert b"did not come in time" in answer
    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_of_large_bodies_only_so_many_are_read_at_once(monkeypatch):
    monkeypatch.setattr("rollup.rpc.server.MAX_LARGE_BODIES", 1)
    server = RpcServer("test", METHODS)
    port = await server.start("127.0.0.1", 0)
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (2 * LARGE_BODY)
    _, holding = await asyncio.open_connection("127.0.0.1", port)
    holding.write(head + b" " * (LARGE_BODY + 1))
    while not server._large_bodies.locked():
        await asyncio.sleep(0)
    async with aiohttp.ClientSession() as session:
        caller = Caller(session, f"http://127.0.0.1:{port}")
        large = asyncio.create_task(caller("eth_echo", "x" * LARGE_BODY))
        assert await caller("eth_echo", 1) == [1]
        assert not large.done()
        holding.transport.abort()
        assert (await large)[0] == "x" * LARGE_BODY
    await server.stop()


def test_connections_fit_the_descriptors_of_the_process(monkeypatch):
    limits = []
    monkeypatch.setattr("resource.setrlimit", lambda which, pair: limits.append(pair))
    for soft, hard, most in ((1_024, 1_024, 137), (1_024, 4_096, 649), (256, 2**20, 1_024), (-1, -1, 1_024), (9, 9, 1)):
        monkeypatch.setattr("resource.getrlimit", lambda which, pair=(soft, hard): pair)
        assert connections_per_port() == most
        assert 6 * most + 200 <= max(hard, 206) or hard == -1
    assert [soft for soft, _ in limits] == [1_024, 4_096, 6_344, 9]


async def test_connections_that_cannot_be_accepted_are_one_line_in_ten_seconds(capsys, door):
    loop = asyncio.get_running_loop()
    report = loop.get_exception_handler()
    for _ in range(1_000):
        report(loop, {"message": "socket.accept() out of system resource", "exception": OSError(24, "too many")})
    printed = "".join(capsys.readouterr())
    assert printed.count("connections cannot be accepted") == 1
    assert "Traceback" not in printed


async def test_a_client_that_disconnects_early_is_not_logged_as_an_error(door, caplog):
    port = int(door.url.rsplit(":", 1)[1])
    for sent in (
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{",
    ):
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


async def test_a_get_names_the_endpoint(door):
    async with door.session.get(door.url) as response:
        assert response.status == 200
        assert "JSON-RPC" in await response.text()


async def test_stopping_ends_what_changes_a_chain_at_its_next_check_point():
    begun, ended = asyncio.Event(), []

    @changes_chain
    def build(params):
        begun.set()
        try:
            while True:
                pause()
        finally:
            ended.append(True)

    server = RpcServer("engine", {"engine_build": build})
    port = await server.start("127.0.0.1", 0)
    async with aiohttp.ClientSession() as session:
        call = asyncio.create_task(session.post(f"http://127.0.0.1:{port}", json=request("engine_build")))
        await begun.wait()
        await server.stop()
        assert ended == [True]
        await asyncio.gather(call, return_exceptions=True)
