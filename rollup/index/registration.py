"""The parts of a model's registration that never change and are not logged: its split and default weights, from
storage.
"""

from collections.abc import Callable

from attribution_precompile import layout, words
from rollup.index.rows import ModelRow


def read_registration(storage: Callable[[int], int], model_id: int, row: ModelRow) -> None:
    """Reads split and weights from any state since the registration, because no method changes them."""
    slot = layout.model_slot(model_id)
    split = storage(slot + layout.SPLIT)
    row.owner_bps, row.lineage_bps, row.data_bps = words.unpack_shares(split)
    count, *weights = words.unpack_weights(split)
    for offset in range((max(count, 2) - 1) // 2):
        weights += words.unpack_weight_pair(storage(slot + layout.MORE_WEIGHTS + offset))
    row.weights = b"".join([weight.to_bytes(12, "big") for weight in weights[:count]])
