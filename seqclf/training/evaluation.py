"""Scoring a model on a split: every example once."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from seqclf.data.dataset import DatasetSpec, ExampleStore
from seqclf.data.pipeline import evaluation_batches, worker_part
from seqclf.training.distribution.workers import Workers
from seqclf.training.step import make_prediction_step


@dataclass(frozen=True)
class Score:
    """What a model makes of a split.

    Attributes:
        probabilities: float32 `[N, C]`.
        labels: int `[N]`, the truth.
        loss: mean cross-entropy in nats (without label smoothing).
        accuracy: share of examples whose most probable class is the true one.
    """

    probabilities: np.ndarray
    labels: np.ndarray
    loss: float
    accuracy: float


class Scorer:
    """Scores one model; its compiled prediction is kept from one call to the next.

    Args:
        model: gives logits `[B, C]`.
        spec: of its data.
        jit_compile: compile with XLA; for a model that is scored again and again.
        workers: who shares the examples; each of them calls the scorer, and has the whole score.
            None: nobody.
    """

    def __init__(
        self,
        model: keras.Model,
        spec: DatasetSpec,
        jit_compile: bool = False,
        workers: Workers | None = None,
    ):
        self._spec = spec
        self._workers = workers or Workers()
        self._logits = make_prediction_step(model, jit_compile)

    def __call__(self, split: ExampleStore) -> Score:
        workers, classes = self._workers, self._spec.num_classes
        answers, truth = [np.zeros([0, classes], np.float32)], [np.zeros([0], np.int64)]
        for inputs, y in evaluation_batches(split, self._spec, 512, workers.index, workers.count):
            answers.append(self._logits(inputs).numpy())
            truth.append(y.numpy().astype(np.int64))
        logits = self._joined(np.concatenate(answers), len(split))  # [N, C]
        labels = self._joined(np.concatenate(truth), len(split))
        log_probabilities = tf.nn.log_softmax(logits).numpy()
        return Score(
            probabilities=np.exp(log_probabilities),
            labels=labels,
            loss=float(-log_probabilities[np.arange(len(labels)), labels].mean(dtype=np.float64)),
            accuracy=float((logits.argmax(-1) == labels).mean()),
        )

    def _joined(self, own: np.ndarray, count: int) -> np.ndarray:
        """Returns all workers' parts of `count` rows, one after the other."""
        workers = self._workers
        if workers.count == 1:
            return own
        part = worker_part(count, workers.index, workers.count)
        whole = np.zeros([count, *own.shape[1:]], own.dtype)
        whole[part.start : part.stop] = own
        return workers.total(whole)


def class_report(score: Score, class_names: tuple[str, ...]) -> dict[str, Any]:
    """Returns the numbers of a report, ready for JSON.

    Returns:
        `accuracy`, `accuracy_interval` (95 %, Wilson 1927), `loss`, `examples`, `classes`
        (precision, recall, f1, support of each), `confusion` (`[C][C]`, rows are the true class).
    """
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    predicted = score.probabilities.argmax(-1)
    indices = np.arange(len(class_names))
    precision, recall, f1, support = precision_recall_fscore_support(
        score.labels, predicted, labels=indices, zero_division=0.0
    )
    return {
        "accuracy": score.accuracy,
        "accuracy_interval": wilson_interval(score.accuracy, len(score.labels)),
        "loss": score.loss,
        "examples": len(score.labels),
        "classes": [
            {
                "name": class_names[i],
                "precision": float(precision[i]),
                "recall": float(recall[i]),
                "f1": float(f1[i]),
                "support": int(support[i]),
            }
            for i in indices
        ],
        "confusion": confusion_matrix(score.labels, predicted, labels=indices).tolist(),
    }


def wilson_interval(share: float, count: int) -> list[float]:
    """Returns the 95 % interval of a share of `count` trials (Wilson 1927, JASA 22:209)."""
    z = 1.959964
    centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return [float(centre - half), float(centre + half)]
