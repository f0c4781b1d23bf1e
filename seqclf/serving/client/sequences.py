"""Turns what users give to a predict signature into inputs by name, with lengths."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from seqclf.serving.client.tensors import Signature
from seqclf.serving.padding import pad_sequences

SEQUENCES, LENGTHS = "inputs", "lengths"


def takes_lengths(signature: Signature) -> bool:
    """Returns whether a signature takes padded sequences with their lengths."""
    shape = signature.inputs[SEQUENCES].shape if SEQUENCES in signature.inputs else None
    named = set(signature.inputs) == {SEQUENCES, LENGTHS}
    return named and shape is not None and len(shape) > 1 and shape[1] == -1


def named_inputs(inputs: Any, signature: Signature) -> Mapping[str, Any]:
    """Returns inputs by name, with the lengths of sequences that were given without them.

    Args:
        inputs: arrays by name; or the value of `inputs` (or of the only input) itself.
        signature: the signature that is asked. Where it takes lengths and none are given, all time
            steps are valid; sequences of different lengths are padded.

    Raises:
        ValueError: the inputs have no names and the signature has several others, or sequences do
            not fit together.
    """
    if not isinstance(inputs, Mapping):
        names = set(signature.inputs)
        name = next(iter(names)) if len(names) == 1 else SEQUENCES
        if len(names) != 1 and not takes_lengths(signature):
            raise ValueError(f"the inputs must be named {', '.join(sorted(names))}")
        inputs = {name: inputs}
    named: Mapping[str, Any] = inputs
    if not takes_lengths(signature) or set(named) != {SEQUENCES}:
        return named
    value = named[SEQUENCES]
    if isinstance(value, np.ndarray) and value.dtype != object:
        if value.ndim < 2:
            return named  # whose shape is refused
        return {SEQUENCES: value, LENGTHS: np.full(len(value), value.shape[1], np.int32)}
    sequences = [np.asarray(each) for each in value]
    if not sequences:
        return named
    x, lengths = pad_sequences(sequences)
    return {SEQUENCES: x, LENGTHS: lengths}
