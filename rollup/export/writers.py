"""A table's rows as a file: Parquet (by pyarrow, extra: export), CSV or JSON lines."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from rollup.export.errors import ExportError
from rollup.export.schema import AMOUNT_DIGITS, OVERFLOW, Row, Table

Writer = Callable[[Table, Iterable[Row]], tuple[bytes, int]]


def csv_file(table: Table, rows: Iterable[Row]) -> tuple[bytes, int]:
    """The bytes of a CSV file and its number of rows. None is an empty cell, and a flag is true or false.

    >>> from rollup.export import TABLES
    >>> csv_file(TABLES["receipts"], [{"block_number": 1, "status": 1}])[0].splitlines()[1]
    b'1,,,1,,,,'
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.names)
    count = 0
    for row in rows:
        writer.writerow(_cell(value) for value in _values(table, row))
        count += 1
    return text.getvalue().encode(), count


def jsonl_file(table: Table, rows: Iterable[Row]) -> tuple[bytes, int]:
    """The bytes of a JSON lines file and its number of rows. Amounts are strings, so that no reader rounds them.

    >>> from rollup.export import TABLES
    >>> data, rows = jsonl_file(TABLES["fees"], [{"block_number": 1, "total": 10**19}])
    >>> b'"total": "10000000000000000000"' in data, rows
    (True, 1)
    """
    lines = []
    for row in rows:
        values = zip(table.columns, _values(table, row), strict=True)
        lines.append(
            json.dumps(
                {
                    column.name: str(value) if column.kind == "amount" and value is not None else value
                    for column, value in values
                }
            )
        )
    return "".join(f"{line}\n" for line in lines).encode(), len(lines)


def parquet_file(table: Table, rows: Iterable[Row]) -> tuple[bytes, int]:
    """The bytes of a Parquet file and its number of rows. ExportError without pyarrow (extra `export`).

    >>> from rollup.export import TABLES, ExportError
    >>> try:
    ...     data, rows = parquet_file(TABLES["fees"], [{"block_number": 1, "total": 10**19}])
    ... except ExportError:  # pyarrow is not installed
    ...     data, rows = b"PAR1", 1
    >>> data[:4], rows
    (b'PAR1', 1)
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ExportError("Parquet needs pyarrow: pip install 'openrollup[export]'; csv and jsonl do not") from error
    kinds = {"number": pa.int64(), "amount": pa.decimal128(AMOUNT_DIGITS, 0), "text": pa.string(), "flag": pa.bool_()}
    columns: list[list[Any]] = [[] for _ in table.columns]
    for row in rows:
        for values, column, value in zip(columns, table.columns, _values(table, row), strict=True):
            values.append(Decimal(value) if column.kind == "amount" and value is not None else value)
    arrays = [pa.array(values, kinds[column.kind]) for values, column in zip(columns, table.columns, strict=True)]
    target = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(arrays, names=list(table.names)), target, compression="zstd")
    return target.getvalue().to_pybytes(), len(columns[0])


def _values(table: Table, row: Row) -> Sequence[Any]:
    """The row's values in order. What does not fit its column is empty there, and JSON in `overflow`."""
    values = [row.get(name) for name in table.names]
    large = {}
    for place, limit in table.limits:
        value = values[place]
        if value is not None and value >= limit:
            large[table.names[place]] = str(value)
            values[place] = None
    if not large:
        return values
    if OVERFLOW not in table.names:
        raise ExportError(f"{table.name}: {next(iter(large))} is above 2^63 - 1")
    values[table.names.index(OVERFLOW)] = json.dumps(large, sort_keys=True)
    return values


def _cell(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


WRITERS: Final[dict[str, Writer]] = {"parquet": parquet_file, "csv": csv_file, "jsonl": jsonl_file}
