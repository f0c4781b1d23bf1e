"""`assemble`: from what a source gives to a dataset: labels, windows, splits, checks, spec."""

import dataclasses
import functools

import numpy as np

from seqclf.config import DataConfig
from seqclf.data.checks import check_labels, check_sizes, checked_split, missing_classes
from seqclf.data.constant_features import constant_features
from seqclf.data.dataset import Dataset, DatasetSpec, Split
from seqclf.data.labels import with_class_indices
from seqclf.data.names import check_names
from seqclf.data.normalization import moments, observed_means, with_normalization
from seqclf.data.permutation import with_order
from seqclf.data.scale_notes import scale_notes
from seqclf.data.sequences import RawData, Sequences
from seqclf.data.split_names import SPLITS
from seqclf.data.splitting import all_splits
from seqclf.data.step_labels import NO_LABEL, labels_that_count, without_label_note
from seqclf.data.values import no_missing_note
from seqclf.data.windows import with_windows
from seqclf.errors import DataError


def assemble(raw: RawData, config: DataConfig) -> Dataset:
    """Makes a dataset of what a source gives.

    Args:
        raw: the examples and what is known about them. Arrays that it owns are used up.
        config: how they are read, divided and normalised. Its `source` goes into the spec.

    Raises:
        DataError: the examples cannot be trained on.
        ConfigError: an option cannot be used for this data.
    """
    for name, part in raw.parts.items():
        check_sizes(part, _where(raw, name))
    if config.window:
        stride = config.stride or config.window
        raw = with_windows(raw, config.window, stride, config.window_label)
    raw, class_names = with_class_indices(raw)
    _check_features(raw)
    # Each part is checked before it is divided, so that a message has the index in the source.
    raw = raw.changed(parts={name: _checked(raw, name, config) for name in raw.parts})
    own = {name: _as_split(part) for name, part in raw.parts.items()}
    check_labels(own, class_names, raw.where)
    parts, split_notes, division = all_splits(raw, config)
    parts = _padded_alike(parts, raw.where)
    splits = {name: _as_split(parts[name]) for name in SPLITS}
    check_labels(splits, class_names, raw.where)
    labels = {name: labels_that_count(split.y) for name, split in splits.items()}
    notes = (
        *without_label_note(parts.values()),
        *split_notes,
        *missing_classes(labels, class_names),
        *constant_features(splits["train"], raw.feature_names),
        *scale_notes(splits["train"], raw.feature_names, config),
    )
    if config.missing != "error" and splits["train"].x.dtype == np.uint8:
        notes = (*notes, no_missing_note(config.missing))
    spec = _spec(raw, splits["train"], config)
    return Dataset(
        spec,
        splits["train"],
        splits["validation"],
        splits["test"],
        origin=raw.origin,
        notes=(*raw.notes, *notes),
        division=division,
    )


def _where(raw: RawData, name: str) -> str:
    """Returns the beginning of messages about a part."""
    return raw.where if len(raw.parts) == 1 else f"{raw.where} ({name})"


def _check_features(raw: RawData) -> None:
    features = raw.parts["train"].x.shape[-1]
    if not raw.feature_names:
        return
    check_names(raw.feature_names, "feature", raw.where)
    if len(raw.feature_names) != features:
        raise DataError(
            f"{raw.where}: there must be {features} feature names, one for each feature. "
            f"Received: {len(raw.feature_names)}"
        )


def _checked(raw: RawData, name: str, config: DataConfig) -> Sequences:
    """Returns a part with its values in the dtypes that training uses."""
    part, train = raw.parts[name], raw.parts["train"]
    if part.x.shape[2:] != train.x.shape[2:] or part.x.ndim != train.x.ndim:
        shapes = f"{list(train.x.shape[1:])} and {list(part.x.shape[1:])}"
        raise DataError(
            f"{raw.where}: the examples of train and {name} must be of one shape. "
            f"Received: {shapes}"
        )
    if (part.x.dtype == np.uint8) != (train.x.dtype == np.uint8):
        raise DataError(
            f"{raw.where}: the examples of train and {name} must both be uint8, or neither. "
            f"Received: {train.x.dtype} and {part.x.dtype}"
        )
    assert part.labels is not None
    split = checked_split(
        part.x,
        part.labels,
        part.lengths,
        _where(raw, name),
        owned=part.owned,
        missing=config.missing,
        feature_names=raw.feature_names,
    )
    owned = part.owned or split.x is not part.x
    weights = None if part.weights is None else part.weights.astype(np.float32)
    return dataclasses.replace(
        part, x=split.x, labels=split.y, lengths=split.lengths, weights=weights, owned=owned
    )


def _as_split(part: Sequences) -> Split:
    assert part.labels is not None
    return Split(part.x, part.labels, part.lengths, part.ids, part.weights)


def _padded_alike(parts: dict[str, Sequences], where: str) -> dict[str, Sequences]:
    """Returns the splits with one number of time steps, that of the longest.

    Raises:
        DataError: images are of several sizes.
    """
    longest = max(part.x.shape[1] for part in parts.values())
    vary = any(part.lengths is not None for part in parts.values())
    alike = all(part.x.shape[1] == longest for part in parts.values())
    x = parts["train"].x
    if not alike and (x.ndim != 3 or (x.dtype == np.uint8 and not vary)):
        sizes = sorted({str(list(part.x.shape[1:])) for part in parts.values()})
        raise DataError(f"{where}: all images must be of one size. Received: {' and '.join(sizes)}")
    if alike and not vary:
        return parts
    return {name: _padded(part, longest) for name, part in parts.items()}


def _padded(part: Sequences, longest: int) -> Sequences:
    """Returns the sequences with `longest` time steps, and with lengths."""
    steps, x, lengths, labels = part.x.shape[1], part.x, part.lengths, part.labels
    if lengths is None:
        lengths = np.full(len(part), steps, np.int32)
    if steps < longest:
        x = np.zeros((len(part), longest, x.shape[2]), x.dtype)
        x[:, :steps] = part.x
        if labels is not None and labels.ndim == 2:
            behind = ((0, 0), (0, longest - steps))
            labels = np.pad(labels, behind, constant_values=NO_LABEL)
    return dataclasses.replace(part, x=x, lengths=lengths, labels=labels)


def _spec(raw: RawData, train: Split, config: DataConfig) -> DatasetSpec:
    assert raw.class_names is not None
    spec = DatasetSpec(
        source=config.source,
        reading=config.reading,
        raw_shape=train.x.shape[1:],
        raw_dtype=str(train.x.dtype),
        class_names=raw.class_names,
        variable_length=train.lengths is not None,
        full_scale=raw.full_scale,
        background=_background(train.x, raw.full_scale),
        feature_names=raw.feature_names,
        missing=config.missing if train.x.dtype != np.uint8 else "error",
        table=raw.table,
        per_step=train.y.ndim == 2,
    )
    if (spec.variable_length or spec.per_step) and config.reading != "rows":
        raise DataError(
            f"{config.source}: sequences with `lengths` or with labels of time steps can only be "
            f"read by `rows`. Received: {config.reading!r}"
        )
    spec = with_order(spec, config.permutation_seed)
    measure = functools.cache(lambda: moments(train, spec))
    fill = () if spec.missing == "error" else observed_means(measure(), spec, raw.where)
    return dataclasses.replace(with_normalization(spec, config.normalize, measure), fill=fill)


def _background(x: np.ndarray, full_scale: float) -> float:
    """Returns the mean of the images' borders as a fraction of full scale; 0 for sequences."""
    if x.dtype != np.uint8:
        return 0.0
    border = np.ones(x.shape[1:3], bool)
    border[1:-1, 1:-1] = False
    return round(float(x[:, border].mean() / full_scale), 4)
