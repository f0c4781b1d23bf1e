"""Turns raw examples into the sequences that a model reads, alike for training and serving."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from seqclf.data.dataset import DatasetSpec, Split
from seqclf.data.missing import fill_missing
from seqclf.data.own_scale import scaled_by_itself
from seqclf.errors import DataError


def as_sequences(x: Any, spec: DatasetSpec, lengths: Any = None) -> tf.Tensor:
    """Reads raw examples as normalised sequences.

    The pipeline, the evaluation and the export all call this one function, so that a served model
    reads its inputs as the trained model did.

    Args:
        x: raw values `[B, *raw_shape]`, any real dtype. A missing value is NaN.
        spec: the spec that gives the reading, the normalisation, and what is done with missing
            values; without the latter NaN stays NaN.
        lengths: `[B]`, the number of valid time steps; later ones become 0. None: all are valid.

    Returns:
        float32 `[B, T, D]`. With `spec.missing` "indicator" the second half of the D features says
        which values of the first half were missing: 1 if so, otherwise 0.
    """
    x = tf.cast(x, tf.float32)
    if len(spec.raw_shape) == 2:
        x = x[..., tf.newaxis]  # [B, H, W, C]
    if spec.reading == "columns":
        x = tf.transpose(x, [0, 2, 1, 3])  # [B, W, H, C]
    steps = tf.shape(x)[1] if spec.variable_length else spec.time_steps
    x = tf.reshape(x, [-1, steps, spec.raw_features])  # [B, T, D]
    if spec.reading == "permuted":
        x = tf.gather(x, tf.constant(spec.order), axis=1)
    missing, valid, fill = None, tf.constant(True), tf.constant(spec.fill, tf.float32)
    if lengths is not None:
        valid = tf.sequence_mask(lengths, tf.shape(x)[1])[..., tf.newaxis]  # [B, T, 1]
    if spec.own_scale:
        observed = valid if spec.missing == "error" else valid & ~tf.math.is_nan(x)
        x, fill = scaled_by_itself(x, observed), tf.zeros_like(fill)  # 0 is its mean from here on
    if spec.missing != "error":
        x, missing = fill_missing(x, spec.missing, fill, lengths)
    if not spec.own_scale:
        x = (x - tf.constant(spec.shift)) * tf.constant(spec.scale)
    if spec.missing == "indicator":
        x = tf.concat([x, tf.cast(missing, tf.float32)], axis=2)
    if lengths is not None:
        x = tf.where(valid, x, 0.0)
    return x


@dataclasses.dataclass(frozen=True)
class Moments:
    """Sums over the observed values of many sequences, by feature, in float64: exact for uint8.

    Attributes:
        count: the number of observed values of each feature, int `[D]`.
        total: the sum of each feature, `[D]`.
        squares: the sum of each feature's square, `[D]`.
    """

    count: np.ndarray
    total: np.ndarray
    squares: np.ndarray

    @classmethod
    def of(cls, steps: np.ndarray) -> "Moments":
        """Returns the moments of valid time steps `[n, D]`; NaN is a missing value."""
        steps = steps.astype(np.float64)
        missing = np.isnan(steps)
        if missing.any():
            steps[missing] = 0.0
        return cls(len(steps) - missing.sum(0), steps.sum(0), (steps**2).sum(0))

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
        raw = dataclasses.replace(spec, shift=(0.0,), scale=(1.0,), missing="error")
        x = as_sequences(part.x, raw).numpy()  # [B, T, D]
        lengths = np.full(len(x), x.shape[1]) if part.lengths is None else part.lengths
        parts.append(Moments.of(x[np.arange(x.shape[1]) < lengths[:, None]]))
    return sum(parts[1:], parts[0])


def with_normalization(spec: DatasetSpec, kind: str, measure: Callable[[], Moments]) -> DatasetSpec:
    """Returns the spec with a normalisation, as `data.normalize` names its kind.

    Args:
        spec: the description of the data, without a normalisation.
        kind: `unit` divides by the spec's `full_scale`; `standard` gives each feature mean 0 and
            deviation 1 over its observed values in all valid time steps; `global` does so for all
            features together, which keeps their proportions; `sequence` scales each sequence by
            itself; `auto` is unit for uint8 and standard for float; `none` changes nothing.
        measure: a function that returns the moments of the training split. It is called only where
            they are needed; no other split is used.

    Raises:
        DataError: `kind` is `unit` and the examples are not uint8.
    """
    if kind == "auto":
        kind = "unit" if spec.raw_dtype == "uint8" else "standard"
    if kind == "sequence":
        return dataclasses.replace(spec, own_scale=True)
    if kind == "none":
        return spec
    if kind == "unit":
        if spec.raw_dtype != "uint8":
            raise DataError(
                f"{spec.source}: `data.normalize` 'unit' needs uint8 examples, whose full scale is "
                f"known. Received: {spec.raw_dtype}; take 'standard' or 'none'."
            )
        return dataclasses.replace(spec, scale=(1.0 / spec.full_scale,))
    measured = measure()
    count, total, squares = measured.count, measured.total, measured.squares
    if kind == "global":
        count, total, squares = (sums.mean(keepdims=True) for sums in (count, total, squares))
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 0.0))
    constant = deviation <= 1e-6 * np.maximum(np.abs(mean), 1e-6)
    scale = 1.0 / np.where(constant, 1.0, deviation)
    shift = tuple(map(float, mean))
    return dataclasses.replace(spec, shift=shift, scale=tuple(map(float, scale)))


def observed_means(measured: Moments, spec: DatasetSpec, where: str) -> tuple[float, ...]:
    """Returns the mean of each feature over its observed values, `DatasetSpec.fill`.

    Args:
        measured: the moments of the training split.
        spec: the description of the data; its feature names are used in the message.
        where: the file or the dataset, as messages begin.

    Raises:
        DataError: a feature has no observed value.
    """
    if (empty := np.flatnonzero(measured.count == 0)).size:
        names = [
            repr(spec.feature_names[d]) if spec.feature_names else str(d) for d in empty.tolist()
        ]
        raise DataError(
            f"{where}: every feature needs observed values to train on. Received: only missing "
            f"values in the training split for feature {', '.join(names)}. Leave it out (tables: "
            "`data.features`)."
        )
    return tuple(map(float, measured.total / measured.count))
