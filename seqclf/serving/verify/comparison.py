"""`output_difference`: compares an output of a model with the expected one."""

import numpy as np

from seqclf.serving.c_tensors import as_bytes

RTOL, ATOL = 1e-4, 1e-5


def output_difference(name: str, value: np.ndarray, expected: np.ndarray) -> str:
    """Returns how an output differs from the expected one; empty if it does not.

    Args:
        name: how the message names the output.
        value: the output.
        expected: the expected output.
    """
    if value.shape != expected.shape:
        return f"{name} is {list(value.shape)}, not {list(expected.shape)}"
    if value.dtype == object or expected.dtype.kind in "OSU":
        pairs = zip(value.ravel().tolist(), expected.ravel().tolist(), strict=True)
        count = sum(_text(a) != _text(b) for a, b in pairs)
        return f"{count} strings of {name} differ" if count else ""
    if _close(value, expected):
        return ""
    largest = np.max(np.abs(value.astype("float64") - expected.astype("float64")))
    return f"{name} differs by up to {largest:.3g}"


def _close(value: np.ndarray, expected: np.ndarray) -> bool:
    if value.dtype.kind in "iub" and expected.dtype.kind in "iub":
        return bool(np.array_equal(value, expected))
    wide = value.astype("float64"), expected.astype("float64")
    return bool(np.allclose(*wide, rtol=RTOL, atol=ATOL, equal_nan=True))


def _text(value: object) -> object:
    return as_bytes(value) if isinstance(value, str | bytes) else value
