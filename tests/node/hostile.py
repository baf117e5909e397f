"""Hostile requests by name. Each is a function that sends it to a port and returns when it has been answered."""

import asyncio
import itertools
import json
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
        """Waits for so many blocks."""
        until = await self.head() + count
        while await self.head() < until:
            await asyncio.sleep(0.1)


def request(method, *params):
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}, separators=(",", ":")).encode()


def addresses(count, start=1):
    return [f"0x{number:040x}" for number in range(start, start + count)]


def largest(text, filling, end):
    """As large a body as a port takes."""
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


# ---------------------------------------------------------------- calls
@hostile
async def a_call_with_4_MB_of_code(attacker):
    await attacker.call("eth_call", *override("0x" + "5b" * 2_000_000))
    await attacker.call("eth_call", *override("0x" + "5b" * 4_000_000))


@hostile
async def a_call_with_15_MB_of_code(attacker):
    await attacker.call("eth_call", *override("0x" + "5b" * 15_500_000))


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
