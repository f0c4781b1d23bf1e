"""`raw_examples`: a user's sequences as the raw examples that a model takes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from seqclf.data.input_shape import batch_in_words, fits_shape
from seqclf.errors import DataError

if TYPE_CHECKING:
    from seqclf.data.dataset import Split
    from seqclf.data.spec import DatasetSpec

WHERE = "sequences"  # the beginning of messages


def raw_examples(sequences: Any, lengths: Any, spec: "DatasetSpec") -> "Split":
    """Returns sequences as a split whose labels are all 0, after the checks of training data.

    Args:
        sequences: a list of arrays `[T_i, D]` (or `[T_i]` with one feature), one array
            `[N, *raw_shape]`, `[N, T]` with one feature, or a list of images.
        lengths: `[N]`, the number of valid time steps where `sequences` is one padded array; None:
            all are valid.
        spec: the spec of the data that the model was trained on.

    Raises:
        DataError: they are of another shape or dtype than the model takes, or hold values that it
            cannot take.
    """
    from seqclf.data.checks import checked_split

    x, own_lengths = _array(sequences, lengths, spec)
    _check_shape(x, spec)
    if spec.raw_dtype == "uint8":
        x = _bytes(x)
    lengths = own_lengths if lengths is None else np.asarray(lengths)
    if not spec.variable_length and lengths is not None:
        if (lengths != spec.raw_shape[0]).any():
            raise DataError(
                f"{WHERE}: this model was trained on sequences of {spec.raw_shape[0]} time steps, "
                f"all valid. Received: lengths from {lengths.min()} to {lengths.max()}"
            )
        lengths = None
    if spec.variable_length and lengths is None:
        lengths = np.full(len(x), x.shape[1], np.int32)
    return checked_split(
        x,
        np.zeros(len(x), np.int32),
        lengths,
        WHERE,
        missing=spec.missing,
        feature_names=spec.feature_names,
    )


def _array(
    sequences: Any, lengths: Any, spec: "DatasetSpec"
) -> tuple[np.ndarray, np.ndarray | None]:
    """Returns one array, and the lengths that a list of sequences has."""
    from seqclf.data.sequences import padded

    if isinstance(sequences, np.ndarray) and sequences.dtype != object:
        return _with_features(sequences, spec), None
    if not isinstance(sequences, (Sequence, np.ndarray)) or isinstance(sequences, (str, bytes)):
        raise DataError(
            f"{WHERE}: must be a list of arrays [T, D], one array [N, T, D], or a split such as "
            f"dataset.test. Received: {type(sequences).__name__}"
        )
    if lengths is not None:
        raise DataError(
            "`lengths` goes with one padded array [N, T, D]; a list of sequences has its own "
            "lengths. Received: both a list and `lengths`"
        )
    arrays = [np.asarray(each) for each in sequences]
    alike = len({(each.shape, each.dtype) for each in arrays}) == 1
    if alike and not spec.variable_length:
        return _with_features(np.stack(arrays), spec), None
    return padded(arrays, WHERE)


def _with_features(x: np.ndarray, spec: "DatasetSpec") -> np.ndarray:
    """Returns `[N, T, 1]` for the `[N, T]` of a model of one feature."""
    one_feature = len(spec.raw_shape) == 2 and spec.raw_shape[1] == 1
    return x[..., np.newaxis] if x.ndim == 2 and one_feature else x


def _check_shape(x: np.ndarray, spec: "DatasetSpec") -> None:
    shape = spec.input_shape
    if fits_shape(x.shape[1:], shape) and len(x):
        return
    remedy = " Give one example as [example]." if fits_shape(x.shape, shape) else ""
    names = f" ({', '.join(spec.feature_names)})" if spec.feature_names else ""
    raise DataError(
        f"{WHERE}: must be of shape {batch_in_words(shape)}{names} for this model. "
        f"Received: {list(x.shape)}.{remedy}"
    )


def _bytes(x: np.ndarray) -> np.ndarray:
    """Returns integers from 0 to 255 as uint8."""
    if x.dtype == np.uint8:
        return x
    if x.dtype.kind not in "iu" or x.min() < 0 or x.max() > 255:
        raise DataError(
            f"{WHERE}: this model was trained on whole numbers from 0 to 255 (uint8). "
            f"Received: {x.dtype} from {x.min()} to {x.max()}"
        )
    return x.astype(np.uint8)
