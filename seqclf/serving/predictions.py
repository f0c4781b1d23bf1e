"""`Prediction`: the class and the probabilities that a model gives for one example."""

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


def predictions_from(outputs: Mapping[str, Any], sources: list[str]) -> list[Prediction]:
    """Returns one prediction for each example of a batch.

    Args:
        outputs: the outputs of `serving_default` or `serving_bytes`: `probabilities`,
            `class_index` and `class_name`, arrays of N rows. Class names are str or bytes.
        sources: N names for the examples.
    """
    rows = zip(
        sources,
        outputs["class_index"],
        outputs["class_name"],
        outputs["probabilities"],
        strict=True,
    )
    return [
        Prediction(source, int(index), name if isinstance(name, str) else name.decode(), row)
        for source, index, name, row in rows
    ]


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
