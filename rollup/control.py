"""Operating a running node by hand: status, events, L1, and which actors run.

`openrollup ctl` and the openrollup_ methods of the op-node port call these functions, and those call the cheats
(rollup/cheats/). Every answer comes when its effect is there, and says what has changed.
"""

from collections.abc import Callable
from typing import Any

from rollup.cheats import CheatRefused, Cheats, Effect
from rollup.cheats.garbage import KINDS
from rollup.cheats.posting import Posted, post_garbage
from rollup.events import event_json
from rollup.l1.reorgs import CONTENTS
from rollup.node.view import Heads, NodeView

ACTORS = ("sequencer", "batcher", "proposer")
MAX_HEALING = 30  # L1 blocks


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

    def events_since(self, count: int) -> dict[str, Any]:
        """The events after the first so many, and the number to ask with next."""
        return {
            "next": self._node.events.count,
            "events": [event_json(item) for item in self._node.events.since(count)],
        }

    def reorg_l1(self, depth: int, contents: str = "empty", heals: bool = True) -> dict[str, Any]:
        """Replaces L1's newest blocks, and mines on until the safe head is where it was.

        contents: one of rollup.l1.reorgs.CONTENTS. The answer says how many L1 blocks that took; null where it did not
        come back.
        """
        if contents not in CONTENTS:
            raise CheatRefused(f"{contents[:40]}: {', '.join(CONTENTS)} is expected")
        l1, before = self._cheats.l1, self._node.safe_head.number
        blocks = None if contents == "empty" else l1.contents(depth, with_batches=contents == "same")
        healed: list[int] = []

        def act() -> None:
            l1.reorg(depth, blocks)
            healed.extend(self._heal(before) if heals else ())

        answer = self._do(act)
        return {**answer, "safeBefore": before, "healedIn": healed[0] if healed else None} if heals else answer

    def _heal(self, safe: int) -> list[int]:
        """Mines until the safe head is at this block again, and the verifier, if there is one, agrees.

        Returns how many L1 blocks that took; empty where it does not heal.
        """
        node = self._node
        for count in range(MAX_HEALING + 1):
            if node.safe_head.number >= safe and node.is_verifier_equal() is not False:
                return [count]
            if not node.batcher.is_active or not node.sequencer.is_active:
                return []
            self._cheats.l1.mine()
        return []

    def finalize_l1(self) -> dict[str, Any]:
        """Makes L1's head final at once."""
        return self._answer(self._cheats.l1.finalize())

    def garbage_kinds(self) -> dict[str, dict[str, str]]:
        """The kinds of garbage that post_garbage can post: a text, the rule that drops it, and the rule's section."""
        return {
            name: {"text": kind.text, "rule": kind.rule.code, "section": kind.rule.section}
            for name, kind in KINDS.items()
        }

    def post_garbage(self, name: str) -> dict[str, Any]:
        """Posts garbage to the batch inbox and answers when derivation has read it, with the rules that dropped it."""
        if name not in KINDS:
            raise CheatRefused(
                f"{name[:40]}: no kind of garbage; openrollup ctl batcher post-garbage --list names them"
            )
        posted: list[Posted] = []
        answer = self._do(lambda: posted.append(post_garbage(self._cheats, KINDS[name])))
        return {**answer, "kind": name, "text": KINDS[name].text, **posted[0].to_json()}

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

    def dump(self) -> bytes:
        """The whole node as the bytes of a file (rollup/dump.py)."""
        return self._node.dump()

    def move_to(self, time: int) -> dict[str, Any]:
        """Moves the time of both layers forward to a time in Unix seconds."""
        return self._answer(self._cheats.move_to(time))

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
