"""Checks of the values of examples: padding, missing values, infinite values.

All goes by parts of the examples, so that no second array of the size of the data is made.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from seqclf.errors import DataError

PART_BYTES = 2**24  # of the values that are looked at together
REMEDIES = (
    "Fill them in, or set `data.missing` to interpolate (linear in time), forward (the last "
    "value), mean (of the training split) or indicator (the mean, and a feature that says so)."
)

REMEDY_OF_SHARDS = (
    "Fill them in, or keep them with --missing=keep: then `data.missing` of the training says what "
    "is done with them."
)


def parts(x: np.ndarray) -> Iterator[slice]:
    """Yields slices of the first axis, each of about `PART_BYTES`."""
    size = max(1, PART_BYTES // max(1, x[:1].nbytes))
    for start in range(0, len(x), size):
        yield slice(start, min(start + size, len(x)))


def without_padding(x: np.ndarray, lengths: np.ndarray, owned: bool) -> np.ndarray:
    """Returns the sequences with zeros beyond their lengths, where a source may have anything.

    Args:
        x: `[N, T, …]`.
        lengths: `[N]`, the number of valid time steps.
        owned: whether `x` may be changed in its place; otherwise it is copied if it must change.
    """
    steps = np.arange(x.shape[1])
    for part in parts(x):
        beyond = steps >= lengths[part, None]  # [n, T]
        if (x[part][beyond] != 0).any():
            if not (owned and x.flags.writeable):
                x, owned = x.copy(), True
            x[part][beyond] = 0
    return x


def value_range(x: np.ndarray, lengths: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Returns the lowest and the highest value for each index of the last axis.

    Args:
        x: `[N, T, …, D]`.
        lengths: `[N]`, the number of valid time steps; values beyond do not count. None: all are
            valid.

    Returns:
        Two arrays `[D]`. Missing values do not count; NaN where all are missing.
    """
    steps, lows, highs = np.arange(x.shape[1]), [], []
    for part in parts(x):
        values = x[part].reshape(-1, x.shape[-1])
        if lengths is not None:
            values = x[part][steps < lengths[part, None]]
        lows.append(np.fmin.reduce(values))
        highs.append(np.fmax.reduce(values))
    return np.fmin.reduce(lows), np.fmax.reduce(highs)


def one_value_only(x: np.ndarray, lengths: np.ndarray | None) -> np.ndarray:
    """Returns whether each feature has one value only, or none, in each sequence: bool `[N, …, D]`.

    Args:
        x: `[N, T, …, D]`; a missing value is NaN and does not count.
        lengths: `[N]`, the number of valid time steps; values beyond do not count. None: all are
            valid.
    """
    steps = np.arange(x.shape[1]).reshape(1, -1, *[1] * (x.ndim - 2))
    ends = steps.size if lengths is None else lengths.reshape(-1, *[1] * (x.ndim - 1))
    counted = (steps < ends) & ~np.isnan(x)
    low, high = np.where(counted, x, np.inf).min(1), np.where(counted, x, -np.inf).max(1)
    same: np.ndarray = low >= high
    return same


def check_values(
    x: np.ndarray, origin: str, missing: str, feature_names: Sequence[str], steps: int
) -> None:
    """Checks that values are finite; missing ones (NaN) are allowed if something is done with them.

    Args:
        x: float32 `[N, T, D]` (or images), zero beyond the lengths.
        origin: the name of the file or dataset, for messages.
        missing: what is done with missing values, as `data.missing` names it.
        feature_names: the name of each feature; (): their indices stand for them.
        steps: the number of valid time steps of all examples together.

    Raises:
        DataError: a value is infinite, or missing and nothing is done about it. The message has
            each feature with the number of values that it lacks.
    """
    lacking = np.zeros(x.shape[2:], np.int64)
    first = None
    for part in parts(x):
        bad = ~np.isfinite(x[part])
        if not bad.any():
            continue
        none = np.isnan(x[part])
        if (infinite := np.argwhere(bad & ~none)).size:
            _refuse(x, part.start, infinite[0], origin)
        first = first or (part.start, np.argwhere(none)[0])
        lacking += none.sum((0, 1))
    if first is None or missing != "error":
        return
    if x.ndim != 3:
        _refuse(x, *first, origin)
    example, step = first[0] + int(first[1][0]), int(first[1][1])
    counts = missing_in_words(lacking, steps, feature_names)
    raise DataError(
        f"{origin}: {_values_are(int(lacking.sum()))} missing (NaN), the first at example "
        f"{example}, time step {step}. By feature: {counts}. {REMEDIES}"
    )


def _values_are(count: int) -> str:
    return "1 value is" if count == 1 else f"{count:,} values are"


def missing_in_words(lacking: np.ndarray, steps: int, feature_names: Sequence[str] = ()) -> str:
    """Returns the number of missing values of each feature that lacks some, in words.

    Args:
        lacking: `[D]`, the number of missing values.
        steps: the number of time steps.
        feature_names: the name of each feature; (): their indices stand for them.
    """
    return ", ".join(
        f"{feature_names[d] if len(feature_names) else f'feature {d}'} {count:,} of {steps:,}"
        for d, count in enumerate(lacking.tolist())
        if count
    )


def no_missing_note(missing: str) -> str:
    """Returns the note that `data.missing` is of no use for values that cannot be missing."""
    return f"`data.missing` {missing!r} changes nothing: values of uint8 cannot be missing"


def _refuse(x: np.ndarray, start: int, place: np.ndarray, origin: str) -> None:
    index = (start + int(place[0]), *map(int, place[1:]))
    raise DataError(
        f"{origin}: `x` must be finite (in float32). "
        f"Received: {x[index]} at example {index[0]}, position {list(index[1:])}"
    )
