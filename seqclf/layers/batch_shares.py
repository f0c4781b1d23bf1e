"""Splits a batch into shares that are worked on side by side."""

from typing import Any

import tensorflow as tf


def split_batch(batch: Any, shares: int) -> list[Any]:
    """Splits a batch along its first axis.

    Args:
        batch: a tensor, or a structure of tensors (as `tf.nest` knows them) that have the same
            first axis; the size of that axis must be known.
        shares: number of shares, at most the size of the first axis.

    Returns:
        The shares in order, each with the structure of `batch`. Their sizes differ by at most one.
    """
    if shares == 1:
        return [batch]
    flat = tf.nest.flatten(batch)
    small, more = divmod(flat[0].shape[0], shares)
    sizes = [small + (i < more) for i in range(shares)]
    parts = zip(*(tf.split(tensor, sizes) for tensor in flat), strict=True)
    return [tf.nest.pack_sequence_as(batch, list(part)) for part in parts]
