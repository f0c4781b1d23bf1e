"""The fast ways through a whole sequence, behind one function: cuDNN's kernel, or `bptt`."""

import functools
from collections.abc import Sequence

import tensorflow as tf

from seqclf.layers import bptt, cudnn
from seqclf.layers.batch_shares import split_batch
from seqclf.layers.execution import Execution
from seqclf.layers.length_mask import time_major_mask


def sequence_states(
    sequences: tf.Tensor,
    initial_state: tf.Tensor,
    weights: Sequence[tf.Tensor],
    mask: tf.Tensor | None,
    *,
    reset_after: bool,
    keep_gates: bool,
    execution: Execution,
) -> tf.Tensor:
    """Runs a GRU over sequences, each share of the batch by itself.

    Args:
        sequences: `[B, T, D]`.
        initial_state: `[B, H]`.
        weights: kernel, recurrent_kernel and, if there is one, bias.
        mask: bool `[B, T]` or None.
        reset_after: see `bptt.gru_sequence`.
        keep_gates: see `bptt.gru_sequence`.
        execution: how to run, as `execution.choose` returns it.

    Returns:
        The state after each time step, `[T, B, H]`.
    """
    shares = execution.shares
    masks = [None] * shares if mask is None else split_batch(mask, shares)
    parts = []
    for x, h_0, share_mask in zip(
        split_batch(sequences, shares), split_batch(initial_state, shares), masks, strict=True
    ):
        x = tf.transpose(x, [1, 0, 2])  # [T, B, D]
        time_mask = None if share_mask is None else time_major_mask(share_mask)  # [T, B]
        by_cudnn = functools.partial(cudnn.gru_sequence, x, h_0, weights, time_mask)
        kernel, recurrent_kernel, bias = (*weights, None)[:3]
        by_hand = functools.partial(
            bptt.gru_sequence,
            *(x, h_0, kernel, recurrent_kernel, bias, time_mask),
            reset_after=reset_after,
            keep_gates=keep_gates,
            execution=execution,
        )
        if not execution.cudnn:
            parts.append(by_hand())
        elif share_mask is None:
            parts.append(by_cudnn())
        else:
            parts.append(tf.cond(cudnn.right_padded(share_mask), by_cudnn, by_hand))
    return parts[0] if shares == 1 else tf.concat(parts, axis=1)
