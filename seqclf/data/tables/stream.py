"""Reads a table as a stream, one sequence after the other, in level memory.

A first pass over the ids (and times) finds out whether the rows of each sequence are together, so
that nothing is given out before that is known. If they are not, the table is read as a whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seqclf.config import DataConfig
from seqclf.data.sequences import RawData, Sequences
from seqclf.data.table_layout import TableLayout, mark
from seqclf.data.tables.blocks import BlockReader
from seqclf.data.tables.columns import check_present, layout_of, with_columns
from seqclf.data.tables.opening import open_any
from seqclf.data.tables.reading import read_table
from seqclf.data.tables.runs import Runs
from seqclf.data.tables.streamed import (
    Label,
    TableSequence,
    long_sequences,
    long_windows,
    wide_sequences,
)
from seqclf.data.tables.table import Table, listed, not_read
from seqclf.data.windows import LeftOut, cut_into_windows

__all__ = ["TableSequence", "TableStream", "open_table", "table_layout"]


@dataclass
class TableStream:
    """The sequences of a table, in the order in which they begin.

    It can be iterated over again.

    Attributes:
        notes: lines that tell people which columns are not read or missing, and whether the table
            is read as a whole.
        rows: the number of rows of the table, where it is known before all are read; otherwise 0.
        rows_read: how many rows have been read so far.
        left_out: what has given no window so far.
    """

    notes: tuple[str, ...]
    rows: int
    _reader: BlockReader
    _whole: bool
    rows_read: int = 0
    left_out: LeftOut = field(default_factory=LeftOut)

    @property
    def notes_so_far(self) -> tuple[str, ...]:
        """The `notes`, and what has been left out so far."""
        return (*self.notes, *self.left_out.in_words())

    @property
    def has_labels(self) -> bool:
        """Whether the table has the column with the class."""
        return bool(self._reader.layout.label)

    @property
    def cuts_windows(self) -> bool:
        """Whether recordings are cut into windows."""
        return self._reader.layout.window > 0

    def __iter__(self) -> Iterator[TableSequence]:
        self.rows_read, self.left_out = 0, LeftOut()
        if self._whole:
            yield from self._all_at_once()
            return
        layout = self._reader.layout
        if layout.window:
            yield from long_windows(self._reader, self._count, self.left_out)
            return
        read = wide_sequences if layout.form == "wide" else long_sequences
        yield from read(self._reader, self._count)

    def _count(self, rows: int) -> None:
        self.rows_read += rows

    def _all_at_once(self) -> Iterator[TableSequence]:
        reader = self._reader
        layout = reader.layout
        part, _ = read_table(reader.table, layout, reader.labelled, reader.per_step)
        if layout.window:
            raw = RawData({"train": part}, "", reader.table.where)
            raw, self.left_out = cut_into_windows(
                raw, layout.window, layout.stride, layout.window_label, labelled=reader.labelled
            )
            part = raw.parts["train"]
        self.rows_read = self.rows
        for i in range(len(part)):
            yield _sequence(part, i, layout)


def _sequence(part: Sequences, i: int, layout: TableLayout) -> TableSequence:
    def text(values: np.ndarray | None) -> str | None:
        return None if values is None else str(values[i]) or None

    length = part.x.shape[1] if part.lengths is None else int(part.lengths[i])
    label: Label = None
    if part.labels is not None and part.labels.ndim == 2:
        names = (*part.step_label_names, None)  # the last one is that of `NO_LABEL`
        label = tuple(names[index] for index in part.labels[i, :length].tolist())
    else:
        label = text(part.labels)
    return TableSequence(
        id=text(part.ids) or str(i),
        x=part.x[i, :length],
        label=label,
        group=text(part.groups) if layout.group else None,
        split=text(part.splits),
    )


def open_table(
    source: Any, layout: TableLayout, *, labelled: bool, per_step: bool = False
) -> TableStream:
    """Opens a table by a known layout, for predictions or to be written as shards.

    Args:
        source: a CSV or Parquet file, which its first bytes tell apart, or a data frame.
        layout: the columns, found by their names. Those of group and split may be missing.
        labelled: whether each row must have a label. Otherwise the column may be missing, and a
            label that is missing is None.
        per_step: whether each row of the long form has a label of its own, or none; with `labelled`
            one row of a sequence must have one.

    Raises:
        DataError: the file cannot be read, or columns are missing.
    """
    table = open_any(source, layout.separator, layout.decimal)
    needed = [layout.id, layout.time, *layout.values, *([layout.label] if labelled else [])]
    check_present(table, filter(None, needed))
    present = with_columns(layout, table.columns)
    notes = _differences(table, layout, present)
    reader = BlockReader(table, present, labelled, per_step)
    if layout.form == "wide":
        return TableStream(tuple(notes), 0, reader, whole_wide(layout))
    if not (reader.roles or present.time):  # one recording, with nothing to sort by or to check
        return TableStream(tuple(notes), 0, reader, False)
    rows, in_order = _first_pass(reader)
    if not in_order:
        notes.append(
            "the rows of a sequence are apart or not in order of time, so the table is read as a "
            "whole; one that is sorted by id and time needs less memory"
        )
    return TableStream(tuple(notes), rows, reader, not in_order)


def whole_wide(layout: TableLayout) -> bool:
    """Returns whether a table of the wide form is read as a whole: to be cut into windows."""
    return layout.form == "wide" and layout.window > 0


def table_layout(path: str, config: DataConfig) -> tuple[TableLayout, tuple[str, ...]]:
    """Returns the layout of a CSV or Parquet file, and what was guessed of it.

    Args:
        path: the file.
        config: the columns that the user names; the others are found by their names.

    Raises:
        DataError: the file cannot be read, or a column is missing or cannot be found.
        ConfigError: keys contradict each other.
    """
    return layout_of(open_any(path, mark(config.separator), config.decimal), config)


def _differences(table: Table, layout: TableLayout, present: TableLayout) -> list[str]:
    roles = ("id", "time", "group", "split", "label")
    known = {*layout.values, *(getattr(layout, role) for role in roles)}
    extra = [name or repr(name) for name in table.columns if name not in known]
    missing = [
        getattr(layout, role)
        for role in roles
        if getattr(layout, role) and not getattr(present, role)
    ]
    notes = not_read(extra)
    if layout.label in missing and not present.label:
        missing.remove(layout.label)
        notes.append(f"no column {layout.label!r}: the true classes are not known")
    return [*notes, f"columns that are missing: {listed(missing)}"] if missing else notes


def _first_pass(reader: BlockReader) -> tuple[int, bool]:
    """Returns the number of rows, and whether those of each sequence are together, in order.

    Raises:
        DataError: an id or a time is missing, two rows have the same, or a label changes.
    """
    runs, rows = Runs(reader), 0
    for block in reader.blocks(values=False):
        runs.add(block)
        rows += block.rows
    return rows, runs.found(rows) is not None
