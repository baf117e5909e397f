"""The program of a front process, which `rollup.rpc.front.fronts` starts.

Its standard input is the channel (wire.py). It ends when the node's end of the channel is closed, so it cannot outlive
the node.
"""

import asyncio
import gc
import socket
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from rollup.protocol.prepared import Prepared, prepare
from rollup.rpc.answers import TOO_MANY_CONNECTIONS
from rollup.rpc.front.client import Client
from rollup.rpc.front.http import Head, Responses, read_head
from rollup.rpc.front.sends import Answer, Sends, read_sends
from rollup.rpc.front.wire import READ_SIZE, Channel, Handles, Kind
from rollup.rpc.hosts import Hosts
from rollup.rpc.idle import longest_idle

_SLICE_SECONDS = 0.003  # that transactions are worked out before others are served
_CHECK_SECONDS = 1.0
_MAX_HEADS = 1_024  # read heads that are remembered: a client's requests often begin alike
_NUMBERS = 2**32
# Of new objects that are not freed, by generation. The objects of transactions in work are freed without the collector.
_GC_THRESHOLDS = 50_000, 10, 10
# So many transactions go to the node in a second message before the first is answered, so that it never waits for
# them. Fewer wait for the answer, because each message has a cost of its own.
_WORTH_A_SECOND = 64


@dataclass(slots=True)
class Job:
    """The transactions of one body, and what was worked out of them so far."""

    client: Client
    sends: Sends
    prepared: list[Prepared | None] = field(default_factory=list)


class Front:
    """The clients of one front process."""

    def __init__(self, handles: socket.socket) -> None:
        """handles: this end of the pair that carries connections."""
        self._channel = Channel(self._on_message, self._on_end)
        self._handles = Handles(handles, self._on_handle)
        self._ended = asyncio.get_running_loop().create_future()
        self._hosts, self._responses = Hosts(), Responses("")
        self._heads: dict[bytes, Head] = {}
        self._clients: dict[Client, None] = {}  # in order of their coming
        self._to_prepare: deque[Job] = deque()
        self._to_send: list[Job] = []
        self._sent: deque[list[Job]] = deque()  # whose answers the node owes
        self._is_preparing = self._sends_soon = False
        self._callers: dict[int, Client] = {}
        self._calls: dict[Client, int] = {}
        self._next_number = 0
        self._opening: set[asyncio.Future[Any]] = set()
        self.buffer = memoryview(bytearray(READ_SIZE))

    async def run(self, channel: socket.socket) -> None:
        """Serves until the node is gone."""
        loop = asyncio.get_running_loop()
        await loop.create_unix_connection(lambda: self._channel, sock=channel)
        while not self._ended.done():
            now = loop.time()
            for client in list(self._clients):
                client.check(now)
            await asyncio.wait((self._ended,), timeout=_CHECK_SECONDS)

    # ------------------------------------------------------------ the desk of the connections
    def read_head(self, head: bytes) -> Head | None:
        """The request that begins like this; None where the node must read it."""
        known = self._heads.get(head)
        if known is None:
            known = read_head(head, self._hosts)
            if known is not None:
                if len(self._heads) >= _MAX_HEADS:
                    self._heads.clear()
                self._heads[head] = known
        return known

    def response(self, body: bytes, is_last: bool) -> bytes:
        """An HTTP answer."""
        return self._responses.of(body, is_last)

    def answer(self, client: Client, body: bytes) -> None:
        """Has a request answered by `Client.reply`: transactions are worked out here, all else is the node's."""
        sends = read_sends(body)
        if sends is None:
            number = self._number()
            self._callers[number], self._calls[client] = client, number
            self._channel.send(Kind.CALL, number, client.is_local, body)
            return
        self._to_prepare.append(Job(client, sends))
        if not self._is_preparing:
            self._is_preparing = True
            self._prepare()

    def give_back(self, client: Client, transport: asyncio.Transport, received: bytes) -> bool:
        """Gives a connection to the node, with what its client has sent and nobody has read; False if it cannot."""
        number = self._number()
        if not self._handles.pass_on(number, transport.get_extra_info("socket").fileno()):
            return False
        self._clients.pop(client, None)
        self._channel.send(Kind.GIVE, number, received)
        return True

    def left(self, client: Client) -> None:
        """The connection is no longer here."""
        self._clients.pop(client, None)
        self._channel.send(Kind.CLOSED)
        number = self._calls.pop(client, None)
        if number is not None:
            del self._callers[number]
            self._channel.send(Kind.CANCEL, number)

    # ------------------------------------------------------------ transactions
    def _prepare(self) -> None:
        """Works out what waits, for one slice of time; the rest follows when others were served."""
        end = time.monotonic() + _SLICE_SECONDS
        while self._to_prepare and time.monotonic() < end:
            job = self._to_prepare[0]
            raws, prepared = job.sends.raws, job.prepared
            if not job.client.is_here:
                self._to_prepare.popleft()
            elif len(prepared) < len(raws):
                prepared.append(prepare(raws[len(prepared)]))
            else:
                self._to_send.append(self._to_prepare.popleft())
        if not self._sends_soon:  # together with what comes from other clients in the same round of the loop
            self._sends_soon = True
            asyncio.get_running_loop().call_soon(self._send_now)
        self._is_preparing = bool(self._to_prepare)
        if self._is_preparing:
            asyncio.get_running_loop().call_soon(self._prepare)

    def _send_now(self) -> None:
        self._sends_soon = False
        self._send()

    def _send(self) -> None:
        """Hands over all that is worked out, unless the node has enough to take in."""
        if len(self._sent) > 1 or not self._to_send:
            return
        if self._sent and sum(len(job.prepared) for job in self._to_send) < _WORTH_A_SECOND:
            return
        jobs, self._to_send = self._to_send, []
        self._sent.append(jobs)
        items = [pair for job in jobs for pair in zip(job.sends.raws, job.prepared, strict=True)]
        self._channel.send(Kind.SEND, items)

    def _on_sent(self, answers: list[Answer]) -> None:
        jobs = self._sent.popleft()
        self._send()
        start = 0
        for job in jobs:
            end = start + len(job.sends.raws)
            job.client.reply(job.sends.text(answers[start:end]))
            start = end

    # ------------------------------------------------------------ the node
    def _on_message(self, message: Any) -> None:
        kind, *items = message
        if kind == Kind.SENT:
            self._on_sent(items[0])
        elif kind == Kind.ANSWER:
            number, body = items
            client = self._callers.pop(number, None)
            if client is not None:
                del self._calls[client]
                client.reply(body)
        elif kind == Kind.CONFIG:
            server, hosts = items
            self._hosts, self._responses = Hosts(hosts), Responses(server)
            self._handles.start()
            self._channel.send(Kind.READY)

    def _on_handle(self, number: int, connection: socket.socket) -> None:
        """Takes a connection. number: 1 where the port is full, so that one of this process must make room."""
        connection.setblocking(False)
        if number:
            idle = longest_idle(self._clients, Client.has_work, Client.last_used)
            if idle is not None:
                idle.close()
        else:
            idle = None
        is_full = bool(number) and idle is None

        def on_made(client: Client) -> None:
            self._clients[client] = None
            if is_full:
                client.refuse(TOO_MANY_CONNECTIONS)

        task = asyncio.ensure_future(
            asyncio.get_running_loop().connect_accepted_socket(lambda: Client(self, on_made), connection)
        )
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    def _on_end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    def _number(self) -> int:
        self._next_number = (self._next_number + 1) % _NUMBERS
        return self._next_number


async def _serve(handles: int) -> None:
    await Front(socket.socket(fileno=handles)).run(socket.socket(fileno=0))


def main(handles: int) -> None:
    """Serves until the node is gone. handles: the descriptor of the pair that carries connections."""
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    asyncio.run(_serve(handles))
