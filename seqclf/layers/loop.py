"""A loop over the steps of a sequence, unrolled or as a `while` loop."""

from collections.abc import Callable

import tensorflow as tf
from tensorflow import Tensor


def loop(
    step: Callable,
    state: Tensor,
    inputs: list[Tensor],
    kept: int,
    unroll: bool,
    reverse: bool = False,
) -> tuple[Tensor, list[Tensor]]:
    """Runs `step(state, *inputs at t) -> (state, values to keep)` over t, first to last or back.

    Args:
        step: see above; the values to keep are `kept` tensors of the state's shape and dtype.
        state: the state before the first call, `[B, H]`.
        inputs: `[T, B, ·]` each.
        kept: how many values are kept.
        unroll: lay out the steps one by one; T must be known.
        reverse: run from the last t to the first.

    Returns:
        The last state, and the kept values of all steps, `[T, B, H]` each, in the order of t.
    """
    if unroll:
        steps = list(zip(*(tf.unstack(each) for each in inputs), strict=True))
        values = []
        for now in reversed(steps) if reverse else steps:
            state, new = step(state, *now)
            values.append(new)
        ordered = reversed(values) if reverse else values
        return state, [tf.stack(each) for each in zip(*ordered, strict=True)]

    T = inputs[0].shape[0] or tf.shape(inputs[0])[0]
    read = [
        tf.TensorArray(each.dtype, T, element_shape=each.shape[1:]).unstack(each) for each in inputs
    ]
    arrays = [tf.TensorArray(state.dtype, T, element_shape=state.shape) for _ in range(kept)]

    def body(i: Tensor, state: Tensor, *arrays: tf.TensorArray) -> tuple:
        t = T - 1 - i if reverse else i
        state, new = step(state, *(each.read(t) for each in read))
        return i + 1, state, *(a.write(t, v) for a, v in zip(arrays, new, strict=True))

    _, state, *arrays = tf.while_loop(
        lambda i, *_: i < T, body, (0, state, *arrays), maximum_iterations=T
    )
    return state, [array.stack() for array in arrays]
