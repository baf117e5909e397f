"""Waits for the safe heads after a load, so that no run pays for the work of the one before."""

import time
from collections.abc import Callable
from typing import Final

from rollup.load.job import LoadError
from rollup.load.scene import Scene

_LOOK_SECONDS: Final = 0.2


def wait_until_safe(
    l2: Scene, verifier: Scene, seconds: float = 300.0, meanwhile: Callable[[], None] = lambda: None
) -> None:
    """Waits until the present head is safe on both nodes. `meanwhile` is called after each look at the heads.

    Raises LoadError after this many seconds.
    """
    head = l2.number("eth_blockNumber")
    deadline = time.monotonic() + seconds
    while min(_safe_number(l2), _safe_number(verifier)) < head:
        if time.monotonic() > deadline:
            raise LoadError(f"block {head} is not safe {seconds:.0f} s after the load")
        time.sleep(_LOOK_SECONDS)
        meanwhile()


def _safe_number(scene: Scene) -> int:
    return int(scene.call("eth_getBlockByNumber", "safe", False)["number"], 16)
