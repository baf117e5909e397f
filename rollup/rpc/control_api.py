"""openrollup_ on the op-node port: the verbs of `openrollup ctl` (docs/cheats.md)."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from rollup.rpc.cheat_api import cheat, refusal
from rollup.rpc.formats import hex_data
from rollup.rpc.methods import collect
from rollup.rpc.params import Optional, boolean, count64, count_up_to, params, text

MAX_EVENTS = 1_000
READING = ("openrollup_status", "openrollup_events", "openrollup_eventsSince", "openrollup_garbageKinds")


class Control(Protocol):
    """The verbs (rollup.control.Control)."""

    def status(self) -> dict[str, Any]: ...
    def events(self, count: int) -> list[dict[str, Any]]: ...
    def mine_l1(self, count: int) -> dict[str, Any]: ...
    def events_since(self, count: int) -> dict[str, Any]: ...
    def reorg_l1(self, depth: int, contents: str = ..., heals: bool = ...) -> dict[str, Any]: ...
    def finalize_l1(self) -> dict[str, Any]: ...
    def garbage_kinds(self) -> dict[str, dict[str, str]]: ...
    def post_garbage(self, name: str) -> dict[str, Any]: ...
    def move_to(self, time: int) -> dict[str, Any]: ...
    def pause_l1(self) -> dict[str, Any]: ...
    def resume_l1(self) -> dict[str, Any]: ...
    def start(self, actor: str) -> dict[str, Any]: ...
    def stop(self, actor: str) -> dict[str, Any]: ...
    def flush_batcher(self) -> dict[str, Any]: ...
    def dump(self) -> bytes: ...
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
            found |= {name: refusal(name) for name in found if name not in READING}
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

    @params(count64)
    def openrollup_eventsSince(self, count: int) -> dict[str, Any]:  # noqa: N802
        """The events after the first so many, and the number to ask with next."""
        return self._control.events_since(count)

    @cheat(count64, Optional(text, "empty"), Optional(boolean, True))
    def openrollup_reorgL1(self, depth: int, contents: str, heals: bool) -> dict[str, Any]:  # noqa: N802
        """Replaces L1's newest blocks."""
        return self._control.reorg_l1(depth, contents, heals)

    @cheat()
    def openrollup_finalizeL1(self) -> dict[str, Any]:  # noqa: N802
        """Makes L1's head final at once."""
        return self._control.finalize_l1()

    @params()
    def openrollup_garbageKinds(self) -> dict[str, dict[str, str]]:  # noqa: N802
        """What openrollup_postGarbage can post."""
        return self._control.garbage_kinds()

    @cheat(text)
    def openrollup_postGarbage(self, kind: str) -> dict[str, Any]:  # noqa: N802
        """Posts garbage to the batch inbox."""
        return self._control.post_garbage(kind)

    @cheat(count64)
    def openrollup_setTime(self, time: int) -> dict[str, Any]:  # noqa: N802
        """Moves the time forward to Unix seconds."""
        return self._control.move_to(time)

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

    @cheat()
    def openrollup_dump(self) -> str:
        """The whole node as the bytes of a file."""
        return hex_data(self._control.dump())

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
