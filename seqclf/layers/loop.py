"""A loop over the steps of a sequence, unrolled or as a `while` loop."""

from collections.abc import Callable

import tensorflow as tf
from tensorflow import Tensor


def loop(
    step: Callable,
    states: list[Tensor],
    inputs: list[Tensor],
    kept: int,
    unroll: bool,
    reverse: bool = False,
) -> tuple[list[Tensor], list[Tensor]]:
    """Runs `step(states, *inputs at t) -> (states, values to keep)` over t, first to last or back.

    Args:
        step: see above; the values to keep are `kept` tensors of a state's shape and dtype.
        states: those before the first call, `[B, H]` each.
        inputs: `[T, B, ·]` each.
        kept: how many values are kept.
        unroll: lay out the steps one by one; T must be known.
        reverse: run from the last t to the first.

    Returns:
        The last states, and the kept values of all steps, `[T, B, H]` each, in the order of t.
    """
    if unroll:
        steps = list(zip(*(tf.unstack(each) for each in inputs), strict=True))
        values = []
        for now in reversed(steps) if reverse else steps:
            states, new = step(states, *now)
            values.append(new)
        ordered = reversed(values) if reverse else values
        return states, [tf.stack(each) for each in zip(*ordered, strict=True)]

    T = inputs[0].shape[0] or tf.shape(inputs[0])[0]
    read = [
        tf.TensorArray(each.dtype, T, element_shape=each.shape[1:]).unstack(each) for each in inputs
    ]
    like = states[0]
    arrays = [tf.TensorArray(like.dtype, T, element_shape=like.shape) for _ in range(kept)]

    def body(i: Tensor, states: list[Tensor], arrays: list[tf.TensorArray]) -> tuple:
        t = T - 1 - i if reverse else i
        states, new = step(states, *(each.read(t) for each in read))
        return i + 1, states, [a.write(t, v) for a, v in zip(arrays, new, strict=True)]

    _, states, arrays = tf.while_loop(
        lambda i, *_: i < T, body, (0, states, arrays), maximum_iterations=T
    )
    return states, [array.stack() for array in arrays]
