"""openrollup_ on the op-node port: the verbs of `openrollup ctl` (docs/cheats.md)."""

from typing import Any, Protocol

from rollup.rpc.cheat_api import cheat, refusal
from rollup.rpc.formats import hex_data
from rollup.rpc.methods import Method, collect, rpc
from rollup.rpc.params import Optional, boolean, count64, count_up_to, text

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

    def methods(self, is_strict: bool) -> dict[str, Method]:
        """The handlers by method name; when strict, those that change something refuse."""
        return {
            name: refusal(name) if is_strict and name not in READING else handler
            for name, handler in collect(self).items()
        }

    @rpc("openrollup_status")
    def status(self) -> dict[str, Any]:
        """Heads, pools and actors. `ctl status`."""
        return self._control.status()

    @rpc("openrollup_events", Optional(count_up_to(MAX_EVENTS, "count", count64), 20))
    def events(self, count: int) -> list[dict[str, Any]]:
        """The newest events, oldest first. `ctl events --count N`."""
        return self._control.events(count)

    @rpc("openrollup_mineL1", Optional(count64, 1))
    @cheat
    def mine_l1(self, count: int) -> dict[str, Any]:
        """Mines L1 blocks, and builds the L2 blocks of that time. `ctl l1 mine COUNT`."""
        return self._control.mine_l1(count)

    @rpc("openrollup_eventsSince", count64)
    def events_since(self, count: int) -> dict[str, Any]:
        """`{next, events}`: the events after the first `count`, and the number for the next call. `ctl events
        --follow`.
        """
        return self._control.events_since(count)

    @rpc("openrollup_reorgL1", count64, Optional(text, "empty"), Optional(boolean, True))
    @cheat
    def reorg_l1(self, depth: int, contents: str, heal: bool) -> dict[str, Any]:
        """Replaces L1's newest blocks by blocks that are `empty`, the `same`, or `without-batches`. Then mines until
        the safe head is where it was: `healedIn` is the number of L1 blocks, at most 30, or `null`. `ctl l1 reorg DEPTH
        --with … --no-heal`.
        """
        return self._control.reorg_l1(depth, contents, heal)

    @rpc("openrollup_finalizeL1")
    @cheat
    def finalize_l1(self) -> dict[str, Any]:
        """Finalizes L1's head, and the L2 blocks derived from it. `ctl l1 finalize`."""
        return self._control.finalize_l1()

    @rpc("openrollup_garbageKinds")
    def garbage_kinds(self) -> dict[str, dict[str, str]]:
        """Each kind of garbage, and the rule that drops it. `ctl batcher post-garbage --list`."""
        return self._control.garbage_kinds()

    @rpc("openrollup_postGarbage", text)
    @cheat
    def post_garbage(self, kind: str) -> dict[str, Any]:
        """Posts garbage to the batch inbox: what derivation dropped, by which rule, in which section of the
        specifications. `ctl batcher post-garbage KIND`.
        """
        return self._control.post_garbage(kind)

    @rpc("openrollup_setTime", count64)
    @cheat
    def set_time(self, time: int) -> dict[str, Any]:
        """Moves the time forward to Unix seconds. `ctl time to 2026-11-27T10:00:00Z`."""
        return self._control.move_to(time)

    @rpc("openrollup_pauseL1")
    @cheat
    def pause_l1(self) -> dict[str, Any]:
        """Pauses L1. `ctl l1 pause`."""
        return self._control.pause_l1()

    @rpc("openrollup_resumeL1")
    @cheat
    def resume_l1(self) -> dict[str, Any]:
        """Lets L1 mine again. `ctl l1 resume`."""
        return self._control.resume_l1()

    @rpc("openrollup_start", text)
    @cheat
    def start(self, actor: str) -> dict[str, Any]:
        """Starts the `sequencer`, the `batcher` or the `proposer`. `ctl batcher start`."""
        return self._control.start(actor)

    @rpc("openrollup_stop", text)
    @cheat
    def stop(self, actor: str) -> dict[str, Any]:
        """Stops the `sequencer`, the `batcher` or the `proposer`. `ctl batcher stop`."""
        return self._control.stop(actor)

    @rpc("openrollup_flushBatcher")
    @cheat
    def flush_batcher(self) -> dict[str, Any]:
        """Makes the batcher send everything that it has to L1's pool. `ctl batcher flush`."""
        return self._control.flush_batcher()

    @rpc("openrollup_dump")
    @cheat
    def dump(self) -> str:
        """The whole node as the bytes of a dump. `ctl dump FILE`."""
        return hex_data(self._control.dump())

    @rpc("openrollup_increaseTime", count64)
    @cheat
    def increase_time(self, seconds: int) -> dict[str, Any]:
        """Moves the time forward. `ctl time +1h` (also `+90s`, `+5m`, `+1d`)."""
        return self._control.increase_time(seconds)

    @rpc("openrollup_snapshot")
    @cheat
    def snapshot(self) -> dict[str, Any]:
        """Takes a snapshot. `ctl snapshot`."""
        return self._control.snapshot()

    @rpc("openrollup_revert", count64)
    @cheat
    def revert(self, number: int) -> dict[str, Any]:
        """Reverts to a snapshot. `ctl revert NUMBER`."""
        return self._control.revert(number)
