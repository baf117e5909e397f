"""A loop that says whether it has something to read: the same as whether its connections have."""

import asyncio
import socket

from rollup.event_loop import run_watched


def test_the_loop_has_input_from_when_a_connection_is_written_to_until_it_is_read():
    said = []

    async def main(has_input):
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        with theirs:
            if has_input is None:
                return
            said.append(has_input())
            theirs.send(b"x")
            said.append(has_input())
            await reader.readexactly(1)
            said.append(has_input())
            writer.close()

    run_watched(main)
    assert said in ([False, True, False], [])
