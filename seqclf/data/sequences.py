"""`Sequences` and `RawData`: what a source gives, before it is checked and divided into splits."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqclf.data.table_layout import TableLayout
from seqclf.errors import DataError

# The attributes of `Sequences` beside `x` that have one entry for each example.
PER_EXAMPLE = (
    "labels",
    "lengths",
    "ids",
    "groups",
    "splits",
    "recordings",
    "step_labels",
    "weights",
)


@dataclass(frozen=True)
class Sequences:
    """Examples as a source gives them, unchecked.

    Attributes:
        x: `[N, T, D]` real numbers, padded to the longest sequence; or images `[N, H, W]` or
            `[N, H, W, C]`. A missing value is NaN.
        labels: `[N]` integers or strings, the class of each example; or `[N, T]`, the class of each
            time step, see `seqclf.data.step_labels`; None: they are not known.
        lengths: `[N]` integers, the number of valid time steps; None: all are valid.
        ids: `[N]` strings, the name of each example; None: examples have no names.
        groups: `[N]` strings or integers, the group of each example, such as the machine or the
            person that it comes from; None: there are no groups.
        splits: `[N]` strings that say which split each example belongs to; None: the source does
            not say.
        recordings: `[N]` integers, the recording that each window was cut from; None: the examples
            are no windows.
        step_labels: `[N, T]` integers, the index in `step_label_names` of the class of each time
            step; None: an example has one label. Only sequences that are cut into windows have it.
        step_label_names: the names that `step_labels` counts, or `labels` `[N, T]` of a table.
        weights: `[N]` numbers of 0 or more, how much each example counts in the loss of a training;
            None: all alike.
        owned: whether nobody else uses the array `x`, so that it may be changed in its place.
    """

    x: np.ndarray
    labels: np.ndarray | None = None
    lengths: np.ndarray | None = None
    ids: np.ndarray | None = None
    groups: np.ndarray | None = None
    splits: np.ndarray | None = None
    recordings: np.ndarray | None = None
    step_labels: np.ndarray | None = None
    step_label_names: tuple[str, ...] = ()
    weights: np.ndarray | None = None
    owned: bool = False

    def __len__(self) -> int:
        return len(self.x)

    def take(self, indices: np.ndarray) -> "Sequences":
        """Returns the examples at `indices`, in that order, as copies."""
        return self.with_rows(self.x[indices], indices)

    def with_rows(self, x: np.ndarray, indices: np.ndarray) -> "Sequences":
        """Returns the examples at `indices`, with the values `x`, which nobody else uses."""
        taken: dict[str, Any] = {
            name: None if (array := getattr(self, name)) is None else array[indices]
            for name in PER_EXAMPLE
        }
        return dataclasses.replace(self, x=x, **taken, owned=True)


@dataclass(frozen=True)
class RawData:
    """All that a source gives.

    Attributes:
        parts: the examples, by split. A source that makes no splits of its own has one part,
            `train`, which may say in `Sequences.splits` where each example belongs.
        origin: one line that tells people where the examples come from.
        where: the file or the dataset, as messages begin.
        class_names: name of each class, by index; None: the labels themselves are the names.
        feature_names: name of each feature; (): they have none.
        full_scale: the largest raw value of uint8 examples.
        table: how the table holds the sequences, for sources that are tables.
        notes: lines that tell people what was guessed, left out or looks wrong.
    """

    parts: Mapping[str, Sequences]
    origin: str
    where: str
    class_names: tuple[str, ...] | None = None
    feature_names: tuple[str, ...] = ()
    full_scale: float = 255.0
    table: TableLayout | None = None
    notes: tuple[str, ...] = ()

    def changed(self, **changes: Any) -> "RawData":
        """Returns the same with other values of some attributes."""
        return dataclasses.replace(self, **changes)


def padded(sequences: Any, where: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Returns a list of arrays `[T_i, D]` as one array, padded with zeros behind each sequence.

    Args:
        sequences: the arrays; a `[T_i]` is read as one feature.
        where: the beginning of messages.

    Returns:
        x float32 `[N, T, D]`, and lengths int32 `[N]`, or None where all are equally long.

    Raises:
        DataError: the list is empty, an array is no `[T_i, D]` of real numbers, has no time steps,
            or has another number of features than the first.
    """
    try:
        given = list(sequences)
        arrays = [unmasked(each) for each in given]
    except (TypeError, ValueError) as error:  # no iterable; or lists of different lengths
        raise DataError(
            f"{where}: `sequences` must be a list of arrays [T_i, D], or one array [N, T, D]. "
            f"Received: {type(sequences).__name__} ({error})"
        ) from error
    _check_columns(given, where)
    arrays = [each[:, None] if each.ndim == 1 else each for each in arrays]
    if not arrays:
        raise DataError(f"{where}: there are no sequences.")
    features = arrays[0].shape[-1] if arrays[0].ndim else 0
    for i, each in enumerate(arrays):
        if each.ndim != 2 or each.dtype.kind not in "biuf" or each.shape[1] != features:
            raise DataError(
                f"{where}: every sequence must be an array [T, D] of real numbers, with as many "
                f"features as the first. Received: {each.dtype} {list(each.shape)} at sequence "
                f"{i}{_transposed(arrays)}"
            )
        if 0 in each.shape:
            raise DataError(f"{where}: sequence {i} has no time steps or no features.")
    lengths = np.array([len(each) for each in arrays], np.int32)
    x = np.zeros((len(arrays), lengths.max(), arrays[0].shape[1]), np.float32)
    with np.errstate(over="ignore"):  # what is too large becomes inf, which is refused later
        for i, each in enumerate(arrays):
            x[i, : len(each)] = each
    return x, None if (lengths == lengths[0]).all() else lengths


def unmasked(values: Any) -> np.ndarray:
    """Returns something as an array; what a NumPy mask hides is missing (NaN)."""
    if not isinstance(values, np.ma.MaskedArray) or values.dtype.kind not in "biuf":
        return np.asarray(values)
    if not np.ma.is_masked(values):
        return np.asarray(values.data)
    floats = np.result_type(values.dtype, np.float32)
    return np.where(np.ma.getmaskarray(values), np.nan, values.data.astype(floats))


def _check_columns(sequences: list[Any], where: str) -> None:
    """Raises DataError if sequences are data frames whose columns differ, or their order."""
    columns = [list(each.columns) for each in sequences if hasattr(each, "columns")]
    for i, names in enumerate(columns):
        if names != columns[0]:
            raise DataError(
                f"{where}: data frames must have the same columns in the same order. Received: "
                f"{', '.join(map(str, names[:20]))} at sequence {i}, and before it "
                f"{', '.join(map(str, columns[0][:20]))}. Select them by name, such as "
                "frame[names]."
            )


def _transposed(arrays: list[np.ndarray]) -> str:
    """Returns how sequences `[D, T_i]` become `[T_i, D]`, if these look so."""
    if any(each.ndim != 2 for each in arrays) or len({each.shape[0] for each in arrays}) > 1:
        return ""
    return (
        f". All have {arrays[0].shape[0]} rows: if these are the features, give [s.T for s in "
        "sequences]"
    )
