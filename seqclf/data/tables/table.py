"""`Table`: what all readers of tables share, whether they read a file or a data frame."""

from collections.abc import Iterator, Mapping
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc


class Table(Protocol):
    """A table that can be read several times, in batches of rows.

    Attributes:
        where: the file, or "data frame", as messages begin.
        kind: "CSV", "Parquet" or "data frame".
        decimal: the decimal mark of a CSV file; of others ".".
        columns: the name of each column with the type of its values; of a CSV file the type that
            the first rows suggest.
        sample: the first rows, all columns.
    """

    where: str
    kind: str
    decimal: str
    columns: Mapping[str, pa.DataType]
    sample: pa.Table

    def batches(self, types: Mapping[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
        """Yields the rows in their order, some columns of them.

        Args:
            types: the name of each column that is read, with the type that it gets.

        Raises:
            DataError: a value is not of its type, or the file is damaged.
        """
        ...

    def place(self, row: int) -> str:
        """Returns the words that tell people where a row is, such as "line 17".

        Args:
            row: the number of the row, from 0; the header and blank lines do not count.
        """
        ...


def is_number(kind: pa.DataType) -> bool:
    """Returns whether values of an Arrow type can be a feature; a column without values can."""
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_null(kind)
    )


def is_text(kind: pa.DataType) -> bool:
    """Returns whether an Arrow type holds text, perhaps as a dictionary (pandas' categories)."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or str(kind) == "string_view"
    )


def is_number_text(text: str) -> bool:
    """Returns whether a text is a number, such as a name in a header that is missing."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def number_columns(columns: Mapping[str, pa.DataType]) -> tuple[list[str], list[str]]:
    """Returns the columns whose values can be features, and the others with what they hold.

    Columns without a name, and those that pandas calls `Unnamed: 0`, are among the others.
    """
    values = [
        name
        for name, kind in columns.items()
        if is_number(kind) and name and not name.startswith("Unnamed:")
    ]
    others = [
        f"{name or repr(name)} ({in_words(kind)})"
        for name, kind in columns.items()
        if name not in values
    ]
    return values, others


def not_read(others: list[str]) -> list[str]:
    """Returns the note about columns that are not read; no note if there are none."""
    return [f"columns that are not read: {listed(others)}"] if others else []


def is_moment(kind: pa.DataType) -> bool:
    """Returns whether an Arrow type holds a date, a time of day, or both, or a duration."""
    return bool(pa.types.is_temporal(kind))


def in_words(kind: pa.DataType) -> str:
    """Returns what a column holds, in words."""
    if is_text(kind):
        return "text"
    if is_moment(kind):
        return "dates"
    return "numbers" if is_number(kind) else str(kind)


def listed(names: "list[str] | tuple[str, ...]", most: int = 20) -> str:
    """Returns names with commas between them, and of many only the first."""
    shown = ", ".join(names[:most])
    return shown + (f", … ({len(names)} in all)" if len(names) > most else "")


def times_of_day(texts: pa.Array) -> pa.Array:
    """Returns texts such as 17:00:30.5 as times of day, in nanoseconds.

    Raises:
        pyarrow.ArrowInvalid: a text is no time of day.
    """
    dated = pc.binary_join_element_wise("1970-01-01", pc.cast(texts, pa.string()), " ")
    return pc.cast(pc.cast(dated, pa.timestamp("ns")), pa.time64("ns"))
