"""Cutting a batch into shares that are worked on side by side."""

from typing import Any

import tensorflow as tf


def cut(batch: Any, shares: int) -> list[Any]:
    """Cuts a batch along its first axis.

    Args:
        batch: a tensor, or a structure of tensors (as `tf.nest` knows them) with one first axis,
            whose size is known.
        shares: how many, at most that size.

    Returns:
        So many of the same structure, in order; their sizes differ by one at most.
    """
    if shares == 1:
        return [batch]
    flat = tf.nest.flatten(batch)
    small, more = divmod(flat[0].shape[0], shares)
    sizes = [small + (i < more) for i in range(shares)]
    parts = zip(*(tf.split(tensor, sizes) for tensor in flat), strict=True)
    return [tf.nest.pack_sequence_as(batch, list(part)) for part in parts]
