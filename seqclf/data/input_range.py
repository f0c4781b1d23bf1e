"""`input_range`: the range of the training inputs, for warnings about inputs of another scale."""

from typing import Any

from seqclf.data.dataset import Dataset
from seqclf.data.shards.split import StreamedSplit
from seqclf.data.split import Split
from seqclf.data.values import value_range


def input_range(dataset: Dataset) -> dict[str, Any] | None:
    """Returns the lowest and the highest raw value of the training split.

    Args:
        dataset: the dataset. For uint8 images nothing is read: the range is 0 to full scale. For
            shards it is the one that their schema records.

    Returns:
        `low` and `high`: numbers, or lists with a number for each index of the last axis of a raw
        example. Missing values do not count, nor do those beyond the length of an example. None
        for shards of earlier versions, whose schema does not record it, and where each sequence is
        scaled by itself, so that an input of another scale is read as well.
    """
    if dataset.spec.is_image:
        return {"low": 0.0, "high": dataset.spec.full_scale}
    if dataset.spec.own_scale:
        return None
    if isinstance(dataset.train, StreamedSplit):
        recorded = dataset.train.schema.input_range
        return recorded and {key: list(values) for key, values in recorded.items()}
    if not isinstance(dataset.train, Split):
        return None
    low, high = value_range(dataset.train.x, dataset.train.lengths)
    return {"low": low.tolist(), "high": high.tolist()}
