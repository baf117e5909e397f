"""Rows that an event refers to, and that an earlier event must have created."""

from rollup.index.rows import DatanetRow, ModelRow
from rollup.index.working import Working


class ForeignEvents(ValueError):
    """Events that contradict each other: of another chain, or from before the index began."""


def existing_datanet(rows: Working, datanet_id: int) -> DatanetRow:
    """A DataNet's row, for changing. Raises ForeignEvents if there is none."""
    if rows.datanets.get(datanet_id) is None:
        raise ForeignEvents(f"DataNet {datanet_id} was never created by the events before")
    return rows.datanets.touch(datanet_id)


def existing_model(rows: Working, model_id: int) -> ModelRow:
    """A model's row, for reading. Raises ForeignEvents if there is none."""
    row = rows.models.get(model_id)
    if row is None:
        raise ForeignEvents(f"model {model_id} was never registered by the events before")
    return row
