"""Hostile requests by name. Each is a function that sends it to a port and returns when it has been answered."""

import asyncio
import itertools
import json
import zlib
from collections.abc import Callable

import aiohttp

from rollup.rpc.limits import MAX_BODY

HOSTILE: dict[str, Callable] = {}
TARGET = "0x" + "cc" * 20
ENDLESS_CALLS = "0x5b6000600060006000600460fffa50600056"
JSON_TYPE = {"content-type": "application/json"}


def hostile(function):
    HOSTILE[function.__name__] = function
    return function


class Attacker:
    """A client that does not mind how it is answered. statuses: of HTTP, in the order of the answers."""

    def __init__(self, session, url):
        self.session, self.url = session, url
        self.statuses, self.answers = [], []

    async def post(self, body, **headers):
        """Sends a body; keeps what was answered. A node that hangs up in the middle has answered, too."""
        try:
            async with self.session.post(self.url, data=body, headers=JSON_TYPE | headers) as response:
                self.statuses.append(response.status)
                self.answers.append((await response.read())[:2_000])
        except aiohttp.ClientConnectionError:
            self.statuses.append(0)
            self.answers.append(b"")

    async def call(self, method, *params):
        await self.post(request(method, *params))

    async def connect(self):
        host = self.url.removeprefix("http://").rstrip("/").rsplit(":", 1)
        return await asyncio.open_connection(*host)

    async def head(self):
        async with self.session.post(self.url, data=request("eth_blockNumber"), headers=JSON_TYPE) as response:
            return int((await response.json())["result"], 16)

    async def blocks(self, count):
        """Waits for this many blocks."""
        until = await self.head() + count
        while await self.head() < until:
            await asyncio.sleep(0.1)


def request(method, *params):
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}, separators=(",", ":")).encode()


def addresses(count, start=1):
    return [f"0x{number:040x}" for number in range(start, start + count)]


def largest(text, filling, end):
    """The largest body that a port takes, made of `text`, repeated `filling`, and `end`."""
    room = MAX_BODY - len(text) - len(end) - 1
    return text + (filling * (room // len(filling))).rstrip(b",") + end


def override(code):
    return [{"to": TARGET}, "latest", {TARGET: {"code": code}}]


# ---------------------------------------------------------------- logs
@hostile
async def a_filter_of_600_000_addresses(attacker):
    await attacker.call("eth_newFilter", {"address": addresses(600_000)})
    await attacker.blocks(2)


@hostile
async def a_search_for_600_000_addresses(attacker):
    await attacker.call("eth_getLogs", {"fromBlock": "0x0", "address": addresses(600_000)})


@hostile
async def filters_of_the_largest_body(attacker):
    item = {"address": addresses(115_000)}
    for method in ("eth_newFilter", "eth_getLogs"):
        await attacker.call(method, item)
    await attacker.call("eth_getLogs", {"topics": [[f"0x{number:064x}" for number in range(75_000)]]})


@hostile
async def a_hundred_filters_of_1_000_addresses(attacker):
    for _ in range(100):
        await attacker.call("eth_newFilter", {"fromBlock": "0x0", "address": addresses(1_000)})
    idents = [json.loads(answer)["result"] for answer in attacker.answers if answer]
    await attacker.blocks(2)
    await asyncio.gather(*(attacker.call("eth_getFilterChanges", ident) for ident in idents))
    await asyncio.gather(*(attacker.call("eth_getFilterLogs", ident) for ident in idents))
    await asyncio.gather(*(attacker.call("eth_uninstallFilter", ident) for ident in idents))


# ---------------------------------------------------------------- calls
@hostile
async def a_call_with_4_MB_of_code(attacker):
    await attacker.call("eth_call", *override("0x" + "5b" * 2_000_000))
    await attacker.call("eth_call", *override("0x" + "5b" * 4_000_000))


@hostile
async def a_call_with_15_MB_of_code(attacker):
    await attacker.call("eth_call", *override("0x" + "5b" * 15_500_000))


@hostile
async def three_hundred_distinct_codes(attacker):
    for number in range(300):
        await attacker.call("eth_call", *override("0x" + f"61{number:04x}50" + "5b" * 24_000))


@hostile
async def the_largest_code_that_a_call_may_have(attacker):
    for number in range(10):
        await attacker.call("eth_call", *override("0x" + f"61{number:04x}50" + "5b" * 262_140))


@hostile
async def a_batch_of_five_endless_calls(attacker):
    call = json.loads(request("eth_call", *override(ENDLESS_CALLS)))
    await attacker.post(json.dumps([call] * 5))


@hostile
async def twenty_endless_calls_at_once(attacker):
    await asyncio.gather(*(attacker.call("eth_call", *override(ENDLESS_CALLS)) for _ in range(20)))


# ---------------------------------------------------------------- reading
@hostile
async def fee_history_with_20_000_percentiles(attacker):
    await attacker.call("eth_feeHistory", "0x400", "latest", [0] * 20_000)


@hostile
async def fee_histories_at_their_bounds(attacker):
    await asyncio.gather(*(attacker.call("eth_feeHistory", "0x400", "latest", [50] * 100) for _ in range(50)))


@hostile
async def keys_that_are_no_keys(attacker):
    for key in (None, [], 1, "0xasdf", "0x" + "00" * 33, {}):
        await attacker.call("eth_getProof", TARGET, [key], "latest")
        await attacker.call("eth_getStorageAt", TARGET, key, "latest")
        await attacker.call("debug_dbGet", key)
    await attacker.call("debug_dbGet", "0x")
    assert not any(b"-32603" in answer for answer in attacker.answers)


# ---------------------------------------------------------------- bodies
@hostile
async def bodies_that_are_not_compressed_as_they_say(attacker):
    for encoding in ("gzip", "br", "deflate"):
        await attacker.post(b"0123456789", **{"content-encoding": encoding})
    assert set(attacker.statuses) == {400}


@hostile
async def a_body_that_is_400_MB_when_decompressed(attacker):
    bomb = zlib.compressobj(wbits=31)
    whole = b"".join(bomb.compress(bytes(1_000_000)) for _ in range(400)) + bomb.flush()
    await attacker.post(whole, **{"content-encoding": "gzip"})


@hostile
async def nested_json(attacker):
    for size in (5_000_000, 2_600_000):
        await attacker.post(b"[" * size + b"]" * size)
    await attacker.post(b'{"a":' * 1_000_000)


@hostile
async def the_largest_bodies_of_many_small_values(attacker):
    start, end = b'{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[', b"]}"
    for filling in (b"1,", b'"",', b"{},", b"[],", b"1.5,", b'{"":{}},', b'{"a":1},'):
        await attacker.post(largest(start, filling, end))
        await attacker.post(largest(b"[", filling, b"]"))


@hostile
async def ids_that_are_no_numbers_of_64_bits(attacker):
    end = b"]}"
    for filling in (b"1,", b"[],", b"1.5,"):
        start = b'{"jsonrpc":"2.0","id":123456789012345678901,"method":"eth_call","params":['
        await attacker.post(largest(start, filling, end))


@hostile
async def the_largest_answers(attacker):
    """Strings that come back in an error, and an id of 5 MB."""
    text = "x" * (MAX_BODY - 200)
    await attacker.call(text)
    await attacker.post(json.dumps({"jsonrpc": "2.0", "id": text, "method": "eth_blockNumber"}))
    await attacker.call("web3_sha3", "0x" + "00" * (MAX_BODY // 2 - 200))
    call = json.loads(request("eth_getBlockByNumber", "latest", True))
    await attacker.post(json.dumps([call] * 1_000))


@hostile
async def half_sent_bodies(attacker):
    head = f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {MAX_BODY}\r\n\r\n".encode()
    writers = []
    for _ in range(60):
        _, writer = await attacker.connect()
        writers.append(writer)
        writer.write(head + bytes(MAX_BODY - 1))
    await asyncio.sleep(3)
    for writer in writers:
        writer.transport.abort()


# ---------------------------------------------------------------- connections
@hostile
async def eleven_hundred_idle_connections(attacker):
    writers = [(await attacker.connect())[1] for _ in range(1_100)]
    await attacker.blocks(2)
    for writer in writers:
        writer.transport.abort()


@hostile
async def half_sent_websocket_messages(attacker):
    """A fragment without its end: what it has brought stays with the connection."""
    writers = []
    for _ in range(256):
        _, writer = await websocket(attacker)
        writers.append(writer)
        writer.write(frame(bytes(MAX_BODY - 100), is_final=False))
    await asyncio.sleep(3)
    for writer in writers:
        writer.transport.abort()


@hostile
async def fifty_websockets_with_1_000_subscriptions_each(attacker):
    sockets = []
    for number in range(50):
        socket = await attacker.session.ws_connect(attacker.url, max_msg_size=0)
        sockets.append(socket)
        topics = [["newHeads"], ["logs", {"address": addresses(2, number)}], ["logs", {}]]
        calls = [json.loads(request("eth_subscribe", *topics[index % 3])) for index in range(1_000)]
        await socket.send_str(json.dumps(calls))
    readers = [asyncio.create_task(drain(socket)) for socket in sockets]
    await attacker.blocks(3)
    for socket in sockets:
        await socket.close()
    await asyncio.gather(*readers)


@hostile
async def readers_that_do_not_read(attacker):
    """Subscriptions whose notifications nobody takes, and large answers that nobody takes."""
    writers = []
    for _ in range(200):
        _, writer = await websocket(attacker)
        writers.append(writer)
        calls = [json.loads(request("eth_subscribe", "newHeads"))] * 40
        writer.write(frame(json.dumps(calls).encode()))
    batch = json.dumps([json.loads(request("eth_getBlockByNumber", "latest", True))] * 1_000).encode()
    for _ in range(20):
        _, writer = await attacker.connect()
        writers.append(writer)
        writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (len(batch), batch))
    await attacker.blocks(3)
    for writer in writers:
        writer.transport.abort()


async def drain(socket):
    async for _ in socket:
        pass


async def websocket(attacker):
    """A WebSocket whose reader is never called, so that what comes is not taken."""
    reader, writer = await attacker.connect()
    writer.write(
        b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


def frame(payload, *, is_final=True, opcode=1):
    """A frame, of text if not said otherwise (RFC 6455, 5.2), masked with zeros."""
    size = len(payload)
    if size < 1 << 16:
        length = bytes((0x80 | 126,)) + size.to_bytes(2, "big")
    else:
        length = bytes((0x80 | 127,)) + size.to_bytes(8, "big")
    assert size > 125
    return bytes((0x80 | opcode if is_final else opcode,)) + length + bytes(4) + payload


async def send(name, url, *, again=False):
    """Sends a hostile request; with again, over and over until the node is gone."""
    timeout = aiohttp.ClientTimeout(total=None)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        for _ in itertools.count() if again else range(1):
            attacker = Attacker(session, url)
            await HOSTILE[name](attacker)
            assert attacker.statuses.count(500) == 0
