"""`gru_sequence`: the forward pass, with the backward pass as its gradient, each compiled once."""

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow import Tensor

from seqclf.layers.bptt.passes import Arguments, backward, forward
from seqclf.layers.compiled import compiled
from seqclf.layers.execution import Execution
from seqclf.layers.first_order import first_order, untaped


def gru_sequence(
    x: Tensor,
    initial_state: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
    *,
    reset_after: bool = True,
    keep_gates: bool = True,
    execution: Execution = Execution(),  # noqa: B008 (immutable)
) -> Tensor:
    """Runs a GRU over a sequence; its gradient is the one derived by hand.

    Args:
        x: inputs, `[T, B, D]`, float16, bfloat16, float32 or float64. All other tensors but the
            mask have the same dtype. In half precision the matrix products are computed in it,
            while states and gates are float32.
        initial_state: h_0, `[B, H]`.
        kernel: W, `[D, 3H]`, blocks in the order z, r, h.
        recurrent_kernel: U, `[H, 3H]`, blocks in the same order.
        bias: b and c, `[2, 3H]`, with `reset_after`; b, `[3H]`, without it; or None.
        mask: bool `[T, B]`; the state passes a time step unchanged where it is False. Inputs there
            must be finite: they are multiplied by 0 in the gradients of the weights.
        reset_after: whether the reset gate stands after the product with U_h, or before it.
        keep_gates: True keeps the gates for the backward pass (5·T·B·H numbers); False lets the
            backward pass compute them anew from the states (T·B·H numbers, and one product more).
        execution: how to run; the result is the same to rounding.

    Returns:
        The state after each time step, `[T, B, H]`, in the dtype of x.

    Raises:
        NotImplementedError: the gradient of the gradient is asked for.

    Example:
        >>> x, h = tf.zeros([5, 2, 3]), tf.zeros([2, 4])
        >>> gru_sequence(x, h, tf.zeros([3, 12]), tf.zeros([4, 12])).shape
        TensorShape([5, 2, 4])
    """
    mask = None if mask is None else mask[..., None]  # [T, B, 1]
    given = (x, initial_state, kernel, recurrent_kernel, bias)
    arguments = Arguments(*(tf.convert_to_tensor(each) for each in given if each is not None))
    dtype = arguments.x.dtype
    run_forward = functools.partial(
        _run, forward, execution, reset_after=reset_after, keep_gates=keep_gates
    )
    run_backward = functools.partial(_run, backward, execution, reset_after=reset_after)
    if not execution.gradient:
        states, _ = run_forward(arguments, mask)
        return tf.cast(states, dtype)

    @tf.custom_gradient  # type: ignore[untyped-decorator]  # TensorFlow has no types
    def differentiable(*tensors: Tensor) -> tuple[Tensor, Callable[[Tensor], Any]]:
        states, gates = run_forward(untaped(Arguments(*tensors)), mask)

        def gradient(upstream: Tensor) -> Any:
            known = (Arguments(*tensors), mask, states, gates, upstream)
            return first_order(lambda: run_backward(*untaped(known)), upstream, *tensors)

        return tf.cast(states, dtype), gradient

    return differentiable(*(each for each in arguments if each is not None))


def _run(function: Callable[..., Any], execution: Execution, *tensors: Any, **options: Any) -> Any:
    """Calls a pass, compiled where `execution` says so; without a graph it is traced into one."""
    if execution.xla != "layer" and not tf.executing_eagerly():  # part of the graph being traced
        return function(*tensors, execution=execution, **options)
    flat = tf.nest.flatten(tensors)
    kinds = tuple(None if each is None else (each.dtype, *each.shape) for each in flat)
    return _traced(function, execution, kinds, tuple(options.items()))(*tensors)


@functools.lru_cache(maxsize=256)
def _traced(
    function: Callable[..., Any],
    execution: Execution,
    kinds: tuple[Any, ...],
    options: tuple[tuple[str, Any], ...],
) -> Any:
    """Returns a `tf.function` of its own for each combination of dtypes and shapes.

    Each is traced once: TensorFlow warns when one is traced for many shapes.
    """
    del kinds
    bound = functools.partial(function, execution=execution, **dict(options))
    return compiled(bound, jit_compile=execution.xla == "layer")
