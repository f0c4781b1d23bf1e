"""Turns the labels of a source into class indices and class names."""

import contextlib
import dataclasses

import numpy as np

from seqclf.data.sequences import RawData
from seqclf.data.step_labels import (
    REMEDY,
    check_of_one_kind,
    counted_steps,
    labels_behind_note,
    place,
    spread,
)
from seqclf.errors import DataError

MISSING = ("nan", "None", "<NA>", "NaT")  # missing values as text


def with_class_indices(raw: RawData) -> tuple[RawData, tuple[str, ...]]:
    """Returns the same data with integer labels, and the class names.

    The class names are, in this order of preference, those of the source; for strings the labels
    themselves, sorted; for integers "0", "1", … up to the highest label of the training part.
    Labels of time steps become int32 `[N, T]`, with `NO_LABEL` where there is none.

    Raises:
        DataError: an example has no label, a label is not among the class names, integers are no
            class indices, or only some of the parts have labels of time steps.
    """
    for name, part in raw.parts.items():
        if part.labels is None:
            raise DataError(f"{raw.where}: the {name} split has no labels.")
    counted = {name: counted_steps(part, raw.where) for name, part in raw.parts.items()}
    check_of_one_kind(counted, raw.where)
    labels = {
        name: np.asarray(part.labels)[... if (steps := counted[name]) is None else steps]
        for name, part in raw.parts.items()
    }
    notes = (*raw.notes, *labels_behind_note(raw.parts.values()))
    if all(array.dtype.kind in "iu" for array in labels.values()):
        names = raw.class_names or _numbered(labels["train"], counted["train"], raw.where)
        indices = labels
    else:
        texts = {name: _texts(array, counted[name], raw.where) for name, array in labels.items()}
        names = raw.class_names or sorted_names(np.concatenate(list(texts.values())))
        indices = {n: _indices(text, counted[n], names, raw.where) for n, text in texts.items()}
        notes = (*notes, *similar_names_note(names))
    parts = {
        name: dataclasses.replace(part, labels=spread(indices[name], counted[name]))
        for name, part in raw.parts.items()
    }
    return raw.changed(parts=parts, class_names=names, notes=notes), names


def sorted_names(labels: np.ndarray) -> tuple[str, ...]:
    """Returns the different labels: by their values if all are numbers, otherwise by the alphabet.

    Args:
        labels: an array of strings.

    Example:
        >>> sorted_names(np.array(["10", "9", "10"])), sorted_names(np.array(["b", "a"]))
        (('9', '10'), ('a', 'b'))
    """
    names = [str(name) for name in np.unique(labels.astype(str))]
    try:
        numbers = [float(name) for name in names]
    except ValueError:
        return tuple(names)
    if not np.isfinite(numbers).all():  # "nan" and "inf" are words here
        return tuple(names)
    return tuple(name for _, name in sorted(zip(numbers, names, strict=True)))


def similar_names_note(names: tuple[str, ...]) -> tuple[str, ...]:
    """Returns a note for the first two class names that one may have meant as one."""
    seen: dict[str, str] = {}
    for name in names:
        plain = " ".join(name.split()).casefold()
        with contextlib.suppress(ValueError):
            plain = str(float(plain))
        if (other := seen.setdefault(plain, name)) != name:
            return (f"the labels {other!r} and {name!r} are read as two classes",)
    return ()


def _numbered(labels: np.ndarray, counted: np.ndarray | None, where: str) -> tuple[str, ...]:
    """Returns the names "0", "1", … up to the highest label, for sources without class names.

    Raises:
        DataError: a label is so high that a class below it must be empty.
    """
    if not len(labels):
        raise DataError(f"{where}: there are no examples to train on.")
    highest = int(labels.argmax())
    if labels[highest] >= len(labels):
        raise DataError(
            f"{where}: labels must be the class indices 0, 1, 2, … without a gap. "
            f"Received: {labels[highest]} at {place(highest, counted)}, of {len(labels)} "
            f"{'examples' if counted is None else 'labels'}"
        )
    return tuple(str(i) for i in range(int(labels[highest]) + 1))


def _texts(labels: np.ndarray, counted: np.ndarray | None, where: str) -> np.ndarray:
    """Returns labels as strings."""
    if labels.dtype.kind not in "OUiub":
        raise DataError(
            f"{where}: labels must be integers or strings. Received: dtype {labels.dtype}. Whole "
            "numbers become integers by .astype(int), and bytes strings by .astype(str)."
        )
    if (missing := is_missing(labels)).any():
        remedy = "" if counted is None else f" {REMEDY}"
        raise DataError(f"{where}: {place(int(missing.argmax()), counted)} has no label.{remedy}")
    return labels.astype(str)


def is_missing(values: np.ndarray) -> np.ndarray:
    """Returns which values are missing: None, NaN, pandas' NA, or an empty string; bool `[N]`."""
    texts = values.astype(str)
    missing: np.ndarray = texts == ""
    for i in np.flatnonzero(np.isin(texts, MISSING) & ~missing):
        missing[i] = not isinstance(values[i], str)  # the text "None" may be a name
    return missing


def _indices(
    labels: np.ndarray, counted: np.ndarray | None, names: tuple[str, ...], where: str
) -> np.ndarray:
    """Returns the index of each label among the class names."""
    order = np.argsort(np.array(names))
    found = np.searchsorted(np.array(names)[order], labels)
    indices = order[np.minimum(found, len(names) - 1)]
    wrong = np.array(names)[indices] != labels
    if wrong.any():
        bad = int(wrong.argmax())
        raise DataError(
            f"{where}: every label must be one of the class names {', '.join(names[:20])}. "
            f"Received: {str(labels[bad])!r} at {place(bad, counted)}"
        )
    return indices.astype(np.int32)
