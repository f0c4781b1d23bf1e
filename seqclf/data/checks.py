"""Checks of raw examples, labels and class names, before anything is computed from them."""

from collections.abc import Mapping, Sequence

import numpy as np

from seqclf.data.dataset import Split
from seqclf.data.names import check_names
from seqclf.data.sequences import Sequences
from seqclf.data.step_labels import NO_LABEL, labels_that_count
from seqclf.data.values import check_values, without_padding
from seqclf.errors import DataError

MANY, FEW = 10, 5  # above so many classes, fewer examples of each than so many are worth a note


def check_shape(x: np.ndarray, origin: str) -> None:
    """Checks that an array can hold sequences or images.

    Args:
        x: the array.
        origin: the name of the file or dataset, for messages.

    Raises:
        DataError: it has another shape, or no real numbers.
    """
    if x.dtype.kind not in "biuf":
        raise DataError(f"{origin}: `x` must hold real numbers. Received: dtype {x.dtype}")
    if x.ndim not in (3, 4) or 0 in x.shape:
        raise DataError(
            f"{origin}: `x` must be of shape [N, T, D] (or images [N, H, W] or [N, H, W, C]), "
            f"none of them 0. Received: {list(x.shape)}"
        )


def check_sizes(part: Sequences, origin: str) -> None:
    """Checks the shapes of the arrays of a part, so that each example has one entry in each.

    Args:
        part: the examples.
        origin: the name of the file or dataset, for messages.

    Raises:
        DataError: an array has another shape, a length is not one of 1..T, or a weight is
            negative.
    """
    check_shape(part.x, origin)
    if part.labels is not None and part.labels.shape != (len(part),):
        _check_step_labels(part, origin)
    if part.lengths is not None:
        lengths = _integers(part.lengths, len(part), "lengths", origin)
        _checked_lengths(lengths, part.x, origin)
    if part.weights is not None:
        _check_weights(part.weights, len(part), origin)
    if part.groups is not None and (none := _first(part.groups == "")) is not None:
        raise DataError(f"{origin}: example {none[0]} has no group.")


def checked_split(
    x: np.ndarray,
    y: np.ndarray,
    lengths: np.ndarray | None,
    origin: str,
    *,
    owned: bool = False,
    missing: str = "error",
    feature_names: Sequence[str] = (),
) -> Split:
    """Checks the arrays of one split and returns them in the dtypes that training uses.

    Args:
        x: `[N, H, W]` or `[N, H, W, C]` real numbers; sequences are `[N, T, D]`.
        y: `[N]`, integers; or `[N, T]`, with `NO_LABEL` at time steps without a label.
        lengths: `[N]`, integers from 1 to T, or None.
        origin: the name of the file or dataset, for messages.
        owned: whether `x` may be changed in its place.
        missing: what is done with missing values (NaN), as `data.missing` names it.
        feature_names: the name of each feature, for messages; (): their indices stand for them.

    Raises:
        DataError: a check fails; the message names `origin` and the index of the first bad example.
    """
    check_shape(x, origin)
    if y.ndim == 1:
        y = _integers(y, len(x), "y", origin)
    least = 0 if y.ndim == 1 else NO_LABEL
    if (bad := _first((y < least) | (y > np.iinfo(np.int32).max))) is not None:
        raise DataError(f"{origin}: labels count from 0. Received: {y[bad]} at {_place(bad)}")
    if lengths is not None:
        lengths = _checked_lengths(_integers(lengths, len(x), "lengths", origin), x, origin)
    if x.dtype != np.uint8:
        if x.dtype != np.float32:
            with np.errstate(over="ignore"):  # what is too large becomes inf and is refused below
                x, owned = x.astype(np.float32), True
        if lengths is not None:
            x = without_padding(x, lengths, owned)
        steps = len(x) * x.shape[1] if lengths is None else int(lengths.sum())
        check_values(x, origin, missing, feature_names, steps)
    return Split(x, y.astype(np.int32), lengths)


def check_labels(splits: dict[str, Split], class_names: Sequence[str], origin: str) -> None:
    """Checks that each label is a class and that each class can be learned.

    Raises:
        DataError: a label lies outside the classes (the message names the example), a class has no
            example in the training split, or class names cannot be told apart or shown.
    """
    for name, split in splits.items():
        least = 0 if split.y.ndim == 1 else NO_LABEL
        if (bad := _first((split.y < least) | (split.y >= len(class_names)))) is not None:
            raise DataError(
                f"{origin}: labels must lie in 0..{len(class_names) - 1} "
                f"({len(class_names)} classes). Received: {split.y[bad]} at {_place(bad)}"
                + (f" of the {name} split" if len(splits) > 1 else "")
                + ("; there is no example of this class to train on" if name != "train" else "")
            )
    labels = {name: labels_that_count(split.y) for name, split in splits.items()}
    check_trainable(labels, class_names, origin)
    check_class_names(class_names, origin)


def check_trainable(
    labels: Mapping[str, np.ndarray], class_names: Sequence[str], origin: str
) -> None:
    """Checks that each class has an example in the training split.

    Args:
        labels: the class indices of the examples of each split.
        class_names: the name of each class, by index.
        origin: the name of the file or dataset, for messages.

    Raises:
        DataError: a class has none; the message says where it has some.
    """
    counts = {
        name: np.bincount(indices, minlength=len(class_names)) for name, indices in labels.items()
    }
    if (empty := _first(counts["train"] == 0)) is None:
        return
    name = repr(class_names[empty[0]])
    if elsewhere := [f"{n[empty]} in {split}" for split, n in counts.items() if n[empty]]:
        raise DataError(
            f"{origin}: every class needs examples to train on. Received: {', '.join(elsewhere)} "
            f"and none in train of class {name}. Move some to train, or leave the class out."
        )
    raise DataError(
        f"{origin}: every class needs examples to train on. Class {empty[0]} ({name}) has none: "
        "renumber the labels or drop the class name."
    )


def missing_classes(
    labels: Mapping[str, Sequence[int] | np.ndarray], class_names: Sequence[str]
) -> tuple[str, ...]:
    """Returns a note for each split in which a class has no example, and one for many classes.

    Args:
        labels: the class indices of the examples of each split.
        class_names: the name of each class, by index.
    """
    notes = []
    if hint := many_classes(len(labels["train"]), len(class_names)):
        notes.append(hint)
    for split, indices in labels.items():
        if not len(indices):  # the split was not asked for
            continue
        counts = np.bincount(np.asarray(indices, np.int64), minlength=len(class_names))
        names = [repr(name) for name, count in zip(class_names, counts, strict=True) if not count]
        if names:
            shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
            notes.append(
                f"no example of {len(names)} of the {len(class_names)} classes in the {split} "
                f"split: {shown}"
            )
    return tuple(notes)


def many_classes(examples: int, classes: int) -> str:
    """Returns a note about classes so many that they may be none, or "".

    Args:
        examples: the number of examples to train on.
        classes: the number of classes.
    """
    if classes <= MANY or examples >= FEW * classes:
        return ""
    return (
        f"{classes:,} classes for {examples:,} training examples, {examples / classes:.1f} for "
        "each class on average: is the label a number to predict, or the name of an example? A "
        "classifier needs more examples of each class"
    )


def check_class_names(class_names: Sequence[str], origin: str) -> None:
    """Checks that there are two or more classes, and that their names can be told apart and shown.

    Raises:
        DataError: a check fails; the message names the first bad class name.
    """
    check_names(class_names, "class", origin)
    if len(class_names) < 2:
        received = f"1, {class_names[0]!r}" if class_names else "0"
        raise DataError(
            f"{origin}: at least two classes are needed: a classifier tells them apart. Supply "
            f"examples of another class. Received: {received}"
        )


def _check_weights(weights: np.ndarray, count: int, origin: str) -> None:
    if weights.dtype.kind not in "biuf" or weights.shape != (count,):
        raise DataError(
            f"{origin}: `weights` must be {count} numbers, one for each example of `x`. Received: "
            f"{weights.dtype} {list(weights.shape)}"
        )
    if (bad := _first(~((weights >= 0) & (weights < np.finfo(np.float32).max)))) is not None:
        raise DataError(
            f"{origin}: `weights` must be numbers of 0 or more: give an example that is not to "
            f"count the weight 0. Received: {weights[bad]} at example {bad[0]}"
        )


def _check_step_labels(part: Sequences, origin: str) -> None:
    """Checks that labels which are not `[N]` can be those of the time steps of sequences."""
    assert part.labels is not None
    if part.labels.shape != part.x.shape[:2] or part.x.ndim != 3:
        steps = (
            f" (or [{len(part)}, {part.x.shape[1]}], one for each time step)"
            if part.x.ndim == 3
            else ""
        )
        raise DataError(
            f"{origin}: `y` must be of shape [{len(part)}], one for each example of `x`{steps}. "
            f"Received: {list(part.labels.shape)}"
        )
    if part.x.dtype == np.uint8:
        raise DataError(
            f"{origin}: labels of time steps are for sequences of real numbers, and uint8 is an "
            "image: give `x` as x.astype(np.float32)."
        )


def _place(bad: tuple[int, ...]) -> str:
    return f"example {bad[0]}" + (f", time step {bad[1]}" if len(bad) > 1 else "")


def _integers(values: np.ndarray, count: int, name: str, origin: str) -> np.ndarray:
    if values.dtype.kind not in "iu":
        raise DataError(f"{origin}: `{name}` must hold integers. Received: dtype {values.dtype}")
    if values.shape != (count,):
        raise DataError(
            f"{origin}: `{name}` must be of shape [{count}], one for each example of `x`. "
            f"Received: {list(values.shape)}"
        )
    return values


def _checked_lengths(lengths: np.ndarray, x: np.ndarray, origin: str) -> np.ndarray:
    if (bad := _first((lengths < 1) | (lengths > x.shape[1]))) is not None:
        raise DataError(
            f"{origin}: `lengths` must lie in 1..{x.shape[1]}, the time steps of `x`. "
            f"Received: {lengths[bad]} at example {bad[0]}"
        )
    return lengths.astype(np.int32)


def _first(condition: np.ndarray) -> tuple[int, ...] | None:
    """Returns the index of the first True, or None."""
    if not condition.any():
        return None
    return tuple(int(i) for i in np.unravel_index(int(condition.argmax()), condition.shape))
