"""The append-only rows of the blocks that were read and are not yet written."""

from rollup.index.schema import POSITION_BITS
from rollup.protocol.block import Block

LogRow = tuple[object, ...]
TABLES = ("tx", "inference", "credit", "membership", "claim", "training")


class AppendedRows:
    """Rows by table. Each row has a position of its own, which begins with the number of its block."""

    def __init__(self) -> None:
        self.rows: dict[str, list[LogRow]] = {name: [] for name in TABLES}
        self.time = 0  # of the block that is being read, in Unix seconds
        self._position = self._first = 0

    def begin(self, block: Block) -> None:
        """Starts a block."""
        self.time = block.timestamp
        self._position = self._first = block.number << POSITION_BITS

    @property
    def has_some(self) -> bool:
        """Whether the block that is being read has a position in use."""
        return self._position != self._first

    def next_position(self) -> int:
        """A position of the block that was not used before."""
        self._position += 1
        return self._position

    def append(self, table: str, *row: object) -> None:
        """Adds a row."""
        self.rows[table].append(row)
