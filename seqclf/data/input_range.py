"""`input_range`: the range of the training inputs, for warnings about inputs of another scale."""

from typing import Any

import numpy as np

from seqclf.data.dataset import Dataset
from seqclf.data.shards.split import StreamedSplit
from seqclf.data.split import Split

PART = 1024  # examples that are compared at a time, so that masks stay small


def input_range(dataset: Dataset) -> dict[str, Any] | None:
    """Returns the lowest and the highest raw value of the training split.

    Args:
        dataset: the dataset. For uint8 images nothing is read: the range is 0 to full scale. For
            shards it is the one that their schema records.

    Returns:
        `low` and `high`: numbers, or lists with a number for each index of the last axis of a raw
        example. Missing values do not count, nor do those beyond the length of an example. None
        for shards of earlier versions, whose schema does not record it.
    """
    if dataset.spec.is_image:
        return {"low": 0.0, "high": dataset.spec.full_scale}
    if isinstance(dataset.train, StreamedSplit):
        recorded = dataset.train.schema.input_range
        return recorded and {key: list(values) for key, values in recorded.items()}
    if not isinstance(dataset.train, Split):
        return None
    lows, highs = zip(*_ranges(dataset.train), strict=True)
    return {"low": np.fmin.reduce(lows).tolist(), "high": np.fmax.reduce(highs).tolist()}


def _ranges(split: Split) -> list[tuple[np.ndarray, np.ndarray]]:
    """Returns the lowest and the highest values of each part of a split, over the last axis."""
    ranges = []
    for start in range(0, len(split), PART):
        x = split.x[start : start + PART]
        if split.lengths is None:
            values = x.reshape(-1, x.shape[-1])
        else:
            lengths = split.lengths[start : start + PART]
            values = x[np.arange(x.shape[1]) < lengths[:, None]]
        ranges.append((np.fmin.reduce(values), np.fmax.reduce(values)))  # NaN only if all are
    return ranges
