"""CSV files as a `Table`; pyarrow parses them block by block."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import csv

from seqclf.data.tables.csv_errors import (
    MISSING_WORDS,
    first_line_of,
    line_of_row,
    why_unreadable,
    wrong_separator,
)
from seqclf.errors import DataError

BLOCK_BYTES = 2**20
LONGEST_LINE = 2**28  # bytes; a longer one is refused
# What pyarrow says if a line is longer than a block, or a value in quotes has line breaks.
LARGER_BLOCKS = ("straddling", "out of sync", "CSV parse error: Expected", "block boundary")


class CsvTable:
    """A CSV file, perhaps packed with gzip; see `Table`."""

    kind = "CSV"

    def __init__(self, file: Path, separator: str, decimal: str, packed: bool):
        """Opens a file and looks at its first rows.

        Args:
            file: the file.
            separator: the character between two values.
            decimal: the decimal mark.
            packed: whether the file is packed with gzip.

        Raises:
            DataError: it has no header or no rows, or is no CSV file in UTF-8.
        """
        self.where, self.file = str(file), file
        self.separator, self.decimal, self.packed = separator, decimal, packed
        header = first_line_of(self)
        self._block = max(BLOCK_BYTES, 16 * len(header))
        # The names are stripped: "id, time" has the columns "id" and "time".
        self._names: dict[str, str] = {}
        found = next(self._read(None), None)
        if found is None or not found.num_rows:
            raise DataError(f"{self.where}: the file has a header and no rows.")
        self._name_columns(found.schema.names)
        self.sample = pa.Table.from_batches([found]).rename_columns(list(self._names))
        self.columns: Mapping[str, pa.DataType] = dict(
            zip(self._names, self.sample.schema.types, strict=True)
        )

    def batches(self, types: Mapping[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
        for batch in self._read(types):
            yield pa.RecordBatch.from_arrays(batch.columns, list(types))

    def place(self, row: int) -> str:
        line = line_of_row(self, row)
        return f"line {line}" if line else f"row {row}"

    def _read(self, types: Mapping[str, pa.DataType] | None) -> Iterator[pa.RecordBatch]:
        """Yields batches; what needs larger blocks is read on with larger ones."""
        done, size = 0, self._block
        while True:
            skipped = 0
            try:
                for batch in self._blocks(types, size):
                    new = batch.slice(min(max(0, done - skipped), batch.num_rows))
                    skipped += batch.num_rows
                    if new.num_rows:
                        done += new.num_rows
                        yield new
                return
            except (pa.ArrowException, OSError, UnicodeError, EOFError) as error:
                wider = any(said in str(error) for said in LARGER_BLOCKS)
                if not wider or size >= LONGEST_LINE:
                    raise why_unreadable(self, error, types) from error
                size = self._block = min(16 * size, LONGEST_LINE)

    def _blocks(
        self, types: Mapping[str, pa.DataType] | None, size: int
    ) -> Iterator[pa.RecordBatch]:
        options: dict[str, Any] = {}
        if types is not None:
            raw = {self._names[name]: kind for name, kind in types.items()}
            options = {"column_types": raw, "include_columns": list(raw)}
        with (
            pa.OSFile(str(self.file)) as opened,
            pa.CompressedInputStream(opened, "gzip") if self.packed else opened as stream,
        ):
            reader = csv.open_csv(
                stream,
                csv.ReadOptions(block_size=size),
                csv.ParseOptions(delimiter=self.separator, newlines_in_values=size > BLOCK_BYTES),
                csv.ConvertOptions(
                    decimal_point=self.decimal, null_values=MISSING_WORDS, **options
                ),
            )
            yield from reader

    def _name_columns(self, raw: list[str]) -> None:
        for name in raw:
            if (known := name.strip()) in self._names:
                raise DataError(
                    f"{self.where}: the names of the columns must differ. Received: {known!r} "
                    "more than once. Rename or drop one; the first line must be a header."
                )
            self._names[known] = name
        if error := wrong_separator(self, raw):
            raise error
