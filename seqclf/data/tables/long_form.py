"""Reads a table of the long form, one row for each time step, as a whole."""

import numpy as np

from seqclf.data.sequences import Sequences
from seqclf.data.tables.blocks import BlockReader, by_name
from seqclf.data.tables.empty_columns import EmptyColumns
from seqclf.data.tables.pieces import Pieces
from seqclf.data.tables.runs import Found, Runs
from seqclf.data.tables.unsorted import order_of
from seqclf.data.tables.weights import weights_of

MUCH = 0.75  # fraction of padding from which on it is said


def read_long(reader: BlockReader) -> tuple[Sequences, list[str]]:
    """Returns the sequences of a table, in the order in which their ids are met.

    A table whose rows are in order is read once. Otherwise it is read twice: first for the place
    of each row, then for the values, so that these are in memory only once.

    Returns:
        The sequences, and notes.

    Raises:
        DataError: a value is no number, two rows have the same id and time, …
    """
    empty = EmptyColumns(reader)
    runs, pieces, labels = Runs(reader), Pieces(len(reader.layout.values)), []
    for block in reader.blocks():
        assert block.x is not None
        runs.add(block)
        if not runs.ordered:
            break
        empty.add(block)
        pieces.append(block.x)
        if block.step_labels is not None:
            labels.append(block.step_labels)
    found = runs.found(pieces.rows)
    if found is None:
        del pieces, runs
        return _read_unsorted(reader)
    lengths = np.diff(found.starts, append=pieces.rows)
    empty.check()
    notes = padding_note(lengths)
    x = pieces.padded(lengths)
    steps = _spread(np.concatenate(labels), lengths) if labels else None
    return _sequences(reader, found, x, lengths, steps), notes


def _read_unsorted(reader: BlockReader) -> tuple[Sequences, list[str]]:
    order = order_of(reader)
    starts = order.found.starts
    lengths = np.diff(starts, append=len(order.places))
    longest = int(lengths.max())
    # From the place among the sorted rows to the place in the padded array.
    shift = np.arange(len(starts)) * longest - starts
    x = np.zeros((len(starts), longest, len(reader.layout.values)), np.float32)
    flat = x.reshape(-1, x.shape[2])
    steps = None
    if order.step_labels is not None:
        steps = np.zeros((len(starts), longest), np.int32)
    empty = EmptyColumns(reader)
    notes = [] if reader.layout.time else [_together_note(order.places, order.found.starts)]
    for block in reader.blocks():
        rows = slice(block.row, block.row + block.rows)
        places = order.places[rows].astype(np.int64)
        places += shift[np.searchsorted(starts, places, side="right") - 1]
        flat[places] = block.x
        if steps is not None:
            assert order.step_labels is not None
            steps.reshape(-1)[places] = order.step_labels[rows]
        empty.add(block)
    empty.check()
    notes += padding_note(lengths)
    return _sequences(reader, order.found, x, lengths, steps), notes


def _together_note(places: np.ndarray, starts: np.ndarray) -> str:
    """Returns the note that rows of one id are put together although other rows lie between."""
    sequence = np.searchsorted(starts, places, side="right")  # of each row, in the table's order
    begins = np.flatnonzero(np.diff(sequence, prepend=0))
    apart = int((np.bincount(sequence[begins]) > 1).sum())
    return (
        f"{apart:,} of {len(starts):,} ids come again behind the rows of another id; their rows "
        "are put together. If an id names several sequences, make it unique"
    )


def _spread(values: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Returns values of rows as `[N, T]`, zeros behind each sequence."""
    valid = np.arange(int(lengths.max())) < lengths[:, None]
    spread = np.zeros(valid.shape, values.dtype)
    spread[valid] = values
    return spread


def _sequences(
    reader: BlockReader,
    found: Found,
    x: np.ndarray,
    lengths: np.ndarray,
    steps: np.ndarray | None,
) -> Sequences:
    texts = found.texts
    names: tuple[str, ...] = ()
    if steps is not None:
        order = by_name(reader.label_names)
        ranks = np.empty(len(order), np.int32)
        ranks[order] = np.arange(len(order))
        steps = ranks[steps]
        names = tuple(np.array(list(reader.label_names), object)[order])
    even = (lengths == lengths[0]).all()
    return Sequences(
        x,
        labels=texts.get("label"),
        lengths=None if even else lengths.astype(np.int32),
        ids=names_of(texts.get("id"), len(x)),
        groups=texts.get("group"),
        splits=texts.get("split"),
        weights=weights_of(reader, texts.get("weight"), texts.get("id")),
        step_labels=steps,
        step_label_names=names,
        owned=True,
    )


def padding_note(lengths: np.ndarray) -> list[str]:
    """Returns a note if most of the padded array is padding, because a few sequences are long.

    Args:
        lengths: the number of time steps of each sequence.

    Example:
        >>> len(padding_note(np.array([5, 6]))), len(padding_note(np.array([5, 6, 5, 6, 5, 900])))
        (0, 1)
    """
    longest = int(lengths.max())
    padding = 1 - float(lengths.mean()) / longest
    if padding < MUCH:
        return []
    return [
        f"the longest sequence has {longest:,} time steps, half of all have "
        f"{int(np.median(lengths)):,} or fewer: {padding:.0%} of what is held in memory is padding"
    ]


def names_of(ids: np.ndarray | None, count: int) -> np.ndarray:
    """Returns a name for each sequence: its id, with a number if a split divides a recording.

    Example:
        >>> names_of(np.array(["a", "a", "b"], object), 3).tolist()
        ['a', 'a#2', 'b']
    """
    if ids is None:
        return np.arange(count).astype(str).astype(object)
    if len(set(ids)) == count:
        return ids
    seen: dict[str, int] = {}
    names = []
    for name in ids:
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return np.array(names, object)
