"""Reading a request's body: how large it may be, how long it may take, and how many large ones there may be."""

import asyncio
from contextlib import AsyncExitStack, suppress

from aiohttp import web
from aiohttp.http import HttpProcessingError

from rollup.rpc.limits import LARGE_BODY, READ_SECONDS, SKIP_SECONDS


class BodyTooLarge(Exception):
    """The body is longer than the port takes."""


class BodyBroken(Exception):
    """The body cannot be read: its bytes do not match its Content-Encoding, or it did not arrive in time."""


async def read_body(request: web.BaseRequest, most: int, large: asyncio.Semaphore, stack: AsyncExitStack) -> bytes:
    """The body, decompressed; raises BodyTooLarge, BodyBroken, ConnectionError.

    A body above LARGE_BODY waits for its place in `large`, which it gives back when the stack ends.
    """
    if (request.content_length or 0) > most:
        raise BodyTooLarge
    body, has_place = bytearray(), False
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > most:
                    raise BodyTooLarge
                if len(body) > LARGE_BODY and not has_place:
                    await stack.enter_async_context(large)
                    has_place = True
    except (web.RequestPayloadError, HttpProcessingError) as error:
        raise BodyBroken(f"the body cannot be decoded: {error}") from error
    except TimeoutError as error:
        raise BodyBroken("the body did not come in time") from error
    return bytes(body)


async def skip_body(request: web.BaseRequest) -> None:
    """Drops what is left of a body after its answer, so that the connection can take another request.

    Others have their turn after each piece: a few kilobytes can be hundreds of megabytes when decompressed. A
    connection whose body does not end in time is closed by aiohttp.
    """
    content = request.content
    with suppress(web.RequestPayloadError, HttpProcessingError, ConnectionError, TimeoutError):
        async with asyncio.timeout(SKIP_SECONDS):
            while request.transport is not None and not content.is_eof():
                await content.readany()
                await asyncio.sleep(0)
