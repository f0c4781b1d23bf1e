"""Turns raw examples into the sequences that a model reads, alike for training and serving."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from seqclf.data.dataset import DatasetSpec, Split
from seqclf.errors import DataError


def as_sequences(x: Any, spec: DatasetSpec, lengths: Any = None) -> tf.Tensor:
    """Reads raw examples as normalised sequences.

    The pipeline, the evaluation and the export all call this one function, so that a served model
    reads its inputs as the trained model did.

    Args:
        x: raw values `[B, *raw_shape]`, any real dtype.
        spec: the spec that gives the reading and the normalisation.
        lengths: `[B]`, the number of valid time steps; later ones become 0. None: all are valid.

    Returns:
        float32 `[B, T, D]`.
    """
    x = tf.cast(x, tf.float32)
    if len(spec.raw_shape) == 2:
        x = x[..., tf.newaxis]  # [B, H, W, C]
    if spec.reading == "columns":
        x = tf.transpose(x, [0, 2, 1, 3])  # [B, W, H, C]
    steps = tf.shape(x)[1] if spec.variable_length else spec.time_steps
    x = tf.reshape(x, [-1, steps, spec.features])  # [B, T, D]
    x = (x - tf.constant(spec.shift)) * tf.constant(spec.scale)
    if lengths is not None:
        valid = tf.sequence_mask(lengths, tf.shape(x)[1])  # [B, T]
        x = tf.where(valid[..., tf.newaxis], x, 0.0)
    return x


@dataclasses.dataclass(frozen=True)
class Moments:
    """Sums over the valid time steps of many sequences, by feature, in float64: exact for uint8.

    Attributes:
        count: the number of time steps.
        total: the sum of each feature, `[D]`.
        squares: the sum of each feature's square, `[D]`.
    """

    count: int
    total: np.ndarray
    squares: np.ndarray

    @classmethod
    def of(cls, steps: np.ndarray) -> "Moments":
        """Returns the moments of time steps `[n, D]`."""
        steps = steps.astype(np.float64)
        return cls(len(steps), steps.sum(0), (steps**2).sum(0))

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(
            self.count + other.count, self.total + other.total, self.squares + other.squares
        )


def moments(train: Split, spec: DatasetSpec) -> Moments:
    """Returns the moments of a split in memory, read as the spec says."""
    parts = []
    for start in range(
        0, len(train), 1024
    ):  # in pieces, because float64 takes eight times the memory
        part = train.take(np.arange(start, min(start + 1024, len(train))))
        raw = dataclasses.replace(spec, shift=(0.0,), scale=(1.0,))
        x = as_sequences(part.x, raw).numpy()  # [B, T, D]
        lengths = np.full(len(x), x.shape[1]) if part.lengths is None else part.lengths
        parts.append(Moments.of(x[np.arange(x.shape[1]) < lengths[:, None]]))
    return sum(parts[1:], parts[0])


def normalization(
    spec: DatasetSpec, kind: str, measure: Callable[[], Moments]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns shift and scale of `(x - shift) * scale`.

    Args:
        spec: the description of the data (its own shift and scale are not used).
        kind: `unit` divides by the spec's `full_scale`; `standard` gives each feature mean 0 and
            deviation 1 over all valid time steps; `global` does so for all features together, which
            keeps their proportions; `auto` is unit for uint8 and standard for float; `none` changes
            nothing.
        measure: a function that returns the moments of the training split. It is called only where
            they are needed; no other split is used.

    Raises:
        DataError: `kind` is `unit` and the examples are not uint8.
    """
    if kind == "auto":
        kind = "unit" if spec.raw_dtype == "uint8" else "standard"
    if kind == "none":
        return (0.0,), (1.0,)
    if kind == "unit":
        if spec.raw_dtype != "uint8":
            raise DataError(
                f"{spec.source}: `data.normalize` 'unit' needs uint8 examples, whose full scale is "
                f"known. Received: {spec.raw_dtype}; take 'standard' or 'none'."
            )
        return (0.0,), (1.0 / spec.full_scale,)
    measured = measure()
    total, squares = measured.total, measured.squares
    if kind == "global":
        total, squares = total.mean(keepdims=True), squares.mean(keepdims=True)
    mean = total / measured.count
    deviation = np.sqrt(np.maximum(squares / measured.count - mean**2, 0.0))
    constant = deviation <= 1e-6 * np.maximum(np.abs(mean), 1e-6)
    scale = 1.0 / np.where(constant, 1.0, deviation)
    return tuple(map(float, mean)), tuple(map(float, scale))
