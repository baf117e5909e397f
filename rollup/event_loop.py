"""An event loop that says whether it has something to read, so that a long computation can make way for it."""

import asyncio
import select
import selectors
import sys
from collections.abc import Callable, Coroutine
from typing import Any

HasInput = Callable[[], bool]


def run_watched(main: Callable[[HasInput | None], Coroutine[Any, Any, None]]) -> None:
    """Runs a program in a new event loop, as asyncio.run does.

    main is given a function that says at once whether a connection of the loop has sent something, or None where the
    system cannot say it.
    """
    if sys.platform != "linux":
        asyncio.run(main(None))
        return
    selector = selectors.EpollSelector()
    poll = select.poll()  # an epoll descriptor can be read where one of its own can
    poll.register(selector.fileno(), select.POLLIN)
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        runner.run(main(lambda: bool(poll.poll(0))))
