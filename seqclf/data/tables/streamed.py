"""Yields the sequences or the windows of a table whose rows are in order, block by block."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from seqclf.data.tables.blocks import Block, BlockReader, by_name
from seqclf.data.tables.row_labels import no_label
from seqclf.data.tables.wide_form import lengths_of, texts_of_rows
from seqclf.data.windows import LeftOut

Label = str | tuple[str | None, ...] | None
Counter = Callable[[int], None]  # is told how many rows were read


@dataclass(frozen=True)
class TableSequence:
    """One sequence of a table.

    Attributes:
        id: its id; in a table without ids its number, from 0. A window has that of its recording,
            a colon, and the number of its first row in the recording.
        x: float32 `[T, D]`, a missing value is NaN.
        label: its class; or the class of each of its T time steps; None: it is not known.
        group: the group that it belongs to; None: the table does not say.
        split: the split that it belongs to; None: the table does not say.
    """

    id: str
    x: np.ndarray
    label: Label
    group: str | None
    split: str | None


@dataclass
class _Open:
    """A sequence of which rows are still to come."""

    texts: dict[str, str]
    x: list[np.ndarray]
    labels: list[np.ndarray]

    def rows(self) -> np.ndarray:
        return self.x[0] if len(self.x) == 1 else np.concatenate(self.x)

    def named(self, name: str, x: np.ndarray, label: Label) -> TableSequence:
        get = self.texts.get
        return TableSequence(name, x, label, get("group") or None, get("split") or None)


def long_sequences(reader: BlockReader, count: Counter) -> Iterator[TableSequence]:
    """Yields the sequences of a table of the long form."""
    for number, each in enumerate(_recordings(reader, count, lambda open_: iter(()))):
        assert isinstance(each, _Open)
        name = each.texts.get("id", str(number))
        label: Label = each.texts.get("label") or None
        if reader.per_step:
            label = _of_rows(np.concatenate(each.labels), reader)
            if reader.labelled and not any(label):
                raise no_label(reader, name)
        yield each.named(name, each.rows(), label)


def _of_rows(labels: np.ndarray, reader: BlockReader) -> tuple[str | None, ...]:
    """Returns the labels of rows as texts; None: a row has none."""
    names = list(reader.label_names)
    return tuple(names[index] or None for index in labels.tolist())


def long_windows(reader: BlockReader, count: Counter, left_out: LeftOut) -> Iterator[TableSequence]:
    """Yields the windows of the recordings of a table of the long form.

    Args:
        reader: what reads the blocks.
        count: is told how many rows were read.
        left_out: what gives no window is counted there.
    """
    cutter = _Cutter(reader, left_out)
    for each in _recordings(reader, count, cutter.cut):
        if isinstance(each, TableSequence):
            yield each
        elif cutter.has_cut:
            left_out.ends += cutter.left
        else:
            left_out.short += 1


def _recordings(
    reader: BlockReader, count: Counter, more: Callable[[_Open], Iterator[TableSequence]]
) -> Iterator["_Open | TableSequence"]:
    """Yields each sequence when it is complete, and what `more` makes of it whenever it grows."""
    by = ("id", "split") if reader.layout.window else ("id",)
    last: _Open | None = None
    for block in reader.blocks():
        assert block.x is not None
        for texts, rows in _runs(block):
            if last is None or any(texts.get(role) != last.texts.get(role) for role in by):
                if last is not None:
                    yield last
                last = _Open(texts, [], [])
            last.x.append(block.x[rows])
            if block.step_labels is not None:
                last.labels.append(block.step_labels[rows])
            yield from more(last)
        count(block.rows)
    if last is not None:
        yield last


def _runs(block: Block) -> Iterator[tuple[dict[str, str], slice]]:
    """Yields the texts and the rows of each run of a block."""
    columns = {role: texts.to_pylist() for role, texts in block.texts.items()}
    bounds = [*block.starts.tolist(), block.rows]
    for i in range(len(block.starts)):
        texts = {role: values[i] for role, values in columns.items()}
        yield texts, slice(bounds[i], bounds[i + 1])


class _Cutter:
    """Cuts windows off recordings while they are read.

    Args:
        reader: what reads the blocks.
        left_out: windows without a label are counted there.
    """

    def __init__(self, reader: BlockReader, left_out: LeftOut):
        self._reader, self._layout, self._left_out = reader, reader.layout, left_out
        self._recording: _Open | None = None
        self._recordings = -1  # the number of the one that is being read
        self._start = 0  # the row of it at which the next window begins
        self._gone = 0  # how many of its rows are no longer held
        self._rows = 0  # how many of its rows have been read
        self._seen: tuple[str, int] = ("", 0)  # the id, and how many recordings had it

    @property
    def has_cut(self) -> bool:
        """Whether the last recording has given a window."""
        return self._start > 0

    @property
    def left(self) -> int:
        """The number of rows behind the last window of the recording."""
        end = self._start - self._layout.stride + self._layout.window
        return max(0, self._rows - end)

    def cut(self, recording: _Open) -> Iterator[TableSequence]:
        """Yields the windows that have become complete, and drops the rows that no other needs."""
        if recording is not self._recording:
            self._recording, self._start, self._gone = recording, 0, 0
            self._recordings += 1
            name = recording.texts.get("id", str(self._recordings))
            self._seen = (name, self._seen[1] + 1 if name == self._seen[0] else 1)
        window, stride = self._layout.window, self._layout.stride
        held = sum(map(len, recording.x))
        self._rows = self._gone + held
        if self._gone + held < self._start + window:
            return
        x = recording.rows()
        labels = np.concatenate(recording.labels) if recording.labels else None
        name, times = self._seen
        name = name if times == 1 else f"{name}#{times}"
        while self._gone + held >= self._start + window:
            rows = slice(self._start - self._gone, self._start - self._gone + window)
            label = None if labels is None else self._label(labels[rows])
            if self._reader.labelled and isinstance(label, tuple) and not any(label):
                self._left_out.unlabelled += 1
            else:
                yield recording.named(f"{name}:{self._start}", x[rows], label)
            self._start += stride
        dropped = min(self._start - self._gone, held)
        recording.x = [x[dropped:].copy()]
        recording.labels = [] if labels is None else [labels[dropped:].copy()]
        self._gone += dropped

    def _label(self, labels: np.ndarray) -> Label:
        if self._reader.per_step:
            return _of_rows(labels, self._reader)
        if self._layout.window_label == "last":
            chosen = int(labels[-1])
        else:
            counts = np.bincount(labels, minlength=len(self._reader.label_names))
            # Of equally frequent labels the first by name, as in `with_windows`.
            order = by_name(self._reader.label_names)
            chosen = int(order[counts[order].argmax()])
        return list(self._reader.label_names)[chosen] or None


def wide_sequences(reader: BlockReader, count: Counter) -> Iterator[TableSequence]:
    """Yields the sequences of a table of the wide form."""
    for block in reader.blocks():
        assert block.x is not None
        lengths = lengths_of(reader, block)
        texts = texts_of_rows(block)
        for i in range(block.rows):
            own = {role: values[i] for role, values in texts.items()}
            name = own.get("id", str(block.row + i))
            opened = _Open(own, [], [])
            x = block.x[i, : lengths[i], None]
            yield opened.named(name, x, own.get("label") or None)
        count(block.rows)
