"""A loop over the time steps of sequences, unrolled or as a `while` loop."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow import Tensor


def loop(
    step: Callable[..., tuple[list[Tensor], list[Tensor]]],
    states: list[Tensor],
    inputs: list[Tensor],
    kept: int,
    unroll: bool,
    reverse: bool = False,
) -> tuple[list[Tensor], list[Tensor]]:
    """Calls `step` at each time step, with the states that it returned at the time step before.

    Args:
        step: a function `step(states, *inputs_t) -> (new_states, values)` of the states and of each
            input at time step t. `values` is a list of `kept` tensors of a state's shape and dtype.
        states: states before the first call, `[B, H]` each.
        inputs: inputs for all time steps, `[T, B, ·]` each.
        kept: number of values that `step` returns.
        unroll: True lays the time steps out one after another; T must be known.
        reverse: True runs from the last time step to the first.

    Returns:
        The states after the last call; and the values of all time steps, `[T, B, H]` each, in the
        order of t in either direction.
    """
    if unroll:
        return _unrolled(step, states, inputs, reverse)
    return _while_loop(step, states, inputs, kept, reverse)


def _unrolled(
    step: Callable[..., tuple[list[Tensor], list[Tensor]]],
    states: list[Tensor],
    inputs: list[Tensor],
    reverse: bool,
) -> tuple[list[Tensor], list[Tensor]]:
    steps = list(zip(*(tf.unstack(each) for each in inputs), strict=True))
    values = []
    for inputs_t in reversed(steps) if reverse else steps:
        states, values_t = step(states, *inputs_t)
        values.append(values_t)
    ordered = reversed(values) if reverse else values
    return states, [tf.stack(each) for each in zip(*ordered, strict=True)]


def _while_loop(
    step: Callable[..., tuple[list[Tensor], list[Tensor]]],
    states: list[Tensor],
    inputs: list[Tensor],
    kept: int,
    reverse: bool,
) -> tuple[list[Tensor], list[Tensor]]:
    T = inputs[0].shape[0] or tf.shape(inputs[0])[0]
    input_arrays = [
        tf.TensorArray(each.dtype, T, element_shape=each.shape[1:]).unstack(each) for each in inputs
    ]
    like = states[0]
    arrays = [tf.TensorArray(like.dtype, T, element_shape=like.shape) for _ in range(kept)]

    def body(i: Tensor, states: list[Tensor], arrays: list[Any]) -> tuple[Any, ...]:
        t = T - 1 - i if reverse else i
        states, values = step(states, *(array.read(t) for array in input_arrays))
        return i + 1, states, [a.write(t, v) for a, v in zip(arrays, values, strict=True)]

    _, states, arrays = tf.while_loop(
        lambda i, *_: i < T, body, (0, states, arrays), maximum_iterations=T
    )
    return states, [array.stack() for array in arrays]
