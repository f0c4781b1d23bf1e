"""Checks what an estimator is given, `X`, `y` and `sample_weight`, and returns it as arrays."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from seqclf.data.axis_order import axis_order_note
from seqclf.data.sequences import padded, unmasked
from seqclf.errors import DataError

NAME = "SequenceClassifier"  # in messages that scikit-learn words
FORMS = "a list of arrays [T_i, D], or one array [N, T, D] or [N, T]"


def sequences_of(X: Any, time_last: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """Returns sequences as one array, and their lengths if they were given as a list.

    Args:
        X: a list of arrays `[T_i, D]` or `[T_i]`, or an array `[N, T, D]` or `[N, T]`, which a
            data frame with a row for each sequence is too.
        time_last: whether they are given as `[D, T_i]` and `[N, D, T]`.

    Returns:
        x float32 `[N, T, D]`, padded with zeros, and lengths int32 `[N]`; None: X is an array.

    Raises:
        DataError: it is none of these, or has no sequences, time steps or features.
        TypeError: it holds something else than numbers, or is a sparse matrix.
    """
    if _is_list(X):
        x, lengths = _padded(X, time_last)
        return x, np.full(len(x), x.shape[1], np.int32) if lengths is None else lengths
    array = _array(X)
    if array.ndim == 2:
        array = array[..., np.newaxis]
    elif time_last:
        array = array.transpose(0, 2, 1)
    with np.errstate(over="ignore"):  # what is too large becomes inf, which is refused later
        return array.astype(np.float32), None


def _is_list(X: Any) -> bool:
    """Returns whether X has its sequences one by one."""
    if isinstance(X, np.ndarray):
        return X.dtype == object and X.ndim == 1 and len(X) > 0 and np.ndim(X[0]) > 0
    return isinstance(X, Sequence) and not isinstance(X, (str, bytes))


def _padded(X: Sequence[Any], time_last: bool) -> tuple[np.ndarray, np.ndarray | None]:
    if len(X) and all(np.ndim(each) == 0 for each in X):
        raise DataError(_one_sequence(f"{len(X)} values"))
    if time_last:
        arrays = [unmasked(each) for each in X]
        X = [each.T if each.ndim == 2 else each for each in arrays]
    return padded(X, "X")


def _array(X: Any) -> np.ndarray:
    values = unmasked(X) if hasattr(X, "__array__") else X  # a sparse matrix has none
    if np.ndim(values) == 0:
        raise DataError(f"`X` must be {FORMS}. Received: {type(X).__name__}")
    if np.ndim(values) == 1:
        raise DataError(_one_sequence(f"an array {list(np.shape(values))}"))
    try:
        with config_context(assume_finite=True):  # what may be missing is checked later
            array: np.ndarray = check_array(values, allow_nd=True, input_name="X", estimator=NAME)
    except ValueError as error:
        raise DataError(str(error)) from error
    if array.ndim > 3 or 0 in array.shape:
        raise DataError(f"`X` must be {FORMS}, none of them 0. Received: {list(array.shape)}")
    return array


def _one_sequence(received: str) -> str:
    return (
        f"`X` must be {FORMS}. Received: {received}. Reshape your data: one sequence is given as "
        "[sequence]."
    )


def warn_of_axis_order(x: np.ndarray, lengths: np.ndarray | None, time_last: bool) -> None:
    """Warns if the axes of time and of features look as if they were exchanged.

    Args:
        x: `[N, T, D]`.
        lengths: `[N]`, or None.
        time_last: the parameter of the estimator.
    """
    if lengths is not None and (lengths < x.shape[1]).any():
        return
    for note in axis_order_note(x, "X"):
        warnings.warn(f"{note}, or set `time_last` to {not time_last}", stacklevel=3)


def classes_of(y: Any, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the different labels, sorted, and for each sequence the index of its label.

    Args:
        y: `[N]`, integers, strings, booleans or whole numbers.
        count: N.

    Raises:
        DataError: a label is missing or no class, there is not one for each sequence, or there are
            not two classes.
    """
    if y is None:
        raise DataError(f"{NAME}.fit requires y to be passed, but the target y is None")
    try:
        checked = check_array(y, ensure_2d=False, dtype=None, input_name="y")
        labels = column_or_1d(checked, warn=True)
        check_classification_targets(labels)
        classes, index = np.unique(labels, return_inverse=True)
    except (ValueError, TypeError) as error:
        raise DataError(f"`y` must be the class of each sequence. Received: {error}") from error
    if len(labels) != count:
        raise DataError(
            f"`y` must have {count} labels, one for each sequence. Received: {len(labels)}"
        )
    if len(classes) < 2:
        raise DataError(
            "At least two classes are needed: a classifier tells them apart. Received: 1 class, "
            f"{classes.tolist()[0]!r}, of {count} sequence{'s' * (count > 1)}"
        )
    return classes, index.astype(np.int32)


def weights_of(sample_weight: Any, count: int) -> np.ndarray | None:
    """Returns the weights of the sequences, float64 `[N]`; None: there are none.

    Args:
        sample_weight: `[N]` numbers of 0 or more, or None.
        count: N.

    Raises:
        DataError: there is not one for each sequence, one is no number of 0 or more, or all are 0.
    """
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight)
    if weights.shape != (count,) or weights.dtype.kind not in "biuf":
        raise DataError(
            f"`sample_weight` must be {count} numbers, one for each sequence. Received: "
            f"{weights.dtype} {list(weights.shape)}"
        )
    weights = weights.astype(np.float64)
    if (wrong := ~((weights >= 0) & (weights < np.inf))).any():
        at = int(wrong.argmax())
        raise DataError(
            f"`sample_weight` must be numbers of 0 or more. Received: {weights[at]} at sequence "
            f"{at}"
        )
    if not weights.any():
        raise DataError("`sample_weight` must be above zero somewhere. Received: only zeros")
    return weights
