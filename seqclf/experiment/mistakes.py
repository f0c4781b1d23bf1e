"""`mistakes`: the examples that a model got wrong with the most confidence."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from seqclf.data.dataset import DatasetSpec, ExampleStore
from seqclf.training.evaluation import Score


@dataclass(frozen=True)
class Mistake:
    """One example that a model got wrong.

    Attributes:
        index: its index in the split.
        id: its name; None: examples have no names.
        truth: the name of its class.
        predicted: the name of the class that was predicted.
        confidence: the probability of the predicted class.
    """

    index: int
    id: str | None
    truth: str
    predicted: str
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        """Returns the mistake for JSON, without `id` where examples have no names."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def mistakes(split: ExampleStore, spec: DatasetSpec, score: Score, most: int) -> list[Mistake]:
    """Returns the wrong predictions with the highest confidence, highest first.

    Args:
        split: the examples that were scored.
        spec: the spec of their data.
        score: the score of the model on them.
        most: the largest number of mistakes to return.
    """
    predicted = score.probabilities.argmax(-1)
    confidence = score.probabilities.max(-1)
    wrong = np.flatnonzero(predicted != score.labels)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:most]
    ids = split.take(worst).ids if len(worst) else None
    return [
        Mistake(
            int(index),
            None if ids is None else str(ids[place]),
            spec.class_names[score.labels[index]],
            spec.class_names[predicted[index]],
            round(float(confidence[index]), 4),
        )
        for place, index in enumerate(worst)
    ]
