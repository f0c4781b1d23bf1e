"""Labels of the rows of a long table as labels of time steps: a model classifies each row."""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np

from seqclf.data.labels import similar_names_note, sorted_names
from seqclf.data.sequences import Sequences
from seqclf.data.step_labels import NO_LABEL, valid_steps
from seqclf.data.tables.blocks import BlockReader
from seqclf.errors import DataError


def with_step_labels(part: Sequences, reader: BlockReader) -> Sequences:
    """Returns the sequences with the labels of their rows as class indices.

    Args:
        part: the sequences, whose `step_labels` were read row by row.
        reader: what has read the table.

    Returns:
        The sequences with `labels` int32 `[N, T]`, `NO_LABEL` at rows without a label and behind
        the end of a sequence. `step_label_names` are the class names that they count.

    Raises:
        DataError: there must be labels, and a sequence that is not cut into windows has none.
    """
    assert part.step_labels is not None
    names, ranks = ranked(part.step_label_names)
    labels = ranks[part.step_labels]
    labels[~valid_steps(labels.shape, part.lengths)] = NO_LABEL
    without = ~(labels != NO_LABEL).any(axis=1)
    if reader.labelled and without.any() and not reader.layout.window:
        assert part.ids is not None
        raise no_label(reader, str(part.ids[int(without.argmax())]))
    return dataclasses.replace(part, labels=labels, step_labels=None, step_label_names=names)


def ranked(given: Iterable[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """Returns class names in their order, and the index of each label among them.

    Args:
        given: labels, each once; "" stands for rows without a label.

    Returns:
        The names, and `[len(given)]` int32 indices; that of "" is `NO_LABEL`.

    Example:
        >>> ranked(["walk", "", "rest"])[0], ranked(["walk", "", "rest"])[1].tolist()
        (('rest', 'walk'), [1, -1, 0])
    """
    given = list(given)
    filled = [name for name in given if name]
    names = sorted_names(np.array(filled, object)) if filled else ()
    index = {name: i for i, name in enumerate(names)}
    return names, np.array([index.get(name, NO_LABEL) for name in given], np.int32)


class StepLabels:
    """The labels of the time steps of many sequences, 4 bytes for each."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}  # of the labels, as they are met
        self._rows: list[np.ndarray] = []

    def __len__(self) -> int:
        return len(self._rows)

    def append(self, labels: Sequence[str | None]) -> None:
        """Appends the labels of a sequence; None: a time step has none."""
        numbers = self._numbers
        own = [numbers.setdefault(label or "", len(numbers)) for label in labels]
        self._rows.append(np.array(own, np.int32))

    def given_to(self, part: Sequences) -> Sequences:
        """Returns the sequences with these labels and with lengths, as `with_step_labels` does."""
        names, ranks = ranked(self._numbers)
        lengths = np.array([len(row) for row in self._rows], np.int32)
        labels = np.full((len(lengths), lengths.max()), NO_LABEL, np.int32)
        for row, numbers in zip(labels, self._rows, strict=True):
            row[: len(numbers)] = ranks[numbers]
        return dataclasses.replace(part, labels=labels, lengths=lengths, step_label_names=names)


def no_label(reader: BlockReader, name: str) -> DataError:
    """Returns the error for a sequence none of whose rows has a label.

    Args:
        reader: what has read the table.
        name: the id of the sequence.
    """
    return DataError(
        f"{reader.table.where}: a sequence needs a label in one of its rows at least. Received: "
        f"none in {reader.layout.label!r} of the sequence {name!r}. Leave the sequence out."
    )


def doubtful_name_notes(names: Sequence[str] | None) -> tuple[str, ...]:
    """Returns notes about class names of rows that look like a mistake; None: there are none."""
    if names is None:
        return ()
    notes = similar_names_note(tuple(names))
    if str(NO_LABEL) in names:
        notes += (
            f"the label '{NO_LABEL}' is read as a class: in a table a row without a label has an "
            "empty one",
        )
    return notes
