"""`rows_of`: the answers to a batch as rows: one for each example, or one for each time step."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqclf.serving.predicting.batches import Batch


@dataclass(frozen=True)
class Rows:
    """Predictions, one under the other.

    Attributes:
        ids: R names of examples; of one that is classified step by step, the same again and again.
        steps: int `[R]`, the number of the time step in its sequence, from 0; None: rows are
            examples.
        labels: R classes; None where the class is not known.
        index: int `[R]`, the index of the predicted class.
        probabilities: float32 `[R, C]`.
    """

    ids: list[str]
    steps: np.ndarray | None
    labels: Sequence[str | None]
    index: np.ndarray
    probabilities: np.ndarray


def rows_of(batch: Batch, outputs: dict[str, np.ndarray]) -> Rows:
    """Returns the rows of a batch; time steps that are padding have none.

    Args:
        batch: the examples.
        outputs: what the model answered, see `Classifier.ask`.
    """
    index = outputs["class_index"].astype(np.int64)
    probabilities = np.asarray(outputs["probabilities"], np.float32)
    if index.ndim == 1:
        labels = [each if isinstance(each, str) else None for each in batch.labels]
        return Rows(batch.ids, None, labels, index, probabilities)
    example, step = np.nonzero(index >= 0)
    lengths = (index >= 0).sum(axis=1).tolist()
    labels = [
        label
        for each, length in zip(batch.labels, lengths, strict=True)
        for label in (each if isinstance(each, tuple) else [each] * length)
    ]
    ids = [batch.ids[i] for i in example]
    return Rows(ids, step, labels, index[example, step], probabilities[example, step])
