"""The replay of a model's history: compares its events with the commitments in the state (docs/attribution.md)."""

from dataclasses import dataclass

from attribution_precompile import layout
from rollup.cooperative import in_turns
from rollup.index.index import Index
from rollup.index.working import number
from rollup.protocol.primitives import Hash, keccak256


@dataclass(slots=True, frozen=True)
class Replay:
    """The replayed commitments and those in the state."""

    records: int
    inferences: int
    revenue: int
    history: Hash
    stored_history: Hash
    training_steps: int
    training: Hash
    stored_training: Hash

    @property
    def is_verified(self) -> bool:
        """Whether both commitments are equal."""
        return self.history == self.stored_history and self.training == self.stored_training


def replay_history(index: Index, model_id: int) -> Replay:
    """Hashes every Inferred and TrainingRecorded event of a model again, in order."""
    slot = layout.model_slot(model_id)
    head, records, last, revenue = bytes(32), 0, 0, 0
    rows = index.database.execute(
        "SELECT inference, payer, fee, time, body FROM inference WHERE model = ? ORDER BY inference", (model_id,)
    )
    for inference, payer, fee, time, body in in_turns(rows):
        # abi.encode(history, inferenceId, payer, fee, count, inputTokens, outputTokens, requestHash, responseHash,
        # evidence, keccak256(influence), block.timestamp); the body begins with the fee.
        head = keccak256(
            head
            + inference.to_bytes(32, "big")
            + bytes(12)
            + payer
            + body[:224]
            + keccak256(body[224:])
            + time.to_bytes(32, "big")
        )
        records += 1
        last = inference
        revenue += number(fee)
    steps, training = _training(index, model_id)
    return Replay(
        records,
        last,
        revenue,
        head,
        index.storage(slot + layout.HISTORY).to_bytes(32, "big"),
        steps,
        training,
        index.storage(slot + layout.TRAINING).to_bytes(32, "big"),
    )


def _training(index: Index, model_id: int) -> tuple[int, Hash]:
    head, steps = bytes(32), 0
    rows = index.database.execute(
        "SELECT step, checkpoint, data_root, time FROM training WHERE model = ? ORDER BY position", (model_id,)
    )
    for step, checkpoint, data_root, time in in_turns(rows):
        head = keccak256(head + number(step).to_bytes(32, "big") + checkpoint + data_root + time.to_bytes(32, "big"))
        steps += 1
    return steps, head
