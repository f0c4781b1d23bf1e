"""Labels of each time step, `[N, T]`: which of them count, and the form that training uses.

A time step without a label, in the middle of a sequence or behind its end, has `NO_LABEL` there. It
is read like the others, and nothing is asked about it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from seqclf.data.sequences import Sequences
from seqclf.errors import DataError

NO_LABEL = -1
REMEDY = "A time step without a label has -1 among integers, and an empty string among strings."


def labels_that_count(y: np.ndarray) -> np.ndarray:
    """Returns the class indices of labels as a vector, without `NO_LABEL`.

    Args:
        y: class indices, `[N]`, or `[N, T]` for one at each time step.

    Example:
        >>> labels_that_count(np.array([[2, 0, -1], [1, -1, -1]])).tolist()
        [2, 0, 1]
    """
    return y if y.ndim == 1 else y[y != NO_LABEL]


def counted_steps(part: Sequences, where: str) -> np.ndarray | None:
    """Returns which time steps have a label, bool `[N, T]`; None: each example has one label.

    What stands behind the end of a sequence is not looked at.

    Args:
        part: examples with labels as the source gives them, of a shape that fits `x`.
        where: the beginning of messages.

    Raises:
        DataError: labels are no integers or strings, or a sequence has none.
    """
    labels = np.asarray(part.labels)
    if labels.ndim == 1:
        return None
    valid = valid_steps(labels.shape, part.lengths)
    if labels.dtype.kind not in "OUiub":
        raise DataError(
            f"{where}: labels must be integers or strings. Received: dtype {labels.dtype}. Whole "
            f"numbers become integers by .astype(int). {REMEDY}"
        )
    counted: np.ndarray = valid & have_label(labels)
    if not (any_label := counted.any(axis=1)).all():
        raise DataError(
            f"{where}: a sequence needs a label at one of its time steps at least. Received: none "
            f"at example {int(any_label.argmin())}. Leave it out."
        )
    return counted


def have_label(labels: np.ndarray) -> np.ndarray:
    """Returns which of the labels of time steps, integers or strings, stand for a class.

    Example:
        >>> have_label(np.array([2, -1])).tolist(), have_label(np.array(["", "run"])).tolist()
        ([True, False], [False, True])
    """
    have: np.ndarray = labels != NO_LABEL if labels.dtype.kind in "iu" else labels.astype(str) != ""
    return have


def valid_steps(shape: tuple[int, ...], lengths: np.ndarray | None) -> np.ndarray:
    """Returns which time steps are no padding, bool `[N, T]`.

    Args:
        shape: N and T.
        lengths: `[N]`, the number of valid time steps; None: all are valid.
    """
    if lengths is None:
        return np.ones(shape[:2], bool)
    valid: np.ndarray = np.arange(shape[1]) < np.asarray(lengths)[:, None]
    return valid


def place(index: int, counted: np.ndarray | None) -> str:
    """Returns where a label is, in words.

    Args:
        index: its index among the labels that count.
        counted: what `counted_steps` returned.
    """
    if counted is None:
        return f"example {index}"
    example, step = np.unravel_index(int(np.flatnonzero(counted)[index]), counted.shape)
    return f"example {example}, time step {step}"


def spread(indices: np.ndarray, counted: np.ndarray | None) -> np.ndarray:
    """Returns class indices at the time steps that have one, int32 `[N, T]`, else `NO_LABEL`.

    Args:
        indices: the class indices of the labels that count.
        counted: what `counted_steps` returned; None returns the indices as they are.
    """
    if counted is None:
        return indices
    y = np.full(counted.shape, NO_LABEL, np.int32)
    y[counted] = indices
    return y


def without_label_note(parts: Iterable[Sequences]) -> tuple[str, ...]:
    """Returns a note about the time steps that have no label, if there are such.

    Args:
        parts: examples with class indices as labels.
    """
    valid = without = 0
    for part in parts:
        if part.labels is not None and part.labels.ndim == 2:
            steps = valid_steps(part.labels.shape, part.lengths)
            valid += int(steps.sum())
            without += int((steps & (part.labels == NO_LABEL)).sum())
    if not without:
        return ()
    return (f"{without:,} of {valid:,} time steps have no label: they are read, and do not count",)


def check_of_one_kind(counted: Mapping[str, np.ndarray | None], where: str) -> None:
    """Checks that all parts have labels of time steps, or none.

    Args:
        counted: what `counted_steps` returned for each part, by its name.
        where: the beginning of the message.

    Raises:
        DataError: some have and others have not.
    """
    per_step = [name for name, steps in counted.items() if steps is not None]
    if per_step and len(per_step) < len(counted):
        others = [name for name in counted if name not in per_step]
        raise DataError(
            f"{where}: the labels of all splits must be [N], one for each sequence, or [N, T], one "
            f"for each time step. Received: [N, T] for {', '.join(per_step)}, [N] for "
            f"{', '.join(others)}"
        )


def labels_behind_note(parts: Iterable[Sequences]) -> tuple[str, ...]:
    """Returns a note about labels behind the ends of sequences, unless they are one filler.

    Args:
        parts: examples with labels as the source gives them.
    """
    behind: list[str] = []
    for part in parts:
        labels = np.asarray(part.labels)
        if labels.ndim == 2 and part.lengths is not None:
            found = labels[~valid_steps(labels.shape, part.lengths)].astype(str)
            behind += found[(found != str(NO_LABEL)) & (found != "")].tolist()
    if len(set(behind)) < 2:
        return ()
    return (
        f"{len(behind):,} labels stand behind the ends of their sequences, and differ from each "
        "other: they are not read. Check `lengths`",
    )


def as_step_labels(labels: Any, shape: tuple[int, ...], lengths: np.ndarray | None) -> np.ndarray:
    """Returns a list of labels `[T_i]`, one array for each sequence, as one array `[N, T]`.

    Args:
        labels: the list; the labels of a sequence are integers or strings.
        shape: N and T of the padded sequences.
        lengths: `[N]`, the number of valid time steps; None: all are valid.

    Raises:
        DataError: there are more or fewer labels than time steps, or they are no integers or
            strings.
    """
    rows = [np.asarray(each) for each in labels]
    wanted = np.full(shape[0], shape[1]) if lengths is None else lengths
    if len(rows) != shape[0]:
        raise DataError(
            f"`labels` must have {shape[0]} entries, one for each sequence. Received: {len(rows)}"
        )
    for i, (row, length) in enumerate(zip(rows, wanted, strict=True)):
        if row.shape != (length,):
            raise DataError(
                "Labels of time steps must be a list with an array [T_i] for each sequence, as "
                f"long as the sequence. Received: {list(row.shape)} for a sequence of {length} "
                f"time steps, at sequence {i}"
            )
        if row.dtype.kind not in "OUiub":
            raise DataError(
                f"Labels must be integers or strings. Received: {row.dtype}, at sequence {i}. "
                f"Whole numbers become integers by .astype(int). {REMEDY}"
            )
    whole = all(row.dtype.kind in "iu" for row in rows)
    y = np.full(shape[:2], NO_LABEL if whole else "", np.int64 if whole else object)
    for row, given in zip(y, rows, strict=True):
        row[: len(given)] = given
    return y


def are_lists(labels: Any) -> bool:
    """Returns whether labels are a list with the labels of each sequence, and no array."""
    if hasattr(labels, "__array__"):
        labels = np.asarray(labels)
        if labels.dtype != np.dtype(object) or labels.ndim != 1:
            return False
    elif not isinstance(labels, (list, tuple)):
        return False
    return any(hasattr(one, "__len__") and not isinstance(one, (str, bytes)) for one in labels)
