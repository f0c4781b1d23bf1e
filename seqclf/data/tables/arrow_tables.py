"""Parquet files and data frames as a `Table`."""

from collections.abc import Iterator, Mapping, Sized
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from seqclf.data.tables.table import is_moment, is_text, times_of_day
from seqclf.errors import DataError

BATCH_ROWS = 32_768
SAMPLE_ROWS = 20_000
BATCH_VALUES = 2**20  # of a batch or a sample, where there are many columns
FRAME = "data frame"


class ParquetTable:
    """A Parquet file; see `Table`."""

    kind = "Parquet"
    decimal = "."

    def __init__(self, file: Path):
        """Opens a file.

        Raises:
            DataError: it is damaged or no Parquet file.
        """
        self.where, self._file = str(file), file
        with self._opened() as opened:
            schema = opened.schema_arrow
            _check_differ(schema.names, self.where)
            first = next(opened.iter_batches(_rows(SAMPLE_ROWS, schema.names)), None)
        self.columns: Mapping[str, pa.DataType] = dict(zip(schema.names, schema.types, strict=True))
        self.sample = pa.Table.from_batches([] if first is None else [first], schema)

    def _opened(self) -> pq.ParquetFile:
        try:
            # Without a buffer ahead of the reading, which would hold a whole row group.
            return pq.ParquetFile(self._file, buffer_size=2**18, pre_buffer=False)
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                f"{self.where}: damaged or no Parquet file ({_first_line(error)})."
            ) from error

    def batches(self, types: Mapping[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
        with self._opened() as opened:
            row = 0
            found = opened.iter_batches(_rows(BATCH_ROWS, types), columns=list(types))
            while True:
                try:
                    batch = next(found, None)
                except (pa.ArrowException, OSError) as error:
                    raise DataError(
                        f"{self.where}: damaged behind row {row} ({_first_line(error)})."
                    ) from error
                if batch is None:
                    return
                yield cast(batch, types, row, self)
                row += batch.num_rows

    def place(self, row: int) -> str:
        return f"row {row}"


class FrameTable:
    """A data frame of pandas or polars, or an Arrow table; see `Table`."""

    kind = FRAME
    where = FRAME
    decimal = "."

    def __init__(self, frame: Any):
        """Takes a frame, without copying what need not be copied.

        Raises:
            DataError: a column holds values that have no common type.
        """
        try:
            table = frame if isinstance(frame, pa.Table) else pa.table(frame)
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise DataError(
                f"{self.where}: a column holds values of several types, or of one that Arrow does "
                f"not know ({_first_line(error)})."
            ) from error
        kept = [name for name in table.column_names if not name.startswith("__index_level_")]
        _check_differ(kept, self.where)
        self._table = table.select(kept)
        schema = self._table.schema
        self.columns: Mapping[str, pa.DataType] = dict(zip(schema.names, schema.types, strict=True))
        self.sample = self._table.slice(0, _rows(SAMPLE_ROWS, schema.names))

    def batches(self, types: Mapping[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
        row = 0
        for batch in self._table.select(list(types)).to_batches(_rows(BATCH_ROWS, types)):
            yield cast(batch, types, row, self)
            row += batch.num_rows

    def place(self, row: int) -> str:
        return f"row {row}"


def _rows(most: int, columns: Sized) -> int:
    return max(1, min(most, BATCH_VALUES // max(1, len(columns))))


def cast(
    batch: pa.RecordBatch,
    types: Mapping[str, pa.DataType],
    row: int,
    table: "ParquetTable | FrameTable",
) -> pa.RecordBatch:
    """Returns a batch with its columns in the types that are asked for.

    Args:
        batch: some rows.
        types: the type of each column.
        row: the number of the first row.
        table: where the rows come from, for messages.

    Raises:
        DataError: a value has no such form; the message has the row.
    """
    columns = []
    for name, kind in types.items():
        column = batch.column(name)
        if column.type != kind:
            column = _cast_column(column, kind, name, row, table)
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, list(types))


def _cast_column(
    column: pa.Array, kind: pa.DataType, name: str, row: int, table: "ParquetTable | FrameTable"
) -> pa.Array:
    if pa.types.is_floating(column.type) and pa.types.is_string(kind):
        # As pandas writes them to CSV: 1.0, where Arrow would write 1.
        texts = [None if v is None or v != v else repr(v) for v in column.to_pylist()]
        return pa.array(texts, kind)
    try:
        if pa.types.is_time(kind) and is_text(column.type):
            return times_of_day(column)
        if pa.types.is_boolean(column.type) and pa.types.is_string(kind):
            return pc.if_else(column, "True", "False")  # as Python and pandas write them
        # Times that do not fit are refused: cut off they would change their order.
        strict = is_text(column.type) or pa.types.is_integer(kind) or is_moment(kind)
        return pc.cast(column, kind, safe=strict)
    except pa.ArrowException as error:
        for i, value in enumerate(column):
            try:
                pc.cast(pa.array([value.as_py()], column.type), kind)
            except pa.ArrowException:
                raise DataError(
                    f"{table.where}: {table.place(row + i)} holds {value.as_py()!r:.60} in the "
                    f"column {name!r}, which must hold {_wanted(kind)}. Correct the value, or "
                    "leave the column out (`data.features` names those that are read)."
                ) from error
        raise DataError(
            f"{table.where}: the column {name!r} must hold {_wanted(kind)} ({_first_line(error)})."
        ) from error


def _wanted(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind):
        return "integers below 2**63"
    return "text" if pa.types.is_string(kind) else "numbers"


def _check_differ(names: list[str], where: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(
            f"{where}: the names of the columns must differ. Received: {twice[0]!r} "
            f"{names.count(twice[0])} times. Rename or drop one."
        )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
