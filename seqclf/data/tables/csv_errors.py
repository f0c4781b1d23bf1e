"""Finds out why a CSV file cannot be read, and says which line it is and what to do."""

import contextlib
import csv
import gzip
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Protocol, cast

import pyarrow as pa
from pyarrow import csv as arrow_csv

from seqclf.errors import DataError

CHUNK = 2**20
LONGEST_HEADER = 2**24  # bytes
# The words for a missing number: pyarrow's own (an empty value, NA, NaN, null, …), and two more.
MISSING_WORDS = [*arrow_csv.ConvertOptions().null_values, "None", "<NA>"]
THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+")
DECIMAL_COMMA = re.compile(r"\s*[-+]?\d+,\d+([eE][-+]?\d+)?\s*")
DATE = re.compile(r"\s*(\d{4}-\d\d?-\d\d?|\d\d?[./-]\d\d?[./-]\d{2,4}|\d\d?:\d\d)\b.*")


class CsvFile(Protocol):
    """The attributes of a `CsvTable` that messages about an unreadable file need."""

    where: str
    file: Path
    separator: str
    decimal: str
    packed: bool


def opened(table: CsvFile) -> IO[bytes]:
    """Opens the unpacked bytes of a file."""
    if table.packed:
        return cast(IO[bytes], gzip.open(table.file, "rb"))
    return table.file.open("rb")


def first_line_of(table: CsvFile) -> str:
    """Returns the header of a CSV file.

    Raises:
        DataError: the file is empty, is no text, its header is not UTF-8 or is endless.
    """
    try:
        with opened(table) as stream:
            line = stream.readline(LONGEST_HEADER)
            start = line + stream.read(CHUNK)
    except (OSError, EOFError) as error:
        raise DataError(
            f"{table.where}: damaged or truncated ({error}). Copy or write it again."
        ) from error
    if not start.strip(b"\xef\xbb\xbf \r\n\t"):
        raise DataError(f"{table.where}: the file is empty.")
    if not start[len(line) :].strip() and b"\r" not in line.strip():
        raise DataError(f"{table.where}: the file has a header and no rows.")
    if (zero := start.find(b"\0")) >= 0:
        coded = start[:2] in (b"\xff\xfe", b"\xfe\xff")
        remedy = (
            f"It is UTF-16: convert it with `iconv -f UTF-16 -t UTF-8 {table.file.name}`."
            if coded
            else "The file is damaged, or no text: write it as CSV in UTF-8."
        )
        number = start.count(b"\n", 0, zero) + 1
        raise DataError(f"{table.where}: line {number} holds a zero byte. {remedy}")
    if len(line) == LONGEST_HEADER:
        raise DataError(
            f"{table.where}: line 1 is longer than {LONGEST_HEADER >> 20} MiB. A header with the "
            "names of the columns must be the first line, and each row a line of its own."
        )
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _not_utf8(table) from None


def line_of_row(table: CsvFile, row: int) -> int | None:
    """Returns the number of the line, from 1, at which a row begins; None: it cannot be found.

    Args:
        table: the file.
        row: the number of the row, from 0, without header and blank lines.
    """
    with contextlib.suppress(csv.Error, OSError, EOFError):
        for number, (line, _) in enumerate(_rows(table), start=-1):
            if number == row:
                return line
    return None


def why_unreadable(
    table: CsvFile, error: Exception, types: Mapping[str, pa.DataType] | None
) -> DataError:
    """Returns the error that tells people why a file cannot be read.

    Args:
        table: the file.
        error: what pyarrow says.
        types: the columns that are read, with their types; None: all, with types that it guesses.
    """
    said = str(error)
    if isinstance(error, UnicodeError) or "UTF8" in said:
        return _not_utf8(table)
    if "straddling" in said or "block boundary" in said:
        return DataError(
            f"{table.where}: a line is longer than 256 MiB, or a quote that opens is never closed. "
            "Each row must be a line of its own."
        )
    if "Expected" in said and "columns" in said and (found := _uneven(table)):
        return found
    if "conversion error" in said and types is not None and (found := _unfit(table, types)):
        return found
    if isinstance(error, (EOFError, OSError)) and not isinstance(error, pa.ArrowException):
        return DataError(f"{table.where}: damaged or truncated ({said}). Copy or write it again.")
    return DataError(f"{table.where}: cannot be read as CSV ({said[:300]}).")


def wrong_separator(table: CsvFile, header: list[str]) -> DataError | None:
    """Returns the error for a header of one column that holds another separator, or None."""
    other = next((mark for mark in ";\t|," if mark in header[0] and mark != table.separator), None)
    if len(header) > 1 or other is None:
        return None
    said = "tab" if other == "\t" else f"'{other}'"
    return DataError(
        f"{table.where}: line 1 holds only one column, {header[0][:60]!r}. The values seem to be "
        f"separated by {said}: set `data.separator` to {said}. Received: {table.separator!r}"
    )


def unfit(where: str, place: str, column: str, value: Any, decimal: str = ".") -> DataError:
    """Returns the error for a value that is no number in a column of numbers.

    Args:
        where: the file.
        place: its line or row, in words.
        column: the name of the column.
        value: what it holds.
        decimal: the decimal mark that is expected.
    """
    text = str(value)
    if decimal != "," and THOUSANDS.fullmatch(text):
        remedy = (
            "If the comma marks thousands, write numbers without it; if it is a decimal comma, set "
            "`data.decimal` to ','."
        )
    elif decimal != "," and DECIMAL_COMMA.fullmatch(text):
        remedy = "It has a decimal comma: set `data.decimal` to ','."
    elif DATE.fullmatch(text):
        remedy = (
            "A date cannot be a feature: leave the column out of `data.features`, or name it in "
            "`data.time`."
        )
    else:
        remedy = (
            "Correct the value (an empty one is missing), or leave the column out "
            "(`data.features` names those that are read)."
        )
    return DataError(
        f"{where}: {place}: the column {column!r} must hold numbers. Received: {text[:60]!r}. "
        f"{remedy}"
    )


def _rows(table: CsvFile) -> Iterator[tuple[int, list[str]]]:
    """Yields the line at which a row begins, and its values; the header is the first."""
    with opened(table) as stream:
        lines = (line.decode("utf-8-sig", "replace") for line in stream)
        reader = csv.reader(lines, delimiter=table.separator)
        line = 1
        for values in reader:
            if values:
                yield line, values
            line = reader.line_num + 1


def _not_utf8(table: CsvFile) -> DataError:
    line, before = 1, 0
    with opened(table) as stream:
        for text in stream:
            try:
                text.decode()
            except UnicodeDecodeError as error:
                byte = text[error.start]
                return DataError(
                    f"{table.where}: line {line} (byte {before + error.start} of the file) is not "
                    f"UTF-8. Received: the byte 0x{byte:02x}. If the file is of Windows, convert "
                    f"it with `iconv -f WINDOWS-1252 -t UTF-8 {table.file.name} > utf8.csv`."
                )
            line, before = line + 1, before + len(text)
    return DataError(f"{table.where}: it is not UTF-8.")


def _uneven(table: CsvFile) -> DataError | None:
    with contextlib.suppress(csv.Error, OSError, EOFError):
        rows = _rows(table)
        _, header = next(rows)
        for line, values in rows:
            if len(values) != len(header):
                if found := wrong_separator(table, header):
                    return found
                return DataError(
                    f"{table.where}: line {line} has {len(values)} values and the header "
                    f"{len(header)}. Received: {table.separator.join(values)[:60]!r}. A value that "
                    f"holds the separator {table.separator!r} must be in quotes, and each quote "
                    "must be closed."
                )
    return None


def _unfit(table: CsvFile, types: Mapping[str, pa.DataType]) -> DataError | None:
    """Returns the error for the first value that is not of its column's type."""
    with contextlib.suppress(csv.Error, OSError, EOFError):
        rows = _rows(table)
        _, header = next(rows)
        names = [name.strip() for name in header]
        typed = [
            (i, name, types[name])
            for i, name in enumerate(names)
            if name in types and not pa.types.is_string(types[name])
        ]
        for line, values in rows:
            for i, name, kind in typed:
                if not _fits(values[i], kind, table.decimal):
                    place = f"line {line}"
                    if pa.types.is_floating(kind):
                        return unfit(table.where, place, name, values[i], table.decimal)
                    return DataError(
                        f"{table.where}: {place}: the column {name!r} must hold {kind}, as in the "
                        f"first rows{_reach(kind)}. Received: {values[i][:60]!r}"
                    )
    return None


def _reach(kind: pa.DataType) -> str:
    if not pa.types.is_timestamp(kind):
        return ""
    return " (dates and times between the years 1678 and 2261, all with a time zone or none)"


def _fits(value: str, kind: pa.DataType, decimal: str) -> bool:
    """Returns whether pyarrow reads a value of a CSV file as of a type."""
    if not value or (pa.types.is_floating(kind) and _is_number(value, decimal)):
        return True
    text = b"x\n" + b'"' + value.encode().replace(b'"', b'""') + b'"\n'
    options = arrow_csv.ConvertOptions(
        column_types={"x": kind},
        decimal_point=decimal,
        null_values=MISSING_WORDS,
    )
    try:
        arrow_csv.read_csv(pa.BufferReader(text), convert_options=options)
    except pa.ArrowException:
        return False
    return True


def _is_number(value: str, decimal: str) -> bool:
    try:
        float(value.replace(decimal, ".") if decimal != "." else value)
    except ValueError:
        return False
    return "_" not in value and (decimal == "." or "." not in value)
