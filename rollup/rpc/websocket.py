"""The messages of one WebSocket: each is answered before the next one is read."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import WSMsgType, web

from rollup.rpc.busy import BusyConnections
from rollup.rpc.http_connection import HttpConnection
from rollup.rpc.incoming import Incoming
from rollup.rpc.subscriptions import Connection


async def converse(
    socket: web.WebSocketResponse,
    connection: Connection,
    incoming: Incoming,
    handle: Callable[[bytes, Connection], Awaitable[bytes | None]],
    busy: BusyConnections,
    protocol: HttpConnection,
) -> None:
    """Answers one message after the other until the client or the port closes."""
    busy.rest(protocol)
    async for message in socket:
        busy.resume(protocol)
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            data = message.data.encode() if isinstance(message.data, str) else message.data
            incoming.message(len(data))
            answer = await handle(data, connection)
            if answer is not None:
                await connection.send(answer)
        elif message.type in (WSMsgType.PING, WSMsgType.PONG):
            incoming.control(len(message.data))
            if message.type is WSMsgType.PING:
                await socket.pong(message.data)
        incoming.answered()
        busy.rest(protocol)
        await asyncio.sleep(0)  # the next message may be here already, and then nothing above waits
