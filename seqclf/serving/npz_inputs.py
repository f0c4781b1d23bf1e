"""`read_npz_inputs`: the examples of an `.npz` file, checked against what a model takes."""

import dataclasses

import numpy as np

from seqclf.data.input_shape import Shape, batch_in_words, fits_shape
from seqclf.data.npz import Arrays, load_npz
from seqclf.errors import DataError

NO_MISSING = (
    ". Train the model with `data.missing` interpolate, forward, mean or indicator if values may "
    "be missing (NaN)."
)


def read_npz_inputs(
    path: str, shape: Shape, dtype: str, variable_length: bool, missing: bool = False
) -> Arrays:
    """Reads the examples of an `.npz` file for a model.

    Args:
        path: the file. It holds `x` and, where lengths vary, optionally `lengths`; without them
            every sequence is as long as `x` is.
        shape: shape of one example; None for a dimension of any size.
        dtype: type of the model's input. `uint8` takes uint8 only; any other takes all numbers.
        variable_length: whether the model takes lengths.
        missing: whether the model takes missing values (NaN).

    Returns:
        The arrays of the file, x `[N, *shape]`. If the model takes lengths, `lengths` is int `[N]`;
        otherwise it is None.

    Raises:
        DataError: the file is damaged, does not fit the model, or has values that are infinite, or
            missing where the model takes none.
    """
    arrays = load_npz(path, labelled=False)
    x, lengths = arrays.x, arrays.lengths
    _check_examples(path, x, shape, dtype)
    if not variable_length:
        lengths = None
    elif lengths is None:
        lengths = np.full(len(x), x.shape[1], np.int32)
    else:
        _check_lengths(path, x, lengths)
    _check_finite(path, x, lengths, missing)
    return dataclasses.replace(arrays, lengths=lengths)


def _check_examples(path: str, x: np.ndarray, shape: Shape, dtype: str) -> None:
    if not fits_shape(x.shape[1:], shape) or not len(x):
        raise DataError(
            f"{path}: `x` must be of shape {batch_in_words(shape)} for this model. "
            f"Received: {list(x.shape)}"
        )
    if x.dtype.kind not in "biuf" or (dtype == "uint8" and x.dtype != np.uint8):
        raise DataError(f"{path}: `x` must be {dtype} for this model. Received: dtype {x.dtype}")


def _check_lengths(path: str, x: np.ndarray, lengths: np.ndarray) -> None:
    if lengths.shape != (len(x),) or lengths.dtype.kind not in "iu":
        raise DataError(f"{path}: `lengths` must be integers of shape [{len(x)}].")
    if lengths.min() < 1 or lengths.max() > x.shape[1]:
        bad = int(np.argmax((lengths < 1) | (lengths > x.shape[1])))
        raise DataError(
            f"{path}: `lengths` must lie in 1..{x.shape[1]}. "
            f"Received: {lengths[bad]} at example {bad}"
        )


def _check_finite(path: str, x: np.ndarray, lengths: np.ndarray | None, missing: bool) -> None:
    """Checks that the values, as float32, are finite; padding need not be."""
    if x.dtype.kind != "f":
        return
    with np.errstate(over="ignore"):
        single = x.astype(np.float32)
    bad = np.isinf(single) if missing else ~np.isfinite(single)
    if lengths is not None:
        bad[np.arange(x.shape[1]) >= lengths[:, np.newaxis]] = False
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        raise DataError(
            f"{path}: `x` must be finite numbers, in float32. "
            f"Received: {x[place]} at example {place[0]}, time step {place[1]}"
            + (NO_MISSING if np.isnan(x[place]) else "")
        )
