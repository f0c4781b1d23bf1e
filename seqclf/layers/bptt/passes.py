"""The forward and the backward pass over a whole sequence."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow import Tensor

from seqclf.layers.bptt.form import Gates, GRUForm
from seqclf.layers.bptt.products import product, state_dtype, weight_gradient
from seqclf.layers.bptt.reset_after import ResetAfter
from seqclf.layers.bptt.reset_before import ResetBefore
from seqclf.layers.execution import Execution
from seqclf.layers.loop import loop

# A compiled program with at most this many rows of input (T·B) computes their terms inside the
# loop: handing one more product to the threads costs more than it saves.
FEW_ROWS = 256


class Arguments(NamedTuple):
    """The tensors for which there is a gradient; `gru_sequence` has their shapes."""

    x: Tensor
    initial_state: Tensor
    kernel: Tensor
    recurrent_kernel: Tensor
    bias: Tensor | None = None


def forward(
    arguments: Arguments,
    mask: Tensor | None,
    *,
    reset_after: bool,
    keep_gates: bool,
    execution: Execution,
) -> tuple[Tensor, Gates | None]:
    """Computes the states, and the gates if they are kept.

    Args:
        arguments: input, initial state and weights.
        mask: bool `[T, B, 1]` or None.
        reset_after: the form of the GRU.
        keep_gates: whether the gates are returned.
        execution: how to run.

    Returns:
        The states, `[T, B, H]`, in the state's dtype; and the gates, or None if they are not kept.
    """
    x, initial_state = arguments.x, arguments.initial_state
    form = _form(arguments, reset_after, execution)
    size = x.shape.num_elements() or np.inf
    terms_in_loop = execution.compiled and size <= FEW_ROWS * x.shape[-1]

    def step(states: list[Tensor], *inputs: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        (h,) = states
        terms = form.input_terms(inputs[0]) if terms_in_loop else inputs[:3]  # [B, H] each
        h_new, gates = form.step(h, *terms)
        if mask is not None:
            h_new = tf.where(inputs[-1], h_new, h)
        return [h_new], [h_new, *gates] if keep_gates else [h_new]

    inputs = [x] if terms_in_loop else form.input_terms(x)
    inputs += [] if mask is None else [mask]
    h_0 = tf.cast(initial_state, state_dtype(x.dtype))
    kept = 5 if keep_gates else 1
    _, (states, *gates) = loop(step, [h_0], inputs, kept, execution.unroll)
    return states, Gates(*gates) if keep_gates else None


def backward(
    arguments: Arguments,
    mask: Tensor | None,
    states: Tensor,
    gates: Gates | None,
    upstream: Tensor,
    *,
    reset_after: bool,
    execution: Execution,
) -> list[Tensor]:
    """Computes the gradient with respect to each of `arguments`.

    Args:
        arguments: the arguments of `forward`; `mask` and the keywords are the same as well.
        mask: bool `[T, B, 1]` or None.
        states: the states that `forward` returned.
        gates: the gates that `forward` returned; None has them computed anew.
        upstream: ∂L/∂h_t of each time step, as if later time steps did not use h_t, `[T, B, H]`.
        reset_after: the form of the GRU.
        execution: how to run.

    Returns:
        dx, dh_0, dW, dU and, if there is a bias, db, in the shapes of `arguments`.
    """
    x, initial_state, kernel, *_ = arguments
    form = _form(arguments, reset_after, execution)
    before = tf.concat([tf.cast(initial_state, states.dtype)[None], states[:-1]], axis=0)
    if gates is None:
        _, gates = form.step(before, *form.input_terms(x))
    upstream = tf.cast(upstream, states.dtype)
    recurrent = form.gradients(before, gates, mask, upstream, execution.unroll)
    gradients = [
        tf.reshape(product(recurrent.gamma_zrh, kernel, transpose=True), tf.shape(x)),
        recurrent.initial_state,
        weight_gradient(x, recurrent.gamma_zrh, kernel),
        recurrent.recurrent_kernel,
    ]
    if recurrent.bias is not None:
        gradients.append(recurrent.bias)
    return [tf.cast(gradient, x.dtype) for gradient in gradients]


def _form(arguments: Arguments, reset_after: bool, execution: Execution) -> GRUForm:
    form = ResetAfter if reset_after else ResetBefore
    return form(arguments.kernel, arguments.recurrent_kernel, arguments.bias, execution.compiled)
