"""A GRU over a whole sequence, and back-propagation through time written out by hand.

Time-major throughout: `[T, B, ·]`. What does not depend on the step before is done for all steps at
once: forward the input product, backward the factors of the chain rule and the products that give
dW, dU and dx. The loops are left with one product and a handful of elementwise operations a step.
Forward, per step (`GRUCell` has the equations), a = x W + b being the same for all steps at once:

    z = σ(a_z + h U_z + c_z)    r = σ(a_r + h U_r + c_r)    h ← z ⊙ h + (1 - z) ⊙ h̃
    h̃ = tanh(a_h + r ⊙ s),  s = h U_h + c_h                 reset_after=True
    h̃ = tanh(a_h + s U_h),  s = r ⊙ h                       reset_after=False

Backward, δ being the whole gradient that arrives at h_t and h the state before it:

    γ_h = δ ⊙ f_h,  f_h = (1 - z) ⊙ (1 - h̃²)               of a_h
    γ_z = δ ⊙ f_z,  f_z = (h - h̃) ⊙ z ⊙ (1 - z)            of a_z
    reset_after=True:   γ_s = δ ⊙ f_s,  f_s = f_h ⊙ r,      γ_r = δ ⊙ f_r,  f_r = f_s ⊙ s ⊙ (1 - r)
        δ ← ∂L/∂h + δ ⊙ z + [γ_z, γ_r, γ_s] Uᵀ
    reset_after=False:  γ_s = γ_h U_hᵀ,                     γ_r = γ_s ⊙ f_r,  f_r = h ⊙ r ⊙ (1 - r)
        δ ← ∂L/∂h + δ ⊙ z + γ_s ⊙ r + [γ_z, γ_r] [U_z, U_r]ᵀ

Every f is known before the loop starts. A masked step is one with z = 1: f = 0, and δ passes.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow import Tensor

from seqclf.layers.loop import loop

# A compiled program with at most so many rows of input (T·B) computes their terms inside the loop:
# to hand one more product to the threads costs more than it saves.
FEW_ROWS = 256


class Arguments(NamedTuple):
    """What the gradient is taken with respect to; shapes as in `gru_sequence`."""

    x: Tensor
    initial_state: Tensor
    kernel: Tensor
    recurrent_kernel: Tensor
    bias: Tensor | None = None


class Gates(NamedTuple):
    """What backward needs of each step, `[T, B, H]` each."""

    z: Tensor
    r: Tensor
    s: Tensor  # what the reset gate multiplies (reset_after) or has multiplied
    candidate: Tensor


class Form(NamedTuple):
    """How to compute; hashable, a static argument of traces. All but `reset_after` give the same.

    Attributes:
        reset_after: which of the two GRUs.
        keep_gates: keep z, r, s, h̃ for backward (5·T·B·H numbers), or have backward compute them
            anew from the states (T·B·H numbers, and one product more).
        unroll: lay out the steps one by one; T must be known.
        xla: "here" compiles forward and backward with XLA; "around" says that what calls does so,
            "none" that nothing does. Compiled, one recurrent product for all gates is best; op by
            op, one per gate, since splitting a result costs as much as the product.
        gradient: whether there is to be a gradient.
    """

    reset_after: bool = True
    keep_gates: bool = True
    unroll: bool = False
    xla: str = "none"
    gradient: bool = True


def gru_sequence(
    x: Tensor,
    initial_state: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
    form: Form = Form(),  # noqa: B008 (immutable)
) -> Tensor:
    """Reads a sequence with a GRU; its gradient is the hand-derived one.

    Args:
        x: `[T, B, D]`, float16, bfloat16, float32 or float64; all others but the mask are of its
            dtype. In half precision the products are, while states and gates are float32.
        initial_state: `[B, H]`.
        kernel: W, `[D, 3H]`, gates in the order z, r, h.
        recurrent_kernel: U, `[H, 3H]`.
        bias: `[2, 3H]` (b and c) with `reset_after`, `[3H]` (b) without it, or None.
        mask: bool `[T, B]`; the state passes a step unchanged where it is False. Inputs there must
            be finite: the weights' gradient has them times 0.
        form: how to compute.

    Returns:
        The state after each step, `[T, B, H]`, in x's dtype.

    Raises:
        NotImplementedError: a gradient of its gradient is asked for.

    Example:
        >>> x, h = tf.zeros([5, 2, 3]), tf.zeros([2, 4])
        >>> gru_sequence(x, h, tf.zeros([3, 12]), tf.zeros([4, 12])).shape
        TensorShape([5, 2, 4])
    """
    if mask is not None:
        mask = mask[..., None]  # [T, B, 1]

    @tf.custom_gradient
    def run(*tensors: Tensor) -> tuple[Tensor, Callable]:
        arguments = Arguments(*tensors)
        states, gates = _compiled(forward, x, form)(_constant(arguments), mask, form)

        def gradient(upstream: Tensor) -> Any:
            @tf.custom_gradient
            def first_order(upstream: Tensor, *tensors: Tensor) -> tuple[Any, Callable]:
                known = _constant((arguments, mask, states, gates, upstream))
                return _compiled(backward, x, form)(*known, form), _refuse

            return first_order(upstream, *tensors)

        return tf.cast(states, x.dtype), gradient

    arguments = (x, initial_state, kernel, recurrent_kernel, bias)
    tensors = [tf.convert_to_tensor(each) for each in arguments if each is not None]
    if not form.gradient:
        states, _ = _compiled(forward, x, form)(Arguments(*tensors), mask, form)
        return tf.cast(states, x.dtype)
    return run(*tensors)


def _refuse(*_: Tensor) -> None:
    raise NotImplementedError(
        "The fast GRU has no second-order gradient: its backward pass is derived by hand. For "
        "gradients of gradients build the layer with GRU(..., fast=False)."
    )


def _constant(tensors: Any) -> Any:
    """Keeps TensorFlow from recording, beside ours, a gradient of its own: it keeps far more."""
    return tf.nest.map_structure(lambda t: None if t is None else tf.stop_gradient(t), tensors)


def _compiled(function: Callable, x: Tensor, form: Form) -> Callable:
    if form.xla != "here" and not tf.executing_eagerly():
        return function  # it becomes part of the graph that is being traced
    return _function(function, form.xla == "here", (x.dtype, *x.shape))


@functools.lru_cache(maxsize=256)
def _function(
    function: Callable, jit_compile: bool, kind: tuple
) -> tf.types.experimental.GenericFunction:
    """One for each shape: TensorFlow warns of a function that is traced for one after another."""
    del kind
    return tf.function(function, jit_compile=jit_compile)


def forward(arguments: Arguments, mask: Tensor | None, form: Form) -> tuple[Tensor, Gates | None]:
    """Computes the states, and the gates if they are kept.

    Args:
        arguments: see there.
        mask: bool `[T, B, 1]` or None.
        form: how to compute.

    Returns:
        `[T, B, H]` each, in the state's dtype; None for gates not kept.
    """
    x, initial_state, kernel, recurrent_kernel, bias = arguments
    dtype = _state_dtype(x.dtype)
    step = _step(recurrent_kernel, bias, form)
    few = form.xla != "none" and (x.shape.num_elements() or np.inf) <= FEW_ROWS * x.shape[-1]

    def advance(before: list[Tensor], *now: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        (h,) = before
        terms = _input_terms(now[0], kernel, bias, form) if few else now[:3]  # [B, H] each
        h_new, gates = step(h, *terms)
        if mask is not None:
            h_new = tf.where(now[-1], h_new, h)
        return [h_new], [h_new, *gates] if form.keep_gates else [h_new]

    inputs = [x] if few else _input_terms(x, kernel, bias, form)
    inputs += [] if mask is None else [mask]
    kept = 5 if form.keep_gates else 1
    _, (states, *gates) = loop(advance, [tf.cast(initial_state, dtype)], inputs, kept, form.unroll)
    return states, Gates(*gates) if form.keep_gates else None


def backward(
    arguments: Arguments,
    mask: Tensor | None,
    states: Tensor,
    gates: Gates | None,
    upstream: Tensor,
    form: Form,
) -> list[Tensor]:
    """Computes the gradient with respect to each of `arguments`.

    Args:
        arguments: as `forward` had them; the same holds for `mask` and `form`.
        mask: bool `[T, B, 1]` or None.
        states: as `forward` returned them.
        gates: as `forward` returned them.
        form: how to compute.
        upstream: ∂L/∂h_t for each step, as if the later steps did not use h_t, `[T, B, H]`.

    Returns:
        dx, dh_0, dW, dU and, if there is a bias, db, shaped as `arguments`.
    """
    x, initial_state, kernel, recurrent_kernel, bias = arguments
    dtype, H = states.dtype, recurrent_kernel.shape[0]
    before = tf.concat([tf.cast(initial_state, dtype)[None], states[:-1]], axis=0)  # h_{t-1}
    if gates is None:
        _, values = _step(recurrent_kernel, bias, form)(
            before, *_input_terms(x, kernel, bias, form)
        )
        gates = Gates(*values)
    z, r, s, candidate = gates  # [T, B, H] each

    f_h = (1 - z) * (1 - candidate * candidate)  # [T, B, H], and all f
    f_z = (before - candidate) * z * (1 - z)
    f_s = f_h * r
    f_r = (f_s * s if form.reset_after else before * r) * (1 - r)
    keep = z  # how much of δ goes straight to the state before
    if mask is not None:
        f_h, f_z, f_s, f_r = (tf.where(mask, f, tf.zeros_like(f)) for f in (f_h, f_z, f_s, f_r))
        keep = tf.where(mask, z, tf.ones_like(z))
    upstream = tf.cast(upstream, dtype)

    if form.reset_after:
        factors = tf.concat([f_z, f_r, f_s], axis=-1)  # [T, B, 3H]
        d_initial, delta, gamma_zrs = _retreat_after(
            recurrent_kernel, upstream, keep, factors, form
        )
        gamma_zr, gamma_s = gamma_zrs[:, : 2 * H], gamma_zrs[:, 2 * H :]
        d_recurrent_kernel = _weight_gradient(before, gamma_zrs, recurrent_kernel)
    else:
        d_initial, delta, gamma_zr = _retreat_before(
            recurrent_kernel, [upstream, keep, f_z, f_r, f_h, r], form
        )
        d_U_zr = _weight_gradient(before, gamma_zr, recurrent_kernel)
        d_U_h = _weight_gradient(s, _rows(delta * f_h), recurrent_kernel)
        d_recurrent_kernel = tf.concat([d_U_zr, d_U_h], axis=-1)
    gamma_zrh = tf.concat([gamma_zr, _rows(delta * f_h)], axis=-1)  # [T·B, 3H]
    gradients = [
        tf.reshape(_product(gamma_zrh, kernel, transpose=True), tf.shape(x)),
        d_initial,
        _weight_gradient(x, gamma_zrh, kernel),
        d_recurrent_kernel,
    ]
    if bias is not None:
        d_bias = tf.reduce_sum(gamma_zrh, axis=0)  # [3H]
        if form.reset_after:
            d_c = tf.concat([d_bias[: 2 * H], tf.reduce_sum(gamma_s, axis=0)], axis=0)
            d_bias = tf.stack([d_bias, d_c])  # [2, 3H]
        gradients.append(d_bias)
    return [tf.cast(gradient, x.dtype) for gradient in gradients]


def _retreat_after(
    recurrent_kernel: Tensor, upstream: Tensor, keep: Tensor, factors: Tensor, form: Form
) -> tuple[Tensor, Tensor, Tensor]:
    """Goes back through the steps, reset_after=True.

    Args:
        recurrent_kernel: U, `[H, 3H]`.
        upstream: `[T, B, H]`.
        keep: `[T, B, H]`.
        factors: f_z, f_r, f_s, `[T, B, 3H]`.
        form: how to compute.

    Returns:
        dh_0 `[B, H]`, δ `[T, B, H]` and γ_z, γ_r, γ_s `[T·B, 3H]`.
    """

    def step(later: list[Tensor], upstream: Tensor, keep: Tensor, factors: Tensor) -> Any:
        delta = later[0] + upstream  # [B, H]
        gamma = tf.concat([delta] * 3, axis=-1) * factors  # [B, 3H]
        return [delta * keep + _product(gamma, recurrent_kernel, transpose=True)], [delta]

    nothing = tf.zeros_like(upstream[0])
    inputs = [upstream, keep, factors]
    (d_initial,), (delta,) = loop(step, [nothing], inputs, 1, form.unroll, reverse=True)
    return d_initial, delta, _rows(tf.concat([delta] * 3, axis=-1) * factors)


def _retreat_before(
    recurrent_kernel: Tensor, inputs: list[Tensor], form: Form
) -> tuple[Tensor, Tensor, Tensor]:
    """Goes back through the steps, reset_after=False.

    Args:
        recurrent_kernel: U, `[H, 3H]`.
        inputs: the upstream gradient, `keep`, f_z, f_r, f_h and r, `[T, B, H]` each.
        form: how to compute.

    Returns:
        dh_0 `[B, H]`, δ `[T, B, H]` and γ_z, γ_r `[T·B, 2H]`.
    """
    H = recurrent_kernel.shape[0]
    U_zr, U_h = recurrent_kernel[:, : 2 * H], recurrent_kernel[:, 2 * H :]

    def step(later: list[Tensor], *now: Tensor) -> Any:
        upstream, keep, f_z, f_r, f_h, r = now  # [B, H] each
        delta = later[0] + upstream
        gamma_s = _product(delta * f_h, U_h, transpose=True)
        gamma_zr = tf.concat([delta * f_z, gamma_s * f_r], axis=-1)  # [B, 2H]
        through_gates = _product(gamma_zr, U_zr, transpose=True)
        return [delta * keep + gamma_s * r + through_gates], [delta, gamma_s]

    nothing = tf.zeros_like(inputs[0][0])
    (d_initial,), (delta, gamma_s) = loop(step, [nothing], inputs, 2, form.unroll, reverse=True)
    f_z, f_r = inputs[2:4]
    return d_initial, delta, _rows(tf.concat([delta * f_z, gamma_s * f_r], axis=-1))


def _input_terms(x: Tensor, kernel: Tensor, bias: Tensor | None, form: Form) -> list[Tensor]:
    """Returns a_z, a_r, a_h, c_z and c_r being in them already, from `[…, D]`, `[…, H]` each."""
    H = kernel.shape[1] // 3
    if bias is not None and form.reset_after:
        bias = bias[0] + tf.concat([bias[1, : 2 * H], tf.zeros([H], bias.dtype)], axis=0)  # [3H]
    if form.xla == "none":
        biases = [None] * 3 if bias is None else tf.split(bias, 3)
        kernels = tf.split(kernel, 3, axis=1)
        terms = [_product(_rows(x), *gate) for gate in zip(kernels, biases, strict=True)]
    else:
        terms = tf.split(_product(_rows(x), kernel, bias), 3, axis=1)  # [T·B, H] each
    shape = tf.concat([tf.shape(x)[:-1], [H]], axis=0)
    return [tf.ensure_shape(tf.reshape(term, shape), [*x.shape[:-1], H]) for term in terms]


def _step(recurrent_kernel: Tensor, bias: Tensor | None, form: Form) -> Callable:
    """Returns `(h, a_z, a_r, a_h) -> (new h, (z, r, s, h̃))`: of one step, or of all at once."""
    H = recurrent_kernel.shape[0]
    U_zr, U_h = recurrent_kernel[:, : 2 * H], recurrent_kernel[:, 2 * H :]
    gates_apart = tf.split(recurrent_kernel, 3, axis=1)  # [H, H] each
    c_h = bias[1, 2 * H :] if bias is not None and form.reset_after else None  # [H]

    def gate_products(h: Tensor) -> list[Tensor]:
        if form.xla == "none":
            return [_product(h, U_gate) for U_gate in gates_apart[:2]]
        return tf.split(_product(h, U_zr), 2, axis=-1)

    def all_products(h: Tensor) -> list[Tensor]:
        if form.xla == "none":
            return [*gate_products(h), _product(h, U_h, c_h)]
        h_z, h_r, s = tf.split(_product(h, recurrent_kernel), 3, axis=-1)
        return [h_z, h_r, s if c_h is None else s + tf.cast(c_h, s.dtype)]

    def sigmoid(a: Tensor) -> Tensor:  # XLA's tanh is faster than its logistic function
        return tf.sigmoid(a) if form.xla == "none" else 0.5 * tf.tanh(0.5 * a) + 0.5

    def step_after(h: Tensor, a_z: Tensor, a_r: Tensor, a_h: Tensor) -> tuple[Tensor, tuple]:
        h_z, h_r, s = all_products(h)  # [B, H] each, as all below
        z, r = sigmoid(a_z + h_z), sigmoid(a_r + h_r)
        candidate = tf.tanh(a_h + r * s)
        return z * h + (1 - z) * candidate, (z, r, s, candidate)

    def step_before(h: Tensor, a_z: Tensor, a_r: Tensor, a_h: Tensor) -> tuple[Tensor, tuple]:
        h_z, h_r = gate_products(h)
        z, r = sigmoid(a_z + h_z), sigmoid(a_r + h_r)
        s = r * h
        candidate = tf.tanh(a_h + _product(s, U_h))
        return z * h + (1 - z) * candidate, (z, r, s, candidate)

    return step_after if form.reset_after else step_before


def _product(
    a: Tensor, matrix: Tensor, bias: Tensor | None = None, transpose: bool = False
) -> Tensor:
    """Multiplies `a` by a weight matrix in the weights' dtype; the result has the state's."""
    result = tf.matmul(tf.cast(a, matrix.dtype), matrix, transpose_b=transpose)
    if bias is not None:
        result = tf.nn.bias_add(result, bias)
    return tf.cast(result, _state_dtype(matrix.dtype))


def _weight_gradient(a: Tensor, gamma: Tensor, weights: Tensor) -> Tensor:
    """Returns Σ_t a_tᵀ γ_t, one product over the T·B rows, from `[T, B, ·]` and `[T·B, ·]`."""
    rows, gamma = tf.cast(_rows(a), weights.dtype), tf.cast(gamma, weights.dtype)
    return tf.matmul(rows, gamma, transpose_a=True)


def _rows(a: Tensor) -> Tensor:
    """`[T, B, ·]` as `[T·B, ·]`."""
    return tf.reshape(a, [-1, a.shape[-1]])


def _state_dtype(dtype: tf.DType) -> tf.DType:
    return tf.float32 if dtype in (tf.float16, tf.bfloat16) else dtype
