"""openrollup_ on the op-node port: the verbs of `openrollup ctl` (docs/cheats.md)."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from rollup.rpc.cheat_api import cheat, refusal
from rollup.rpc.methods import collect
from rollup.rpc.params import Optional, count64, count_up_to, params, text

MAX_EVENTS = 1_000


class Control(Protocol):
    """The verbs (rollup.control.Control)."""

    def status(self) -> dict[str, Any]: ...
    def events(self, count: int) -> list[dict[str, Any]]: ...
    def mine_l1(self, count: int) -> dict[str, Any]: ...
    def reorg_l1(self, depth: int) -> dict[str, Any]: ...
    def pause_l1(self) -> dict[str, Any]: ...
    def resume_l1(self) -> dict[str, Any]: ...
    def start(self, actor: str) -> dict[str, Any]: ...
    def stop(self, actor: str) -> dict[str, Any]: ...
    def flush_batcher(self) -> dict[str, Any]: ...
    def increase_time(self, seconds: int) -> dict[str, Any]: ...
    def snapshot(self) -> dict[str, Any]: ...
    def revert(self, number: int) -> dict[str, Any]: ...


class ControlApi:
    """The verbs as methods."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def methods(self, is_strict: bool) -> dict[str, Callable[[Sequence[Any]], Any]]:
        """The handlers by method name; when strict, those that change something refuse."""
        found = collect(self)
        if is_strict:
            reading = ("openrollup_status", "openrollup_events")
            found |= {name: refusal(name) for name in found if name not in reading}
        return found

    @params()
    def openrollup_status(self) -> dict[str, Any]:
        """Heads, pools and actors."""
        return self._control.status()

    @params(Optional(count_up_to(MAX_EVENTS, "count", count64), 20))
    def openrollup_events(self, count: int) -> list[dict[str, Any]]:
        """The newest events, oldest first."""
        return self._control.events(count)

    @cheat(Optional(count64, 1))
    def openrollup_mineL1(self, count: int) -> dict[str, Any]:  # noqa: N802
        """Mines L1 blocks."""
        return self._control.mine_l1(count)

    @cheat(count64)
    def openrollup_reorgL1(self, depth: int) -> dict[str, Any]:  # noqa: N802
        """Replaces L1's newest blocks."""
        return self._control.reorg_l1(depth)

    @cheat()
    def openrollup_pauseL1(self) -> dict[str, Any]:  # noqa: N802
        """Pauses L1."""
        return self._control.pause_l1()

    @cheat()
    def openrollup_resumeL1(self) -> dict[str, Any]:  # noqa: N802
        """Makes L1 mine again."""
        return self._control.resume_l1()

    @cheat(text)
    def openrollup_start(self, actor: str) -> dict[str, Any]:
        """Starts an actor."""
        return self._control.start(actor)

    @cheat(text)
    def openrollup_stop(self, actor: str) -> dict[str, Any]:
        """Stops an actor."""
        return self._control.stop(actor)

    @cheat()
    def openrollup_flushBatcher(self) -> dict[str, Any]:  # noqa: N802
        """Makes the batcher post what it has."""
        return self._control.flush_batcher()

    @cheat(count64)
    def openrollup_increaseTime(self, seconds: int) -> dict[str, Any]:  # noqa: N802
        """Moves the time forward."""
        return self._control.increase_time(seconds)

    @cheat()
    def openrollup_snapshot(self) -> dict[str, Any]:
        """Takes a snapshot."""
        return self._control.snapshot()

    @cheat(count64)
    def openrollup_revert(self, number: int) -> dict[str, Any]:
        """Restores a snapshot."""
        return self._control.revert(number)
