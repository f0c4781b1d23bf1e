"""Turns the labels of a source into class indices and class names."""

import dataclasses

import numpy as np

from seqclf.data.sequences import RawData
from seqclf.errors import DataError


def with_class_indices(raw: RawData) -> tuple[RawData, tuple[str, ...]]:
    """Returns the same data with integer labels, and the class names.

    The class names are, in this order of preference, those of the source; for strings the labels
    themselves, sorted; for integers "0", "1", … up to the highest label of the training part.

    Raises:
        DataError: an example has no label, a label is not among the class names, or integers are
            no class indices.
    """
    for name, part in raw.parts.items():
        if part.labels is None:
            raise DataError(f"{raw.where}: the {name} split has no labels.")
        if part.labels.shape != (len(part),):
            raise DataError(
                f"{raw.where}: `y` must be of shape [{len(part)}], one for each example of `x`. "
                f"Received: {list(part.labels.shape)}"
            )
    labels = {name: np.asarray(part.labels) for name, part in raw.parts.items()}
    if all(array.dtype.kind in "iu" for array in labels.values()):
        names = raw.class_names or _numbered(labels["train"], raw.where)
        return raw.changed(class_names=names), names
    texts = {name: _texts(array, raw.where) for name, array in labels.items()}
    names = raw.class_names or sorted_names(np.concatenate(list(texts.values())))
    indices = {name: _indices(text, names, raw.where) for name, text in texts.items()}
    parts = {
        name: dataclasses.replace(part, labels=indices[name]) for name, part in raw.parts.items()
    }
    return raw.changed(parts=parts, class_names=names), names


def sorted_names(labels: np.ndarray) -> tuple[str, ...]:
    """Returns the different labels: by their values if all are integers, otherwise by the alphabet.

    Args:
        labels: an array of strings.

    Example:
        >>> sorted_names(np.array(["10", "9", "10"])), sorted_names(np.array(["b", "a"]))
        (('9', '10'), ('a', 'b'))
    """
    names = [str(name) for name in np.unique(labels.astype(str))]
    try:
        return tuple(sorted(names, key=int))
    except ValueError:
        return tuple(names)


def _numbered(labels: np.ndarray, where: str) -> tuple[str, ...]:
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
            f"Received: {labels[highest]} at example {highest}, of {len(labels)} examples"
        )
    return tuple(str(i) for i in range(int(labels[highest]) + 1))


def _texts(labels: np.ndarray, where: str) -> np.ndarray:
    """Returns labels as strings."""
    if labels.dtype.kind not in "OUiub":
        raise DataError(
            f"{where}: labels must be integers or strings. Received: dtype {labels.dtype}. Whole "
            "numbers become integers by .astype(int), and bytes strings by .astype(str)."
        )
    if labels.dtype.kind == "O" and (
        bad := [i for i, label in enumerate(labels) if label is None or label != label]
    ):
        raise DataError(f"{where}: example {bad[0]} has no label.")
    return labels.astype(str)


def _indices(labels: np.ndarray, names: tuple[str, ...], where: str) -> np.ndarray:
    """Returns the index of each label among the class names."""
    order = np.argsort(np.array(names))
    found = np.searchsorted(np.array(names)[order], labels)
    indices = order[np.minimum(found, len(names) - 1)]
    wrong = np.array(names)[indices] != labels
    if wrong.any():
        bad = int(wrong.argmax())
        raise DataError(
            f"{where}: every label must be one of the class names {', '.join(names[:20])}. "
            f"Received: {str(labels[bad])!r} at example {bad}"
        )
    return indices.astype(np.int32)
