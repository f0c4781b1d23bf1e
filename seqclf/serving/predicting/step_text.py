"""Predictions of time steps as text and as JSON, for the terminal."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from seqclf.serving.predictions import SequencePrediction


def stretches(class_index: np.ndarray) -> Iterator[slice]:
    """Yields the stretches of time steps that have one class, from the first to the last.

    Example:
        >>> [(s.start, s.stop) for s in stretches(np.array([1, 1, 0, 1]))]
        [(0, 2), (2, 3), (3, 4)]
    """
    changes = np.flatnonzero(np.diff(class_index)) + 1
    for start, stop in zip([0, *changes], [*changes, len(class_index)], strict=True):
        yield slice(int(start), int(stop))


def lines_of(prediction: SequencePrediction) -> list[str]:
    """Returns a line for each stretch: its time steps, its class and the mean probability of it."""
    lines, width = [], len(str(len(prediction.class_index) - 1))
    for part in stretches(prediction.class_index):
        index = int(prediction.class_index[part.start])
        mean = prediction.probabilities[part, index].mean()
        steps = f"{part.start:{width}} to {part.stop - 1:{width}}"
        name = prediction.class_name[part.start]
        lines.append(f"{prediction.source}  time steps {steps}  {name}  {mean:7.2%}")
    return lines


def json_of(prediction: SequencePrediction, names: Sequence[str]) -> dict[str, Any]:
    """Returns the prediction for a sequence as JSON values, with a list of T for each entry.

    Args:
        prediction: the prediction.
        names: the class names, by index.
    """
    steps = np.arange(len(prediction.class_index))
    chosen = prediction.probabilities[steps, prediction.class_index]
    columns = zip(names, prediction.probabilities.T, strict=True)
    return {
        "input": prediction.source,
        "class_index": prediction.class_index.tolist(),
        "class_name": prediction.class_name,
        "probability": chosen.astype(float).tolist(),
        "probabilities": {name: column.astype(float).tolist() for name, column in columns},
    }
