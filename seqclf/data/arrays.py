"""`from_arrays`: a dataset from arrays in memory."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from seqclf.config import DataConfig
from seqclf.data.assembly import assemble
from seqclf.data.axis_order import axis_order_note
from seqclf.data.dataset import Dataset
from seqclf.data.labels import is_missing, sorted_names
from seqclf.data.sequences import RawData, Sequences, padded, unmasked
from seqclf.data.step_labels import NO_LABEL, are_lists, as_step_labels, valid_steps
from seqclf.errors import ConfigError, DataError

OPTIONS = (
    *("normalize", "reading", "permutation_seed", "missing", "window", "stride", "window_label"),
    *("split_by", "validation", "test", "split_seed"),
)
WHERE = "arrays"


def from_arrays(
    sequences: Any,
    labels: Any,
    lengths: Any,
    class_names: Sequence[str] | None,
    feature_names: Sequence[str],
    per_example: Mapping[str, Any],
    options: Mapping[str, Any],
) -> Dataset:
    """Makes a dataset of arrays in memory, for `Dataset.from_arrays`, which says what they are.

    `per_example` holds `ids`, `groups`, `splits` and `weights`.
    """
    if unknown := [name for name in options if name not in OPTIONS]:
        raise ConfigError(
            f"Dataset.from_arrays takes the options {', '.join(OPTIONS)}. Received: {unknown[0]!r}"
        )
    config = DataConfig(source=WHERE, **options)
    x, lengths, owned = _values(sequences, lengths)
    y = _labels(labels, x, lengths)
    if y.dtype.kind in "iub" and class_names is None:
        y = _as_names(y, lengths)  # 3 and 7 are classes as good as "a" and "b"
        class_names = sorted_names(y[y != ""])
    texts = {name: array for name, array in per_example.items() if name != "weights"}
    named: dict[str, Any] = {
        name: _per_example(array, name, len(x)) for name, array in texts.items()
    }
    if per_example.get("weights") is not None:
        named["weights"] = np.asarray(per_example["weights"])
    part = Sequences(x, y, lengths, **named, owned=owned)
    raw = RawData(
        {"train": part},
        origin=f"{len(x):,} arrays in memory",
        where=WHERE,
        class_names=None if class_names is None else tuple(map(str, class_names)),
        feature_names=tuple(map(str, feature_names)),
        notes=() if lengths is not None else axis_order_note(x, "sequences"),
    )
    return dataclasses.replace(assemble(raw, config), options=config)


def _values(sequences: Any, lengths: Any) -> tuple[np.ndarray, np.ndarray | None, bool]:
    """Returns x, its lengths, and whether x is a new array."""
    if hasattr(sequences, "__array__"):  # such as a tensor
        array = unmasked(sequences)
        if array.ndim < 2 and array.dtype != object:
            raise DataError(
                "`sequences` must be a list of arrays [T_i, D], or one array [N, T, D] or [N, T]. "
                f"Received: an array {list(array.shape)}"
            )
        if array.dtype != object:
            x = array[..., np.newaxis] if array.ndim == 2 else array
            return x, None if lengths is None else np.asarray(lengths), False
    if lengths is not None:
        raise DataError(
            "`lengths` goes with one padded array [N, T, D]; a list of sequences has its own "
            "lengths. Received: both a list and `lengths`"
        )
    return *padded(sequences, WHERE), True


def _labels(labels: Any, x: np.ndarray, lengths: np.ndarray | None) -> np.ndarray:
    """Returns the labels `[N]`, or those of time steps `[N, T]`."""
    if are_lists(labels):
        return as_step_labels(labels, x.shape, lengths)
    y = np.asarray(labels)
    if y.shape not in ((len(x),), x.shape[:2]):
        raise DataError(
            f"`labels` must be of shape [{len(x)}], one for each sequence, or {list(x.shape[:2])}, "
            f"one for each time step. Received: {list(y.shape)}"
        )
    return y


def _as_names(y: np.ndarray, lengths: np.ndarray | None) -> np.ndarray:
    """Returns integers as strings, "" at time steps without a label."""
    names = y.astype(str)
    if y.ndim == 2:
        names[~valid_steps(y.shape, lengths) | (y.astype(int) == NO_LABEL)] = ""
    return names


def _per_example(array: Any, name: str, count: int) -> np.ndarray | None:
    """Returns names of examples as strings; a missing one is ""."""
    if array is None:
        return None
    values = np.asarray(array)
    if values.shape != (count,):
        raise DataError(
            f"`{name}` must be of shape [{count}], one for each sequence. Received: "
            f"{list(values.shape)}"
        )
    texts = values.astype(str).astype(object)
    texts[is_missing(values)] = ""
    return texts
