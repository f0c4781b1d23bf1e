"""Warnings about inputs that a model accepts but probably misreads."""

from collections.abc import Mapping

import numpy as np

from seqclf.data.spec import DatasetSpec
from seqclf.serving.flat_sequences import FlatSequences
from seqclf.serving.input_range import InputRange
from seqclf.serving.long_sequences import LongSequences

MIN_ZERO_STEPS = 2  # a single time step of zeros at the end may well be a part of the sequence


def input_warnings(
    inputs: Mapping[str, np.ndarray],
    input_range: InputRange | None,
    spec: DatasetSpec | None = None,
) -> dict[str, str]:
    """Checks raw examples that were sent to a signature of ours.

    Args:
        inputs: arrays by name; `inputs` is `[N, …]`, and `lengths`, if lengths vary, `[N]`. Inputs
            with other names, such as image files, are not checked.
        input_range: the range of the training inputs; None if it is not known.
        spec: the spec of the training data; None if it is not known.

    Returns:
        Kind of warning → sentence: `range` if values are far outside the range of the training
        inputs, `flat` if a model that scales each sequence by itself is given some of one value,
        `long` if sequences are much longer than those of the training, `padding` if
        sequences end in time steps of zeros, `beyond` if there are values after the end of a
        sequence, and `lengths` if a sequence has fewer time steps than its length. (The graph of an
        export refuses the last one, except in a batch with longer sequences.)
    """
    x, lengths = inputs.get("inputs"), inputs.get("lengths")
    if x is None or x.dtype.kind not in "biuf" or x.ndim < 2 or not x.size:
        return {}
    if lengths is not None and (lengths.shape != x.shape[:1] or lengths.dtype.kind not in "iu"):
        return {}
    found = {} if lengths is None else _length_warnings(x, lengths)
    if input_range is not None and (warning := input_range.warning(x, lengths)):
        found["range"] = warning
    sequences = LongSequences(spec)
    sequences.add(np.full(len(x), x.shape[1]) if lengths is None else lengths)
    if warning := sequences.warning():
        found["long"] = warning
    flat = FlatSequences(spec)
    flat.add(x, lengths)
    if warning := flat.warning():
        found["flat"] = warning
    return found


def _length_warnings(x: np.ndarray, lengths: np.ndarray) -> dict[str, str]:
    count, time_steps = x.shape[:2]
    is_zero = (x.reshape(count, time_steps, -1) == 0).all(axis=2)  # [N, T]
    step = np.arange(time_steps)
    is_valid = step < lengths[:, None]
    # The last time step that is not zero; -1 if all are zero.
    last = np.where(is_zero, -1, step).max(axis=1)
    last_valid = np.where(is_zero | ~is_valid, -1, step).max(axis=1)
    end = np.minimum(lengths, time_steps)
    padded = (last_valid >= 0) & (end - 1 - last_valid >= MIN_ZERO_STEPS)
    beyond = last >= lengths
    found = {}
    if padded.any():
        found["padding"] = (
            f"{padded.sum()} of {count} sequences end in time steps of zeros that their `lengths` "
            "count as valid: if these are padding, the predictions are wrong"
        )
    if (lengths > time_steps).any():
        found["lengths"] = (
            f"{(lengths > time_steps).sum()} of {count} sequences have `lengths` above their "
            f"{time_steps} time steps: the predictions are wrong"
        )
    if beyond.any():
        found["beyond"] = (
            f"{beyond.sum()} of {count} sequences have values other than 0 beyond their `lengths`: "
            "the model does not read them"
        )
    return found
