"""`Scorer`: scores a model on a split, every example once."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from seqclf.data.dataset import DatasetSpec, ExampleStore
from seqclf.data.pipeline import evaluation_batches, worker_part
from seqclf.training.distribution.workers import Workers
from seqclf.training.prediction import make_prediction_step


@dataclass(frozen=True)
class Score:
    """The loss and the accuracy of a model on a split, with the probabilities of each example.

    Attributes:
        probabilities: float32 `[N, C]`.
        labels: the true classes, int `[N]`.
        loss: mean cross-entropy in nats, without label smoothing.
        accuracy: fraction of the examples whose most probable class is the true one.
    """

    probabilities: np.ndarray
    labels: np.ndarray
    loss: float
    accuracy: float


class Scorer:
    """Scores one model. Its compiled prediction is kept from one call to the next.

    Args:
        model: gives logits `[B, C]`.
        spec: the spec of the model's data.
        jit_compile: whether XLA compiles the prediction; it pays for a model that is scored again
            and again.
        workers: the workers that divide the examples; each of them calls the scorer, and each gets
            the whole score. None: this process scores alone.
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

    def __call__(
        self, split: ExampleStore, progress: Callable[[int, int], None] = lambda done, total: None
    ) -> Score:
        """Returns the score of the model on a split; every example counts once.

        Args:
            split: the examples.
            progress: called after each batch with the number of examples that this worker has
                scored and the number that it will score in all.
        """
        workers, classes = self._workers, self._spec.num_classes
        logit_parts = [np.zeros([0, classes], np.float32)]
        label_parts = [np.zeros([0], np.int64)]
        done, total = 0, len(worker_part(len(split), workers.index, workers.count))
        for inputs, y in evaluation_batches(split, self._spec, 512, workers.index, workers.count):
            logit_parts.append(self._logits(inputs).numpy())
            label_parts.append(y.numpy().astype(np.int64))
            done += len(label_parts[-1])
            progress(done, total)
        logits = self._of_all_workers(np.concatenate(logit_parts), len(split))  # [N, C]
        labels = self._of_all_workers(np.concatenate(label_parts), len(split))
        log_probabilities = tf.nn.log_softmax(logits).numpy()
        return Score(
            probabilities=np.exp(log_probabilities),
            labels=labels,
            loss=float(-log_probabilities[np.arange(len(labels)), labels].mean(dtype=np.float64)),
            accuracy=float((logits.argmax(-1) == labels).mean()),
        )

    def _of_all_workers(self, own_rows: np.ndarray, count: int) -> np.ndarray:
        """Returns the rows of all workers in order, `count` altogether."""
        workers = self._workers
        if workers.count == 1:
            return own_rows
        part = worker_part(count, workers.index, workers.count)
        rows = np.zeros([count, *own_rows.shape[1:]], own_rows.dtype)
        rows[part.start : part.stop] = own_rows
        return workers.sum_over_workers(rows)
