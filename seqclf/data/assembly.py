"""`assemble`: from what a source gives to a dataset: labels, windows, splits, checks, spec."""

import dataclasses
import functools

import numpy as np

from seqclf.config import DataConfig
from seqclf.data.checks import check_labels, check_shape, checked_split, missing_classes
from seqclf.data.dataset import Dataset, DatasetSpec, Split
from seqclf.data.holding_out import divide, division_in_words, held_out, own_splits
from seqclf.data.labels import with_class_indices
from seqclf.data.names import check_names
from seqclf.data.normalization import moments, normalization, observed_means
from seqclf.data.sequences import RawData, Sequences
from seqclf.data.values import no_missing_note
from seqclf.data.windows import with_windows
from seqclf.errors import ConfigError, DataError

SPLITS = ("train", "validation", "test")


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
        check_shape(part.x, raw.where if len(raw.parts) == 1 else f"{raw.where} ({name})")
    if config.window:
        stride = config.stride or config.window
        raw = with_windows(raw, config.window, stride, config.window_label)
    raw, class_names = with_class_indices(raw)
    _check_features(raw)
    # Each part is checked before it is divided, so that a message has the index in the source.
    raw = raw.changed(parts={name: _checked(raw, name, config) for name in raw.parts})
    own = {name: _as_split(part) for name, part in raw.parts.items()}
    check_labels(own, class_names, raw.where)
    parts = _padded_alike(_with_held_out(raw, config))
    splits = {name: _as_split(parts[name]) for name in SPLITS}
    check_labels(splits, class_names, raw.where)
    notes = missing_classes({name: split.y for name, split in splits.items()}, class_names)
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
        division=division_in_words(own_splits(raw), config.split_by, config.split_seed),
    )


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
    where = raw.where if len(raw.parts) == 1 else f"{raw.where} ({name})"
    if part.x.shape[2:] != train.x.shape[2:] or part.x.ndim != train.x.ndim:
        shapes = f"{list(train.x.shape[1:])} and {list(part.x.shape[1:])}"
        raise DataError(
            f"{raw.where}: the examples of train and {name} must be of one shape. "
            f"Received: {shapes}"
        )
    assert part.labels is not None
    split = checked_split(
        part.x,
        part.labels,
        part.lengths,
        where,
        owned=part.owned,
        missing=config.missing,
        feature_names=raw.feature_names,
    )
    owned = part.owned or split.x is not part.x
    return dataclasses.replace(part, x=split.x, labels=split.y, lengths=split.lengths, owned=owned)


def _as_split(part: Sequences) -> Split:
    assert part.labels is not None
    return Split(part.x, part.labels, part.lengths, part.ids)


def _with_held_out(raw: RawData, config: DataConfig) -> dict[str, Sequences]:
    """Returns all three splits: those of the source, and those that are held out at random."""
    own = own_splits(raw)
    parts = dict(raw.parts)
    if (chosen := own["train"]) is not None:
        taken = {name: indices for name, indices in own.items() if indices is not None}
        parts |= divide(parts["train"], {**taken, "train": chosen})
    _check_trained(parts, raw)
    fractions = {"test": config.test, "validation": config.validation}
    lacking = {name: each for name, each in fractions.items() if name not in parts}
    if not lacking:
        return parts
    train = parts["train"]
    if config.split_by == "group" and train.groups is None:
        raise ConfigError(
            f"{raw.where}: `data.split_by` 'group' needs the group of each example: name its "
            "column in `data.group` (in an .npz file: the array `groups`)."
        )
    assert train.labels is not None and raw.class_names is not None
    groups = train.groups if config.split_by == "group" else None
    where = raw.where if raw.table else config.source
    splits = held_out(train.labels, groups, lacking, config.split_seed, where, raw.class_names)
    return parts | divide(train, splits)


def _check_trained(parts: dict[str, Sequences], raw: RawData) -> None:
    """Raises DataError if a class has examples, but none in the training split."""
    assert raw.class_names is not None
    counts = {name: np.bincount(_as_split(part).y, minlength=1) for name, part in parts.items()}
    for y, class_name in enumerate(raw.class_names):
        found = {name: int(count[y]) if y < len(count) else 0 for name, count in counts.items()}
        if not found["train"] and any(found.values()):
            where = ", ".join(f"{count} in {name}" for name, count in found.items() if count)
            raise DataError(
                f"{raw.where}: every class needs examples to train on. Received: {where} and none "
                f"in train of class {class_name!r}. Move some to train, or leave the class out."
            )


def _padded_alike(parts: dict[str, Sequences]) -> dict[str, Sequences]:
    """Returns the splits with one number of time steps, that of the longest."""
    longest = max(part.x.shape[1] for part in parts.values())
    vary = any(part.lengths is not None for part in parts.values()) or any(
        part.x.shape[1] != longest for part in parts.values()
    )
    if not vary or next(iter(parts.values())).x.ndim != 3:
        _check_one_size(parts)
        return parts
    alike = {}
    for name, part in parts.items():
        steps, x = part.x.shape[1], part.x
        lengths = part.lengths
        if lengths is None:
            lengths = np.full(len(part), steps, np.int32)
        if steps < longest:
            x = np.zeros((len(part), longest, x.shape[2]), x.dtype)
            x[:, :steps] = part.x
        alike[name] = dataclasses.replace(part, x=x, lengths=lengths)
    return alike


def _check_one_size(parts: dict[str, Sequences]) -> None:
    shapes = {str(list(part.x.shape[1:])) for part in parts.values()}
    if len(shapes) > 1:
        raise DataError(f"All images must be of one size. Received: {' and '.join(sorted(shapes))}")


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
    )
    if spec.variable_length and config.reading != "rows":
        raise DataError(
            f"{config.source}: sequences with `lengths` can only be read by `rows`. "
            f"Received: {config.reading!r}"
        )
    measure = functools.cache(lambda: moments(train, spec))
    fill = () if spec.missing == "error" else observed_means(measure(), spec, raw.where)
    shift, scale = normalization(spec, config.normalize, measure)
    return dataclasses.replace(spec, shift=shift, scale=scale, fill=fill)


def _background(x: np.ndarray, full_scale: float) -> float:
    """Returns the mean of the images' borders as a fraction of full scale; 0 for sequences."""
    if x.dtype != np.uint8:
        return 0.0
    border = np.ones(x.shape[1:3], bool)
    border[1:-1, 1:-1] = False
    return round(float(x[:, border].mean() / full_scale), 4)
