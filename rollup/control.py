"""Operating a running node by hand: status, events, L1, and which actors run.

`openrollup ctl` and the openrollup_ methods of the op-node port call these functions, and those call the cheats
(rollup/cheats.py). Every answer comes when its effect is there, and says what has changed.
"""

from collections.abc import Callable
from typing import Any

from rollup.cheats import CheatRefused, Cheats, Effect
from rollup.events import event_json
from rollup.node.view import Heads, NodeView

ACTORS = ("sequencer", "batcher", "proposer")


class Control:
    """The verbs of `openrollup ctl`."""

    def __init__(self, cheats: Cheats) -> None:
        self._cheats = cheats
        self._node = cheats.node

    def status(self) -> dict[str, Any]:
        """Heads, pools and actors at this moment."""
        view = self._node.view()
        status = status_json(view)
        status["isMining"] = not self._node.l1.miner.on_demand
        status["batchesPosted"] = view.batches_posted
        return status

    def events(self, count: int) -> list[dict[str, Any]]:
        """The newest events, oldest first."""
        return [event_json(event) for event in self._node.events.recent(count)]

    def mine_l1(self, count: int) -> dict[str, Any]:
        """Mines L1 blocks, and builds the L2 blocks of that time."""
        return self._answer(self._cheats.l1.mine(count))

    def reorg_l1(self, depth: int) -> dict[str, Any]:
        """Replaces L1's newest blocks by empty ones."""
        return self._answer(self._cheats.l1.reorg(depth))

    def pause_l1(self) -> dict[str, Any]:
        """Pauses L1: blocks come only by mine_l1."""
        return self._do(lambda: self._cheats.l1.set_interval(0))

    def resume_l1(self) -> dict[str, Any]:
        """Makes L1 mine a block in each slot again. Slots that passed in between get theirs too."""
        return self._do(lambda: self._cheats.l1.set_interval(self._cheats.l1.block_time))

    def start(self, actor: str) -> dict[str, Any]:
        """Starts the sequencer, the batcher or the proposer."""
        return self._switch(actor, True)

    def stop(self, actor: str) -> dict[str, Any]:
        """Stops the sequencer, the batcher or the proposer."""
        return self._switch(actor, False)

    def flush_batcher(self) -> dict[str, Any]:
        """Makes the batcher hand to L1's pool what it has."""

        def act() -> None:
            self._node.batcher.flush()
            self._node.read_l1()

        return self._do(act)

    def increase_time(self, seconds: int) -> dict[str, Any]:
        """Moves the time of both layers forward."""
        return self._answer(self._cheats.increase_time(seconds))

    def snapshot(self) -> dict[str, Any]:
        """Takes a snapshot of both layers."""
        number = self._cheats.snapshot()
        return {"snapshot": number, "status": self.status()}

    def revert(self, number: int) -> dict[str, Any]:
        """Restores a snapshot of both layers."""
        if not self._cheats.revert(number):
            raise CheatRefused(f"there is no snapshot {number}")
        return {"snapshot": number, "status": self.status()}

    def _switch(self, name: str, is_active: bool) -> dict[str, Any]:
        if name not in ACTORS:
            raise CheatRefused(f"{name[:40]}: sequencer, batcher or proposer is expected")
        actor = getattr(self._node, name)
        if actor.is_active == is_active:
            raise CheatRefused(f"the {name} is {'started' if is_active else 'stopped'} already")
        return self._do(actor.start if is_active else actor.stop)

    def _do(self, action: Callable[[], object]) -> dict[str, Any]:
        return self._answer(self._cheats.do(action))

    def _answer(self, effect: Effect) -> dict[str, Any]:
        return {
            "l1Blocks": effect.l1_blocks,
            "l2Blocks": effect.l2_blocks,
            "seconds": round(effect.seconds, 3),
            "status": self.status(),
        }


def status_json(view: NodeView) -> dict[str, Any]:
    """A view of a node as JSON."""
    return {
        "time": int(view.now),
        "chains": {name: _heads_json(heads) for name, heads in view.chains.items()},
        "pools": {name: {"pending": pool.pending, "queued": pool.queued} for name, pool in view.pools.items()},
        "isActive": dict(view.is_active),
        "isVerifierEqual": view.is_verifier_equal,
        "waitingFor": dict(view.waiting_for),
    }


def _heads_json(heads: Heads) -> dict[str, Any]:
    return {
        label: {"number": block.number, "hash": "0x" + block.hash.hex(), "timestamp": block.timestamp}
        for label, block in (("unsafe", heads.unsafe), ("safe", heads.safe), ("finalized", heads.finalized))
    }
