"""The ways to read a whole sequence at once, behind one function: cuDNN, or `bptt`."""

from collections.abc import Sequence

import tensorflow as tf

from seqclf.layers import bptt, cudnn
from seqclf.layers.execution import Plan
from seqclf.layers.shares import cut


def read(
    sequences: tf.Tensor,
    initial_state: tf.Tensor,
    weights: Sequence[tf.Tensor],
    mask: tf.Tensor | None,
    *,
    reset_after: bool,
    keep_gates: bool,
    plan: Plan,
) -> tf.Tensor:
    """Reads sequences and returns the state after each step, `[T, B, H]`.

    Args:
        sequences: `[B, T, D]`.
        initial_state: `[B, H]`.
        weights: kernel, recurrent_kernel and, if there is one, bias.
        mask: bool `[B, T]` or None.
        reset_after: which of the two GRUs.
        keep_gates: see `bptt.Form`.
        plan: how, from `execution.choose`.
    """
    form = bptt.Form(reset_after, keep_gates, plan.unroll, plan.xla, plan.gradient)
    parts = [
        _read(x, h, weights, m, form, plan.cudnn)
        for x, h, m in zip(
            cut(sequences, plan.shares),
            cut(initial_state, plan.shares),
            cut(mask, plan.shares) if mask is not None else [None] * plan.shares,
            strict=True,
        )
    ]
    return parts[0] if plan.shares == 1 else tf.concat(parts, axis=1)


def _read(
    sequences: tf.Tensor,
    initial_state: tf.Tensor,
    weights: Sequence[tf.Tensor],
    mask: tf.Tensor | None,
    form: bptt.Form,
    use_cudnn: bool,
) -> tf.Tensor:
    x = tf.transpose(sequences, [1, 0, 2])  # [T, B, D]
    steps_mask = None if mask is None else tf.transpose(mask)  # [T, B]
    kernel, recurrent_kernel, bias = (*weights, None)[:3]

    def by_hand() -> tf.Tensor:
        return bptt.gru_sequence(x, initial_state, kernel, recurrent_kernel, bias, steps_mask, form)

    def by_cudnn() -> tf.Tensor:
        return cudnn.gru_sequence(x, initial_state, weights, steps_mask)

    if not use_cudnn:
        return by_hand()
    if mask is None:
        return by_cudnn()
    return tf.cond(cudnn.right_padded(mask), by_cudnn, by_hand)
