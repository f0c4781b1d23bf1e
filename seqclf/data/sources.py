"""`load_dataset`: loads a source by its name, as checked splits with their spec."""

import dataclasses

import numpy as np

from seqclf.data import tfds_source
from seqclf.data.checks import check_labels, checked_split, missing_classes, numbered_classes
from seqclf.data.dataset import READINGS, Dataset, DatasetSpec, Split
from seqclf.data.idx import load_idx
from seqclf.data.normalization import moments, normalization
from seqclf.data.npz import load_npz
from seqclf.data.shards.source import load_shards
from seqclf.errors import ConfigError, DataError


@dataclasses.dataclass(frozen=True)
class _Source:
    """The raw splits of a source (`train`, perhaps others) before more splits are made."""

    splits: dict[str, Split]
    class_names: tuple[str, ...]
    origin: str
    full_scale: float = 255.0


def load_dataset(
    source: str = "digits",
    *,
    reading: str = "rows",
    normalize: str = "auto",
    image_size: tuple[int, ...] = (),
    mnist_dir: str = "",
    tfds_dir: str = "",
    validation: float = 0.1,
    test: float = 0.2,
    split_seed: int = 0,
    shuffle_buffer: int = 10_000,
) -> Dataset:
    """Loads a dataset and splits it.

    Args:
        source: `digits` (1,797 real digits of 8×8 that come with scikit-learn), a name of
            tensorflow-datasets (`mnist`, `fashion_mnist`, …), `idx:DIR` (MNIST's four original
            files, see `load_idx`), `npz:FILE` (your own sequences, see `load_npz`) or
            `tfrecord:GLOB` (shards that `python -m seqclf.shard` wrote; they hold their splits, and
            are read on demand).
        reading: how an image `[H, W]` or `[H, W, C]` is read as a sequence `[T, D]`: `rows`
            (T = H, D = W·C), `columns` (T = W, D = H·C) or `pixels` (T = H·W, D = C). A sequence
            `[T, D]` is read as it is by `rows`.
        normalize: `unit`, `standard`, `global`, `auto` or `none`, see `normalization`.
        image_size: the `(height, width)` that images of tensorflow-datasets are resized to.
        mnist_dir: folder with MNIST's four `.gz` files; empty: $SEQCLF_MNIST_DIR.
        tfds_dir: tensorflow-datasets' folder; empty: its default.
        validation: the fraction of the training examples to validate on, if the source has no
            validation split of its own.
        test: the fraction of the examples to test on, if the source has no test split of its own.
        split_seed: the seed of the random splits, which keep the classes' proportions.
        shuffle_buffer: for `tfrecord:` sources, the number of examples that are held in memory to
            shuffle them.

    Returns:
        A `Dataset` with the splits `train`, `validation` and `test`.

    Raises:
        DataError: the data is missing, damaged or cannot be trained on.
        ConfigError: the reading or the normalisation is unknown, or cannot be used for this data.

    Example:
        >>> dataset = load_dataset("digits")
        >>> dataset.spec.time_steps, dataset.spec.features, dataset.spec.num_classes
        (8, 8, 10)
    """
    _check_options(source, reading, image_size)
    kind, _, path = source.partition(":")
    if kind == "tfrecord":
        return load_shards(
            path, reading=reading, normalize=normalize, shuffle_buffer=shuffle_buffer
        )
    if kind == "npz":
        raw = _from_npz(path)
    elif kind == "idx":
        raw = _from_idx(path)
    elif source == "digits":
        raw = _digits()
    else:
        raw = _from_tfds(source, tfds_dir, mnist_dir, image_size)
    check_labels(raw.splits, raw.class_names, source)
    splits = _with_held_out(raw, validation, test, split_seed, source)
    spec = _spec(raw, splits["train"], source, reading, normalize)
    notes = missing_classes({name: split.y for name, split in splits.items()}, raw.class_names)
    return Dataset(spec=spec, **splits, origin=raw.origin, notes=notes)


def _check_options(source: str, reading: str, image_size: tuple[int, ...]) -> None:
    if reading not in READINGS:
        raise ConfigError(f"`reading` must be one of {READINGS}. Received: {reading!r}")
    kind, _, path = source.partition(":")
    if image_size and (source == "digits" or kind in ("npz", "idx", "tfrecord")):
        raise ConfigError(
            "`data.image_size` resizes images of tensorflow-datasets only. "
            f"Received: {image_size} with {source!r}"
        )
    if kind in ("npz", "idx", "tfrecord") and not path:
        raise ConfigError(f"`data.source` names no file or folder. Received: {source!r}")


def _spec(raw: _Source, train: Split, source: str, reading: str, normalize: str) -> DatasetSpec:
    spec = DatasetSpec(
        source=source,
        reading=reading,
        raw_shape=train.x.shape[1:],
        raw_dtype=str(train.x.dtype),
        class_names=raw.class_names,
        variable_length=train.lengths is not None,
        full_scale=raw.full_scale,
        background=_background(train.x, raw.full_scale),
    )
    if spec.variable_length and reading != "rows":
        raise DataError(
            f"{source}: sequences with `lengths` can only be read by `rows`. Received: {reading!r}"
        )
    shift, scale = normalization(spec, normalize, lambda: moments(train, spec))
    return dataclasses.replace(spec, shift=shift, scale=scale)


def _from_npz(path: str) -> _Source:
    arrays = load_npz(path)
    assert arrays.y is not None
    split = checked_split(arrays.x, arrays.y, arrays.lengths, path)
    names = arrays.class_names or numbered_classes(split, path)
    return _Source({"train": split}, names, f"file {path}")


def _from_idx(folder: str) -> _Source:
    arrays = load_idx(folder)
    splits = {k: checked_split(x, y, None, f"{folder} ({k})") for k, (x, y) in arrays.items()}
    if splits["train"].x.shape[1:] != splits["test"].x.shape[1:]:
        shapes = " and ".join(str(list(s.x.shape[1:])) for s in splits.values())
        raise DataError(f"{folder}: train and test images must be of one size. Received: {shapes}")
    return _Source(splits, numbered_classes(splits["train"], folder), f"idx files in {folder}")


def _from_tfds(name: str, tfds_dir: str, mnist_dir: str, image_size: tuple[int, ...]) -> _Source:
    arrays, names, origin = tfds_source.load_tfds(
        name, tfds_dir=tfds_dir, mnist_dir=mnist_dir, image_size=image_size
    )
    splits = {k: checked_split(x, y, None, name) for k, (x, y) in arrays.items()}
    return _Source(splits, names, origin)


def _digits() -> _Source:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    split = checked_split(bunch.images.astype(np.uint8), bunch.target, None, "digits")
    names = tuple(str(name) for name in bunch.target_names)
    origin = "scikit-learn's bundled handwritten digits (8×8, UCI)"
    return _Source({"train": split}, names, origin, full_scale=16.0)


def _with_held_out(
    raw: _Source, validation: float, test: float, seed: int, source: str
) -> dict[str, Split]:
    """Returns all three splits: holds out validation and, if the source has none, test examples."""
    splits = dict(raw.splits)
    fractions = {"test": test, "validation": validation}
    missing = [name for name in fractions if name not in splits]
    for i, name in enumerate(missing):
        later = len(missing) - 1 - i
        splits["train"], splits[name] = _hold_out(
            splits["train"], fractions[name], seed, source, raw.class_names, later
        )
    return splits


def _background(x: np.ndarray, full_scale: float) -> float:
    """Returns the mean of the images' borders as a fraction of full scale; 0 for sequences."""
    if x.dtype != np.uint8:
        return 0.0
    border = np.ones(x.shape[1:3], bool)
    border[1:-1, 1:-1] = False
    return round(float(x[:, border].mean() / full_scale), 4)


def _hold_out(
    split: Split, fraction: float, seed: int, source: str, names: tuple[str, ...], later: int
) -> tuple[Split, Split]:
    """Returns the examples that are kept and those that are held out, with every class in both.

    Args:
        split: the examples.
        fraction: the fraction that is held out.
        seed: the seed of the choice.
        source: the name of the source, for messages.
        names: the class names.
        later: how many more splits are held out afterwards; each needs an example of every class.
    """
    from sklearn.model_selection import train_test_split

    counts = np.bincount(split.y, minlength=len(names))
    least = 2 + later
    if counts.min() < least or round(fraction * len(split)) < len(names):
        scarcest = int(counts.argmin())
        raise DataError(
            f"{source}: too few examples to hold out a fraction of {fraction:g} with every class "
            f"in it: {len(split)} in all, {counts[scarcest]} of class {names[scarcest]!r}. Each "
            f"class needs {least}, one for each split, and what is held out at least "
            f"{len(names)}. Supply more, or raise `data.validation` or `data.test`."
        )
    kept, held_out = train_test_split(
        np.arange(len(split)), test_size=fraction, stratify=split.y, random_state=seed
    )
    kept, held_out = _with_every_class(kept, held_out, split.y, 1 + later)
    return split.take(np.sort(kept)), split.take(np.sort(held_out))


def _with_every_class(
    kept: np.ndarray, held_out: np.ndarray, labels: np.ndarray, least: int
) -> tuple[np.ndarray, np.ndarray]:
    """Moves examples of rare classes, which proportions alone may leave on one side.

    Args:
        kept: the indices of the examples that are kept, in random order.
        held_out: the indices of those that are held out, in random order.
        labels: the class of each example.
        least: how many examples of each class must be kept.
    """
    for y in np.unique(labels):
        if not (labels[held_out] == y).any():
            moved = kept[labels[kept] == y][:1]
            kept, held_out = np.setdiff1d(kept, moved, True), np.append(held_out, moved)
        if (lacking := least - int((labels[kept] == y).sum())) > 0:
            moved = held_out[labels[held_out] == y][:lacking]
            held_out, kept = np.setdiff1d(held_out, moved, True), np.append(kept, moved)
    return kept, held_out
