"""`Scorer`: scores a model on a split, every example once."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from seqclf.data.dataset import DatasetSpec, ExampleStore
from seqclf.data.pipeline import evaluation_batches, worker_part
from seqclf.data.step_labels import NO_LABEL
from seqclf.training.distribution.workers import Workers
from seqclf.training.prediction import make_prediction_step


@dataclass(frozen=True)
class Score:
    """The loss and the accuracy of a model on a split, with the probabilities of each example.

    Where time steps have labels, a row is not an example, but a time step that has one.

    Attributes:
        probabilities: float32 `[N, C]`.
        labels: the true classes, int `[N]`.
        loss: mean cross-entropy in nats, without label smoothing.
        accuracy: fraction of the rows whose most probable class is the true one.
        sequences: int `[N]`, the index of the example that each row is a time step of, ascending;
            None: the rows are the examples.
    """

    probabilities: np.ndarray
    labels: np.ndarray
    loss: float
    accuracy: float
    sequences: np.ndarray | None = None


class Scorer:
    """Scores one model. Its compiled prediction is kept from one call to the next.

    Args:
        model: gives logits `[B, C]`, or `[B, T, C]` for labels of time steps.
        spec: the spec of the model's data.
        jit_compile: whether XLA compiles the prediction; it pays for a model that is scored again
            and again.
        workers: the workers that divide the examples; each of them calls the scorer, and each gets
            the whole score. None: this process scores alone.
        native: whether recurrent layers take the native operations where they can.
    """

    def __init__(
        self,
        model: keras.Model,
        spec: DatasetSpec,
        jit_compile: bool = False,
        workers: Workers | None = None,
        native: bool = True,
    ):
        self._spec = spec
        self._workers = workers or Workers()
        self._logits = make_prediction_step(model, jit_compile, native)

    def __call__(
        self, split: ExampleStore, progress: Callable[[int, int], None] = lambda done, total: None
    ) -> Score:
        """Returns the score of the model on a split; every label counts once.

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
            known = y.numpy() != NO_LABEL  # [b] all True, or [b, T]
            logit_parts.append(self._logits(inputs).numpy()[known])
            label_parts.append(y.numpy()[known].astype(np.int64))
            done += len(known)
            progress(done, total)
        sequences = _sequences(split) if self._spec.per_step else None
        logits = self._of_all_workers(np.concatenate(logit_parts), sequences, len(split))  # [N, C]
        labels = self._of_all_workers(np.concatenate(label_parts), sequences, len(split))
        log_probabilities = tf.nn.log_softmax(logits).numpy()
        return Score(
            probabilities=np.exp(log_probabilities),
            labels=labels,
            loss=float(-log_probabilities[np.arange(len(labels)), labels].mean(dtype=np.float64)),
            accuracy=float((logits.argmax(-1) == labels).mean()),
            sequences=sequences,
        )

    def _of_all_workers(
        self, own_rows: np.ndarray, sequences: np.ndarray | None, count: int
    ) -> np.ndarray:
        """Returns the rows of all workers in order.

        Args:
            own_rows: the rows of this worker's examples.
            sequences: the example of each row of all workers; None: each has one row.
            count: the number of examples.
        """
        workers = self._workers
        if workers.count == 1:
            return own_rows
        sequences = np.arange(count) if sequences is None else sequences
        part = worker_part(count, workers.index, workers.count)
        rows = np.zeros([len(sequences), *own_rows.shape[1:]], own_rows.dtype)
        start = int(np.searchsorted(sequences, part.start))
        rows[start : start + len(own_rows)] = own_rows
        return workers.sum_over_workers(rows)


def _sequences(split: ExampleStore) -> np.ndarray:
    """Returns the index of the example of each time step that has a label."""
    return np.nonzero(split.labels != NO_LABEL)[0]
