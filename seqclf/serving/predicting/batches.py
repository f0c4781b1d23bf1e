"""Puts sequences together into padded batches."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from seqclf.serving.model_input import ARRAYS, ModelInput
from seqclf.serving.padding import pad_sequences

MOST_TIME_STEPS = 2**18  # of a batch with its padding, so that memory stays level

Label = str | tuple[str | None, ...] | None


@dataclass(frozen=True)
class InputSequence:
    """One example of a file.

    Attributes:
        id: name of the example: its id in the file, or a name made of the file's name.
        x: `[T, D]` raw values (or an image `[H, W]` or `[H, W, C]`), in the dtype of the model.
        label: name of its class; or the name of the class of each of its T time steps; None: the
            class is not known.
    """

    id: str
    x: np.ndarray
    label: Label = None


@dataclass(frozen=True)
class Batch:
    """Examples that a model is asked about together.

    Attributes:
        signature: name of the signature that takes them.
        inputs: arrays `[B, …]` by the names of the inputs.
        ids: B names.
        labels: B classes, see `InputSequence`.
    """

    signature: str
    inputs: dict[str, np.ndarray]
    ids: list[str]
    labels: list[Label]


def batches(sequences: Iterable[InputSequence], model: ModelInput, size: int) -> Iterator[Batch]:
    """Yields the sequences in batches, in their order, each padded to its longest sequence.

    Args:
        sequences: the sequences; no more than those of one batch are held.
        model: description of the inputs that the model takes.
        size: the largest number of sequences in a batch.
    """
    held: list[InputSequence] = []
    longest = 0
    for sequence in sequences:
        longest = max(longest, len(sequence.x))
        if held and (len(held) == size or longest * (len(held) + 1) > MOST_TIME_STEPS):
            yield _padded(held, model)
            held, longest = [], len(sequence.x)
        held.append(sequence)
    if held:
        yield _padded(held, model)


def _padded(held: list[InputSequence], model: ModelInput) -> Batch:
    ids, labels = [each.id for each in held], [each.label for each in held]
    if not model.variable_length:
        return Batch(ARRAYS, {"inputs": np.stack([each.x for each in held])}, ids, labels)
    x, lengths = pad_sequences([each.x for each in held])
    return Batch(ARRAYS, {"inputs": x, "lengths": lengths}, ids, labels)
