"""What a classifier predicts after each time step of a sequence, and what its units do."""

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
class Inspection:
    """The states, gates and predictions of a classifier at each time step of one example.

    Attributes:
        raw: the raw example, `raw_shape`; where lengths vary, its T valid time steps.
        spec: spec of the data.
        probabilities: `[T, C]`, the prediction if the sequence ended after each time step.
        layers: the `Trace` of each recurrent layer, first to last, with NumPy arrays `[T, H]`.
    """

    raw: np.ndarray
    spec: DatasetSpec
    probabilities: np.ndarray
    layers: list[Trace]

    @property
    def predicted_class(self) -> int:
        """The index of the class that is predicted at the end of the sequence."""
        return int(self.probabilities[-1].argmax())

    @property
    def settled_step(self) -> int:
        """The first time step, counted from 1, from which on the final class is predicted."""
        other = np.flatnonzero(self.probabilities.argmax(-1) != self.predicted_class)
        return int(other[-1]) + 2 if len(other) else 1


def inspect_examples(
    model: keras.Model, spec: DatasetSpec, raw: np.ndarray, lengths: np.ndarray | None = None
) -> list[Inspection]:
    """Runs a classifier on raw examples and returns what it does at each time step.

    Args:
        model: a classifier that `build_classifier` made.
        spec: spec of its data.
        raw: `[B, *raw_shape]`, raw examples.
        lengths: `[B]`, the number of valid time steps, where lengths vary.

    Raises:
        RunError: a layer of the model does not read every time step in order.
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
    inspections = []
    for i in range(len(raw)):
        T = sequences.shape[1] if lengths is None else int(lengths[i])
        layers = tf.nest.map_structure(
            lambda t, i=i, T=T: None if t is None else tf.cast(t[i, :T], tf.float32).numpy(), traces
        )
        x = raw[i] if lengths is None else raw[i][:T]
        inspections.append(Inspection(x, spec, probabilities[i, :T], layers))
    return inspections


def looks_ahead(spec: DatasetSpec) -> str:
    """Returns how later time steps change what is read at earlier ones; "" if they do not."""
    if spec.own_scale:
        return (
            "each time step is scaled by the mean and deviation of the whole sequence: an earlier "
            "answer knows the scale of what comes after it"
        )
    if spec.missing == "interpolate":
        return "a missing value is interpolated: an earlier answer may know the value after the gap"
    return ""


def memory_in_steps(kept: np.ndarray) -> np.ndarray:
    """Returns for how many time steps each unit remembers.

    A unit that keeps the fractions z_1 to z_T of its state has their product left after T time
    steps. The number of time steps after which 1/e of it would be left, had each step kept their
    geometric mean, is -1 / mean(log z).

    Args:
        kept: `[T, H]`, the fraction of its state that each unit keeps, from 0 to 1.

    Returns:
        `[H]`, in time steps; infinite for a unit that keeps all.
    """
    with np.errstate(divide="ignore"):
        logs = np.log(np.asarray(kept, np.float64)).mean(0)
        steps: np.ndarray = np.where(logs < 0, -1 / logs, np.inf)
        return steps
