"""Turns what users give to a predict signature into inputs by name, with lengths."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .arrays import A, Arrays
from .tensors import Signature

SEQUENCES, LENGTHS = "inputs", "lengths"


def takes_lengths(signature: Signature) -> bool:
    """Returns whether a signature takes padded sequences with their lengths."""
    shape = signature.inputs[SEQUENCES].shape if SEQUENCES in signature.inputs else None
    named = set(signature.inputs) == {SEQUENCES, LENGTHS}
    return named and shape is not None and len(shape) > 1 and shape[1] == -1


def named_inputs(inputs: Any, signature: Signature, arrays: Arrays[A]) -> Mapping[str, Any]:
    """Returns inputs by name, with the lengths of sequences that were given without them.

    Args:
        inputs: values by name; or the value of `inputs` (or of the only input) itself.
        signature: the signature that is asked. Where it takes lengths and none are given, all time
            steps are valid; sequences of different lengths are padded.
        arrays: the kind of tensors to make of sequences.

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
    whole = arrays.whole(value)
    if whole is not None:
        shape = arrays.shape(whole)
        if len(shape) < 2:
            return named  # whose shape is refused
        return {SEQUENCES: whole, LENGTHS: [shape[1]] * shape[0]}
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        return named  # the same
    sequences = [arrays.numbers(each) for each in value]
    if not sequences:
        return named
    check_sequences([arrays.shape(each) for each in sequences])
    return {SEQUENCES: arrays.padded(sequences), LENGTHS: [len(each) for each in sequences]}


def check_sequences(shapes: Sequence[tuple[int, ...]]) -> None:
    """Checks that sequences can be padded to one length.

    Args:
        shapes: the shape `[T_i, D]` (or `[T_i, …]`) of each sequence, one at least.

    Raises:
        ValueError: a sequence has no time steps, or its time steps are not shaped as those of the
            first.
    """
    for i, shape in enumerate(shapes):
        if len(shape) < 2 or shape[1:] != shapes[0][1:] or not shape[0]:
            features = ", ".join(map(str, shapes[0][1:])) or "D"
            raise ValueError(
                f"each sequence must be of shape [T, {features}], with one time step at least. "
                f"Received: {list(shape)} at sequence {i}"
            )
