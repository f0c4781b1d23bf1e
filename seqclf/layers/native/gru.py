"""`gru_states`: a GRU over a whole sequence by the native operations, batch-major."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf
from tensorflow import Tensor

from seqclf.layers.execution import cores
from seqclf.layers.first_order import first_order, untaped
from seqclf.layers.native.library import load


class Options(NamedTuple):
    """How the operations run, and what `gru_states` returns.

    Attributes:
        reset_after: whether the reset gate stands after the product with U_h, or before it.
        shares: number of parts of the batch that are worked on side by side.
        gradient: whether a gradient may be asked for; False keeps nothing for it.
        keep_gates: True keeps the gates for the backward pass (5·T·B·H numbers with the states);
            False lets it compute them anew.
        last_only: whether the last state alone is returned. The gradient then needs no zeros for
            all the others.
    """

    reset_after: bool
    shares: int
    gradient: bool = True
    keep_gates: bool = True
    last_only: bool = False


def gru_states(
    x: Tensor,
    initial_state: Tensor,
    weights: Sequence[Tensor],
    mask: Tensor | None,
    options: Options,
) -> Tensor:
    """Runs a GRU over sequences; its gradient is the one derived by hand.

    Args:
        x: `[B, T, D]`, float32, as all other tensors but the mask.
        initial_state: h_0, `[B, H]`.
        weights: kernel `[D, 3H]`, recurrent kernel `[H, 3H]` and, if there is one, bias: `[2, 3H]`
            with `reset_after`, `[3H]` without it.
        mask: bool `[B, T]`; the state passes a time step unchanged where it is False.
        options: how to run, and what to return.

    Returns:
        The state after each time step, `[B, T, H]`, or with `last_only` the last one, `[B, H]`.

    Raises:
        NotImplementedError: the gradient of the gradient is asked for.
    """
    operations = load().operations
    attributes = {
        "reset_after": options.reset_after,
        "shares": options.shares,
        "threads": min(options.shares, cores()),
    }
    batch, steps, units = x.shape[0], x.shape[1], initial_state.shape[-1]
    masks = tf.zeros([0], tf.bool) if mask is None else mask
    no_bias = [] if len(weights) == 3 else [tf.zeros([0], tf.float32)]

    def inputs(tensors: Sequence[Tensor]) -> list[Tensor]:
        return [*untaped(list(tensors)), *no_bias, masks]

    def forward(tensors: Sequence[Tensor], keep_gates: bool) -> tuple[Tensor, Tensor]:
        states, gates = operations.seqclf_gru(*inputs(tensors), keep_gates=keep_gates, **attributes)
        return tf.ensure_shape(states, [batch, steps, units]), gates

    def returned(states: Tensor) -> Tensor:
        return states[:, -1] if options.last_only else states

    tensors = [x, initial_state, *weights]
    if not options.gradient:
        states, _ = forward(tensors, keep_gates=False)
        return returned(states)

    @tf.custom_gradient  # type: ignore[untyped-decorator]  # TensorFlow has no types
    def differentiable(*tensors: Tensor) -> tuple[Tensor, Callable[[Tensor], Any]]:
        states, gates = forward(tensors, options.keep_gates)

        def gradient(upstream: Tensor) -> Any:
            upstream = tf.convert_to_tensor(upstream)  # of a gather it has indices

            def backward() -> list[Tensor]:
                kept = gates if options.keep_gates else forward(tensors, keep_gates=True)[1]
                results = operations.seqclf_gru_gradient(
                    *inputs(tensors),
                    *untaped([states, kept, upstream]),
                    need_dx=True,
                    **attributes,
                )
                pairs = zip(results, tensors, strict=False)  # no bias: one result more
                return [tf.ensure_shape(result, tensor.shape) for result, tensor in pairs]

            return first_order(backward, upstream, *tensors)

        return returned(states), gradient

    return differentiable(*tensors)
