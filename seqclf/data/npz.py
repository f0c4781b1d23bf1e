"""Reads a user's own sequences from one `.npz` file: which arrays it may hold, and what each is."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqclf.config import DataConfig
from seqclf.data.axis_order import axis_order_note
from seqclf.data.npz_file import read_arrays
from seqclf.data.sequences import RawData, Sequences
from seqclf.data.split_names import SPLITS
from seqclf.errors import DataError

OF_SPLIT = ("x", "y", "lengths", "ids", "groups", "weights")  # arrays that each split may have
OF_FILE = ("class_names", "feature_names", "splits")  # arrays of the file as a whole
SUFFIXES = {"train": "", "validation": "_validation", "test": "_test"}


@dataclass(frozen=True)
class Arrays:
    """The arrays of one split in an `.npz` file, unchecked.

    Attributes:
        x: `[N, T, D]`, or images `[N, H, W]` or `[N, H, W, C]`.
        y: `[N]` or `[N, T]` integers or strings, or None.
        lengths: `[N]` integers, or None.
        class_names: the name of each class, or None.
        ids: `[N]` strings, or None.
        groups: `[N]` strings, or None.
        weights: `[N]` numbers, or None.
        splits: `[N]` strings, or None.
        feature_names: the name of each feature; (): they have none.
        notes: lines that tell people how the file was read.
    """

    x: np.ndarray
    y: np.ndarray | None = None
    lengths: np.ndarray | None = None
    class_names: tuple[str, ...] | None = None
    ids: np.ndarray | None = None
    groups: np.ndarray | None = None
    weights: np.ndarray | None = None
    splits: np.ndarray | None = None
    feature_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def load_npz(path: str, labelled: bool = True) -> Arrays:
    """Reads the examples of a file that `np.savez(path, x=…, y=…, lengths=…, class_names=…)` wrote.

    Args:
        path: the file. `x` is `[N, T, D]`, `[N, T]` (one feature), or images `[N, H, W]` or
            `[N, H, W, C]`; `y` is integers or strings, `[N]`, or `[N, T]` with the class of each
            time step; `docs/data.md` has the others. Of a
            file with a validation or test split of its own, this is the training split.
        labelled: whether the file must hold `y`.

    Raises:
        DataError: the file is missing, truncated, not an `.npz` file, or holds Python objects; or
            an array is unknown or missing.
    """
    return load_npz_splits(path, labelled)["train"]


def load_npz_splits(path: str, labelled: bool = True) -> dict[str, Arrays]:
    """Reads all splits of an `.npz` file; `load_npz` describes the arguments and the errors."""
    file = Path(path).expanduser()
    arrays = read_arrays(file)
    own = [name for name in SPLITS if f"x{SUFFIXES[name]}" in arrays]
    _check_names(arrays, own, labelled, file)
    names = {key: _names(arrays.get(key), key, file) for key in ("class_names", "feature_names")}
    return {name: _of_split(arrays, name, names, file) for name in own}


def npz_data(path: str, config: DataConfig) -> RawData:
    """Returns the examples of an `.npz` file, for `load_dataset`."""
    del config
    splits = load_npz_splits(path)
    parts = {
        name: Sequences(
            arrays.x,
            arrays.y,
            arrays.lengths,
            ids=arrays.ids,
            groups=arrays.groups,
            splits=arrays.splits,
            weights=arrays.weights,
            owned=True,
        )
        for name, arrays in splits.items()
    }
    train = splits["train"]
    notes = train.notes if train.lengths is not None else (*train.notes, *axis_order_note(train.x))
    return RawData(parts, f"file {path}", path, train.class_names, train.feature_names, notes=notes)


def _check_names(arrays: dict[str, np.ndarray], own: list[str], labelled: bool, file: Path) -> None:
    """Checks that all arrays are known, and that each split has those that it needs."""
    known = [name + SUFFIXES[split] for split in SPLITS for name in OF_SPLIT] + list(OF_FILE)
    needed = ("x", "y") if labelled else ("x",)
    required = list(needed) + [
        name + SUFFIXES[split] for split in own if split != "train" for name in needed
    ]
    missing = [name for name in required if name not in arrays]
    alone = [
        name
        for split in SPLITS
        if split not in own
        for name in (each + SUFFIXES[split] for each in OF_SPLIT)
        if name in arrays
    ]
    unknown = [name for name in arrays if name not in known]
    if not (missing or unknown or alone):
        return
    if unknown:
        wrong = f"{', '.join(map(repr, unknown))} not known"
    elif missing:
        wrong = f"{', '.join(map(repr, missing))} missing"
    else:
        wrong = f"{alone[0]!r} without its x"
    raise DataError(
        f"{file}: must hold the arrays {' and '.join(needed)}, and may hold lengths, ids, groups, "
        f"weights, {', '.join(OF_FILE)}, and for splits of its own x_test, y_test, lengths_test, "
        f"…, and x_validation, … Received: {', '.join(arrays)} ({wrong})"
    )


def _of_split(
    arrays: dict[str, np.ndarray],
    split: str,
    names: dict[str, tuple[str, ...] | None],
    file: Path,
) -> Arrays:
    found = {name: arrays.get(name + SUFFIXES[split]) for name in OF_SPLIT}
    if split == "train":
        found["splits"] = arrays.get("splits")
        if found["splits"] is not None and any(f"x_{other}" in arrays for other in SPLITS[1:]):
            raise DataError(
                f"{file}: `splits` says which split each example of `x` belongs to; a file with "
                "x_test or x_validation must not have it. Received: both"
            )
    x = found.pop("x")
    assert x is not None
    for name in ("ids", "groups", "splits"):
        if (values := found.get(name)) is not None:
            found[name] = _per_example(values, name + SUFFIXES[split], len(x), file)
    notes: tuple[str, ...] = ()
    if x.ndim == 2:
        notes = (f"`x` is [{x.shape[0]}, {x.shape[1]}]: read as sequences of one feature",)
        x = x[:, :, np.newaxis]
    return Arrays(
        x,
        class_names=names["class_names"],
        feature_names=names["feature_names"] or (),
        notes=notes,
        **found,
    )


def _per_example(values: np.ndarray, name: str, count: int, file: Path) -> np.ndarray:
    """Returns names of examples as strings."""
    if values.shape != (count,) or values.dtype.kind not in "iuU":
        raise DataError(
            f"{file}: `{name}` must be strings or integers of shape [{count}], one for each "
            f"example. Received: {values.dtype} {list(values.shape)}"
        )
    return values.astype(str).astype(object)


def _names(names: np.ndarray | None, name: str, file: Path) -> tuple[str, ...] | None:
    if names is None:
        return None
    if names.dtype.kind != "U" or names.ndim != 1:
        raise DataError(
            f"{file}: `{name}` must be a one-dimensional array of strings. "
            f"Received: dtype {names.dtype}, shape {list(names.shape)}"
        )
    return tuple(map(str, names))
