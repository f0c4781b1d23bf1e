"""`Prediction`: the class and the probabilities that a model gives for one example.

`SequencePrediction` is that of a model which classifies each time step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Prediction:
    """The prediction of a model for one example.

    Attributes:
        source: the path of the file; for an `.npz` file followed by the index of the example.
        class_index: index of the predicted class: the most probable one, or that by the threshold
            of the export.
        class_name: name of the predicted class.
        probabilities: float32 `[C]`.
    """

    source: str
    class_index: int
    class_name: str
    probabilities: np.ndarray


@dataclass(frozen=True)
class SequencePrediction:
    """The prediction of a model for each time step of one sequence.

    Attributes:
        source: see `Prediction`.
        class_index: int `[T]`, the index of the predicted class.
        class_name: T names of predicted classes.
        probabilities: float32 `[T, C]`.
    """

    source: str
    class_index: np.ndarray
    class_name: list[str]
    probabilities: np.ndarray


AnyPrediction = Prediction | SequencePrediction


def predictions_from(outputs: Mapping[str, Any], sources: list[str]) -> list[AnyPrediction]:
    """Returns one prediction for each example of a batch.

    Args:
        outputs: the outputs of `serving_default` or `serving_bytes`: `probabilities`,
            `class_index` and `class_name`, arrays of N rows. Class names are str or bytes.
        sources: N names for the examples.
    """
    if np.ndim(outputs["class_index"]) == 2:
        return _of_steps(outputs, sources)
    rows = zip(
        sources,
        outputs["class_index"],
        outputs["class_name"],
        outputs["probabilities"],
        strict=True,
    )
    return [Prediction(source, int(index), _text(name), row) for source, index, name, row in rows]


def _of_steps(outputs: Mapping[str, Any], sources: list[str]) -> list[AnyPrediction]:
    """Returns the predictions of a model that classifies time steps, without their padding."""
    found: list[AnyPrediction] = []
    for i, source in enumerate(sources):
        index = np.asarray(outputs["class_index"][i])
        valid = index >= 0
        names = [_text(name) for name in np.asarray(outputs["class_name"][i])[valid]]
        probabilities = np.asarray(outputs["probabilities"][i])[valid]
        found.append(SequencePrediction(source, index[valid].astype(int), names, probabilities))
    return found


def _text(name: Any) -> str:
    return name if isinstance(name, str) else name.decode()


def runners_up(
    prediction: Prediction, names: tuple[str, ...], count: int
) -> list[tuple[str, float]]:
    """Returns the next most probable classes after the first, with their probabilities.

    Args:
        prediction: the prediction for an example.
        names: the class names, by index.
        count: how many classes to return; fewer if there are no more.
    """
    order: Any = np.argsort(-prediction.probabilities, kind="stable")
    others = [index for index in order if index != prediction.class_index]
    return [(names[i], float(prediction.probabilities[i])) for i in others[:count]]
