"""Requests as bytes, and answers as they come, for what a client library would not send."""

import asyncio
import json
import re


def post(body, *headers, path="/", host="localhost"):
    """A POST as bytes. body: text or bytes, or what is written as JSON."""
    content = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", *headers, f"Content-Length: {len(content)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + content


def call(method, *params, ident=1, **fields):
    return {"jsonrpc": "2.0", "id": ident, "method": method, "params": list(params), **fields}


async def exchange(port, *parts, count=1, pause=0.0, has_bodies=True):
    """The first `count` answers to bytes sent in parts, each as (head without the date, body); fewer if it ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for index, part in enumerate(parts):
            if index:
                await asyncio.sleep(pause)
            writer.write(part)
        return [answer async for answer in _answers(reader, count, has_bodies)]
    finally:
        writer.close()


async def _answers(reader, count, has_bodies):
    for _ in range(count):
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
        except (asyncio.IncompleteReadError, ConnectionError):
            yield "closed"
            return
        length = re.search(rb"(?i)content-length: (\d+)", head)
        size = int(length[1]) if length and has_bodies else 0
        yield re.sub(rb"Date: [^\r]*\r\n", b"", head), await asyncio.wait_for(reader.readexactly(size), 20)
