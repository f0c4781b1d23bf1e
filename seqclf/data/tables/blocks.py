"""Reads the rows of a table block by block, in the dtypes that sequences are made of."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqclf.data.labels import sorted_names
from seqclf.data.table_layout import TableLayout
from seqclf.data.tables.ahead import read_ahead
from seqclf.data.tables.csv_errors import unfit
from seqclf.data.tables.table import Table, is_moment, is_text, times_of_day
from seqclf.errors import DataError

EXACT = 2**52  # larger times are kept as integers, which a float64 cannot hold exactly
KEYS = ("id", "group", "split", "label")


@dataclass(frozen=True)
class Block:
    """Some consecutive rows of a table.

    Attributes:
        row: the number of the first row.
        rows: how many rows there are.
        x: float32 `[rows, D]`, the values; None: they were not asked for.
        times: `[rows]` integers or floats, what rows are sorted by; None: there is no such column.
        starts: `[S]` integers, the beginnings of runs of rows with the same texts; the first is 0.
        texts: by role (id, group, split, label, weight) the text of each run, `[S]` strings.
        step_labels: `[rows]` integers, the index of each row's label; None: labels are in `texts`.
        least, most: `[D]`, the least and the largest value of each feature, NaN where it has none;
            None: the values were not asked for.
    """

    row: int
    rows: int
    x: np.ndarray | None
    times: np.ndarray | None
    starts: np.ndarray
    texts: Mapping[str, pa.StringArray]
    step_labels: np.ndarray | None = None
    least: np.ndarray | None = None
    most: np.ndarray | None = None


class BlockReader:
    """Reads blocks of a table by its layout.

    Args:
        table: the table.
        layout: the columns; all of them exist, but for roles that are "".
        labelled: whether each row must have a label; with `per_step` one row of a sequence.
        per_step: whether each row of the long form has a label of its own, or none, and is to be
            classified. Labels are read row by row then, as for recordings that are cut into
            windows.
        weight: the column with the weight of a sequence, which only a training reads; "": none.
    """

    def __init__(
        self,
        table: Table,
        layout: TableLayout,
        labelled: bool,
        per_step: bool = False,
        weight: str = "",
    ):
        self.table, self.layout, self.labelled = table, layout, labelled
        rows_are_steps = layout.form == "long" and bool(layout.label)
        self.per_step = per_step and rows_are_steps
        self._by_row = rows_are_steps and (per_step or layout.window > 0)
        columns = {role: getattr(layout, role) for role in KEYS} | {"weight": weight}
        self.roles = {role: column for role, column in columns.items() if column}
        self.label_names: dict[str, int] = {}  # of `Block.step_labels`, as they are met
        self._time = self._time_type() if layout.time else None

    def blocks(self, *, values: bool = True) -> Iterator[Block]:
        """Yields all rows.

        Args:
            values: whether the values are read as well.

        Raises:
            DataError: a value is no number, or an id, a time, a label, … is missing.
        """
        types = dict.fromkeys(self.roles.values(), pa.string())
        if self._time is not None:
            types[self.layout.time] = self._time
        if values:
            types |= {name: self._value_type(name) for name in self.layout.values}
        row = 0
        for batch in read_ahead(self.table.batches(types)):
            if batch.num_rows:
                yield self._block(batch, row, values)
                row += batch.num_rows
        if not row:
            raise DataError(f"{self.table.where}: it has no rows.")

    def _block(self, batch: pa.RecordBatch, row: int, values: bool) -> Block:
        texts = {role: batch.column(column) for role, column in self.roles.items()}
        steps = self._step_labels(texts.pop("label"), row) if self._by_row else None
        starts = _starts(list(texts.values()), batch.num_rows)
        taken = {role: trimmed(column.take(pa.array(starts))) for role, column in texts.items()}
        for role, column in taken.items():
            if role != "label" or self.labelled:
                self._check_filled(role, column, row, starts)
        time = self._times(batch.column(self.layout.time), row) if self._time is not None else None
        if not values:
            return Block(row, batch.num_rows, None, time, starts, taken, steps)
        x, least, most = self._values(batch)
        if np.isinf(least).any() or np.isinf(most).any():
            raise self._infinite(batch, row, x)
        return Block(row, batch.num_rows, x, time, starts, taken, steps, least, most)

    def _infinite(self, batch: pa.RecordBatch, row: int, x: np.ndarray) -> DataError:
        i, d = (int(index) for index in np.argwhere(np.isinf(x))[0])
        name = self.layout.values[d]
        return DataError(
            f"{self.table.where}: {self.table.place(row + i)}: the values of the column {name!r} "
            f"must be finite in float32. Received: {batch.column(name)[i].as_py()!r}. Correct the "
            "value, or leave it empty (`data.missing` says what is done with missing values)."
        )

    def _values(self, batch: pa.RecordBatch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns the values, and the least and the largest of each column."""
        count = len(self.layout.values)
        x = np.empty((batch.num_rows, count), np.float32)
        extremes = np.empty((2, count), np.float32)
        with np.errstate(over="ignore"):  # what is too large becomes inf, which is refused later
            for d, name in enumerate(self.layout.values):
                column = batch.column(name)
                if pa.types.is_boolean(column.type):
                    column = column.cast(pa.float64())
                numbers = column.to_numpy(zero_copy_only=False)
                x[:, d] = numbers
                extremes[:, d] = np.fmin.reduce(numbers), np.fmax.reduce(numbers)
        return x, extremes[0], extremes[1]

    def _check_filled(self, role: str, texts: pa.StringArray, row: int, starts: np.ndarray) -> None:
        empty = pc.equal(texts, "").to_numpy(zero_copy_only=False)
        if empty.any():
            place = self.table.place(row + int(starts[empty.argmax()]))
            raise DataError(
                f"{self.table.where}: {place} has nothing in the column {self.roles[role]!r} "
                f"(`data.{role}`). Fill it in, or leave the row out."
            )

    def _step_labels(self, column: pa.StringArray, row: int) -> np.ndarray:
        starts = _starts([column], len(column))
        texts = trimmed(column.take(pa.array(starts)))
        if self.labelled and not self.per_step:
            self._check_filled("label", texts, row, starts)
        codes = [self.label_names.setdefault(t, len(self.label_names)) for t in texts.to_pylist()]
        lengths = np.diff(starts, append=len(column))
        return np.repeat(np.array(codes, np.int32), lengths)

    def _value_type(self, name: str) -> pa.DataType:
        kind = self.table.columns[name]
        if is_moment(kind):
            first = next((v for v in self.table.sample.column(name).to_pylist() if v), "")
            raise unfit(self.table.where, self.table.place(0), name, str(first))
        # The words true and false of a CSV file are no numbers for pyarrow.
        if pa.types.is_boolean(kind) or pa.types.is_float32(kind):
            return kind
        return pa.float64()

    def _time_type(self) -> pa.DataType:
        """Returns the type in which times are read."""
        name = self.layout.time
        kind, column = self.table.columns[name], self.table.sample.column(name)
        if is_text(kind) and self.table.kind != "CSV":
            kind = _type_of_texts(column)
        if pa.types.is_integer(kind):
            large = pc.max(pc.cast(pc.abs(column), pa.float64(), safe=False)).as_py() or 0
            return pa.int64() if large > EXACT else pa.float64()
        if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            return pa.float64()
        if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
            return self._moments_type(kind)
        if pa.types.is_time(kind):
            return pa.time64("ns")
        if pa.types.is_duration(kind):
            return kind
        raise self._no_time(column)

    def _moments_type(self, kind: pa.DataType) -> pa.DataType:
        """Returns the type of dates and times; nanoseconds reach from 1678 to 2261 only."""
        zone = None if pa.types.is_date(kind) else kind.tz
        if self.table.kind == "CSV":  # later rows may be finer than the first ones
            return pa.timestamp("ns", zone)
        return pa.timestamp("ms" if pa.types.is_date(kind) else kind.unit, zone)

    def _no_time(self, column: pa.ChunkedArray) -> DataError:
        values = column.to_pylist()
        wrong = [row for row, v in enumerate(values) if not isinstance(v, str) or _is_no_time(v)]
        row = wrong[0] if wrong else 0
        return DataError(
            f"{self.table.where}: {self.table.place(row)}: the column {self.layout.time!r} "
            "(`data.time`) must hold numbers, or dates and times as ISO 8601 writes them, such as "
            f"2024-05-31 or 2024-05-31 17:00:00.5, all with a time zone or none. Received: "
            f"{values[row]!r:.60}"
        )

    def _times(self, column: pa.Array, row: int) -> np.ndarray:
        missing = column.is_null(nan_is_null=pa.types.is_floating(column.type))
        if pc.any(missing).as_py():
            place = self.table.place(row + int(missing.to_numpy(zero_copy_only=False).argmax()))
            raise DataError(
                f"{self.table.where}: {place} has no time in the column {self.layout.time!r} "
                "(`data.time`). Fill it in, or leave the row out."
            )
        if is_moment(column.type):
            column = column.cast(pa.int64())
        times: np.ndarray = column.to_numpy()
        return times


def by_name(names: Iterable[str]) -> np.ndarray:
    """Returns the order in which names are sorted, as class names are, `[len(names)]` indices.

    Example:
        >>> by_name(["b", "c", "a"]).tolist()
        [2, 0, 1]
    """
    given = np.array(list(names))
    numbers = {name: i for i, name in enumerate(given.tolist())}
    return np.array([numbers[name] for name in sorted_names(given)], np.int64)


def trimmed(texts: pa.Array) -> pa.StringArray:
    """Returns texts without blanks around them; a missing one is ""."""
    return pc.utf8_trim_whitespace(pc.fill_null(texts, ""))


def _starts(columns: list[pa.StringArray], rows: int) -> np.ndarray:
    """Returns where rows differ from the row before them in some column; the first is 0."""
    new = np.zeros(rows, bool)
    new[:1] = True
    for column in columns:
        ends = pc.run_end_encode(column, pa.int64()).run_ends.to_numpy()
        new[ends[:-1]] = True
    return np.flatnonzero(new)


def _is_no_time(text: str) -> bool:
    return bool(pa.types.is_null(_type_of_texts(pa.chunked_array([[text]]))))


def _type_of_texts(column: pa.ChunkedArray) -> pa.DataType:
    """Returns the type of times that texts are written in; null: none."""
    texts = pc.drop_null(pc.cast(column, pa.string()))
    for kind in (pa.float64(), pa.timestamp("ns"), pa.timestamp("ns", "UTC"), pa.time64("ns")):
        try:
            times_of_day(texts) if pa.types.is_time(kind) else pc.cast(texts, kind)
        except pa.ArrowException:
            continue
        return kind
    return pa.null()
