"""`read`: what a classifier answers after each step of one sequence, and what its units do."""

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from seqclf.data.dataset import DatasetSpec
from seqclf.data.normalization import as_sequences
from seqclf.errors import RunError
from seqclf.layers.trace import Trace
from seqclf.models.classifier import trace_classifier, traceable


@dataclass(frozen=True)
class Reading:
    """One sequence, as a classifier reads it.

    Attributes:
        raw: the example, `raw_shape` (of the first T steps, where lengths vary).
        spec: of the data.
        probabilities: `[T, C]`: what the answer would be if the sequence ended after that step.
        layers: of each recurrent layer, first to last, its `Trace` of this sequence, NumPy arrays
            `[T, H]`.
    """

    raw: np.ndarray
    spec: DatasetSpec
    probabilities: np.ndarray
    layers: list[Trace]

    @property
    def answer(self) -> int:
        """The class index that the model answers."""
        return int(self.probabilities[-1].argmax())

    @property
    def settled(self) -> int:
        """The first step, from 1, after which the answer stays what it is at the end."""
        other = np.flatnonzero(self.probabilities.argmax(-1) != self.answer)
        return int(other[-1]) + 2 if len(other) else 1


def read(
    model: keras.Model, spec: DatasetSpec, raw: np.ndarray, lengths: np.ndarray | None = None
) -> list[Reading]:
    """Reads raw examples with a classifier.

    Args:
        model: of `build_classifier`.
        spec: of its data.
        raw: `[B, *raw_shape]`.
        lengths: `[B]`, where lengths vary.

    Raises:
        RunError: the model has not read each step in each layer, or has read others before it.
    """
    if not traceable(model):
        raise RunError(
            "This model cannot be watched step by step: it reads in both directions, or its upper "
            "layers read fewer steps. Train one with `model.bidirectional` False and "
            "`model.time_reduction` ()."
        )
    sequences = as_sequences(raw, spec, lengths)  # [B, T, D]
    logits, traces = trace_classifier(model, sequences, lengths)
    probabilities = tf.nn.softmax(tf.cast(logits, tf.float32)).numpy()  # [B, T, C]
    readings = []
    for i in range(len(raw)):
        T = sequences.shape[1] if lengths is None else int(lengths[i])
        own = tf.nest.map_structure(
            lambda t, i=i, T=T: None if t is None else tf.cast(t[i, :T], tf.float32).numpy(), traces
        )
        x = raw[i] if lengths is None else raw[i][:T]
        readings.append(Reading(x, spec, probabilities[i, :T], own))
    return readings


def memory(kept: np.ndarray) -> np.ndarray:
    """Returns for each unit how many steps its past lasts.

    A unit that keeps the shares z_1 to z_T of its state has after T steps their product left. The
    number of steps after which 1/e of it would be left, had each kept their geometric mean, is
    -1 / mean(log z).

    Args:
        kept: `[T, H]`, in 0 to 1.

    Returns:
        `[H]`, steps; infinite where all is kept.
    """
    with np.errstate(divide="ignore"):
        logs = np.log(np.asarray(kept, np.float64)).mean(0)
        return np.where(logs < 0, -1 / logs, np.inf)
