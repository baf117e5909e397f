"""Rows of a table as Python values, and as a data frame where pandas is installed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from rollup.export.schema import OVERFLOW, Table

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[str, Any]


class DataFramesMissing(ImportError):
    """pandas is not installed; the message says how to install it."""


class Rows(Sequence[Row]):
    """The rows of a table in order. Amounts are whole numbers of wei: Python integers, which never round.

    >>> from rollup.export.schema import TABLES
    >>> rows = Rows(TABLES["usage"], [{"day": 0, "model_id": 1, "inferences": 2, "fees": 3 * 10**30, "gas": 5}])
    >>> rows[0]["fees"], rows.sum("inferences"), rows.column("gas")
    (3000000000000000000000000000000, 2, [5])
    >>> frame = rows.to_pandas()  # doctest: +SKIP
    """

    def __init__(self, table: Table, rows: Iterable[Row]) -> None:
        """A row may leave out columns of the table: they are None."""
        self.name = table.name
        self.columns = tuple(column for column in table.columns if column.name != OVERFLOW)
        self._rows = [{column.name: row.get(column.name) for column in self.columns} for row in rows]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> "list[Row]": ...
    def __getitem__(self, index: int | slice) -> "Row | list[Row]":
        """A row, or a list of rows for a slice."""
        if isinstance(index, slice):
            return list(self._rows[index])
        return self._rows[index]

    def __repr__(self) -> str:
        return f"<{len(self)} rows of {self.name}>"

    def column(self, name: str) -> list[Any]:
        """The values of a column in order. Raises KeyError for a name that is not a column of the table."""
        if name not in {column.name for column in self.columns}:
            raise KeyError(f"{self.name} has no column {name!r}: it has {', '.join(c.name for c in self.columns)}")
        return [row[name] for row in self._rows]

    def sum(self, name: str) -> int:
        """The exact sum of a column of numbers; None counts as nothing."""
        return sum(value for value in self.column(name) if value is not None)

    def to_pandas(self) -> "pd.DataFrame":
        """A data frame. Amounts are Python integers (dtype object): 64 bits would overflow at 9.2 OPEN.

        DataFramesMissing without pandas.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise DataFramesMissing("data frames need pandas: pip install 'openrollup[notebook]'") from error
        kinds = {"number": "Int64", "amount": "object", "text": "object", "flag": "boolean"}
        return pd.DataFrame(
            {
                column.name: pd.Series([row[column.name] for row in self._rows], dtype=kinds[column.kind])
                for column in self.columns
            }
        )
