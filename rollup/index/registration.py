"""What a model's registration fixes for good but does not log: its split and default weights, read from storage."""

from collections.abc import Callable

from attribution_precompile import layout
from rollup.index.rows import ModelRow


def read_registration(storage: Callable[[int], int], model_id: int, row: ModelRow) -> None:
    """Fills in split and weights from any state since the registration; there is no method that changes them."""
    slot = layout.model_slot(model_id)
    split = storage(slot + layout.SPLIT)
    row.owner_bps = split & layout.MASK_16
    row.lineage_bps = split >> layout.LINEAGE_BPS_SHIFT & layout.MASK_16
    row.data_bps = split >> layout.DATA_BPS_SHIFT & layout.MASK_16
    count = split >> layout.WEIGHT_COUNT_SHIFT & layout.MASK_8
    weights = [
        split >> layout.FIRST_WEIGHT_SHIFT & layout.MASK_96,
        split >> layout.SECOND_WEIGHT_SHIFT & layout.MASK_96,
    ]
    for offset in range((max(count, 2) - 1) // 2):
        word = storage(slot + layout.MORE_WEIGHTS + offset)
        weights += [word & layout.MASK_96, word >> 96 & layout.MASK_96]
    row.weights = b"".join([weight.to_bytes(12, "big") for weight in weights[:count]])
