"""What the two forms of the GRU share: input terms, gates, and the factors of the update gate."""

import abc
from typing import NamedTuple

import tensorflow as tf
from tensorflow import Tensor

from seqclf.layers.bptt.products import product, rows


class Gates(NamedTuple):
    """The values of the forward pass that the backward pass needs, `[T, B, H]` each.

    Attributes:
        z: update gate.
        r: reset gate.
        s: depends on the form: the tensor that the reset gate multiplies, or the product.
        candidate: h̃, the candidate state.
    """

    z: Tensor
    r: Tensor
    s: Tensor
    candidate: Tensor


class RecurrentGradients(NamedTuple):
    """The gradients that the backward loop of a form computes.

    Attributes:
        initial_state: dh_0, `[B, H]`.
        gamma_zrh: γ_z, γ_r and γ_h side by side, `[T·B, 3H]`: the gradient with respect to a.
        recurrent_kernel: dU, `[H, 3H]`.
        bias: the gradient with respect to the bias, in its shape; None without one.
    """

    initial_state: Tensor
    gamma_zrh: Tensor
    recurrent_kernel: Tensor
    bias: Tensor | None


class GRUForm(abc.ABC):
    """The time step of a GRU and its gradient; a subclass decides where the reset gate is applied.

    Args:
        kernel: W, `[D, 3H]`, blocks in the order z, r, h.
        recurrent_kernel: U, `[H, 3H]`, blocks in the same order.
        bias: the bias in the shape that the form takes, or None.
        compiled: whether XLA compiles the operations. Compiled, one product for several blocks is
            fastest. Op by op, one product for each block is, because splitting a result costs as
            much as the product.
    """

    def __init__(
        self, kernel: Tensor, recurrent_kernel: Tensor, bias: Tensor | None, compiled: bool
    ):
        self.kernel, self.U, self.bias, self.compiled = kernel, recurrent_kernel, bias, compiled
        self.H: int = recurrent_kernel.shape[0]
        # All are taken apart here, and not in `step`, which may be traced inside a `while` loop.
        self.U_zr, self.U_h = self.U[:, : 2 * self.H], self.U[:, 2 * self.H :]
        self.U_z, self.U_r, _ = tf.split(self.U, 3, axis=1)  # [H, H] each
        self.b = self.input_bias()  # [3H] or None

    @abc.abstractmethod
    def input_bias(self) -> Tensor | None:
        """Returns the bias that is added to the input's product, `[3H]`, or None."""

    @abc.abstractmethod
    def step(self, h: Tensor, a_z: Tensor, a_r: Tensor, a_h: Tensor) -> tuple[Tensor, Gates]:
        """Computes one time step, or all of them at once where their states are known.

        Args:
            h: the state before, `[…, B, H]`.
            a_z: input term of the update gate, `[…, B, H]`.
            a_r: input term of the reset gate, `[…, B, H]`.
            a_h: input term of the candidate state, `[…, B, H]`.

        Returns:
            The state after, and the gates, `[…, B, H]` each.
        """

    @abc.abstractmethod
    def gradients(
        self, before: Tensor, gates: Gates, mask: Tensor | None, upstream: Tensor, unroll: bool
    ) -> RecurrentGradients:
        """Goes back through time.

        Args:
            before: h, the state before each time step, `[T, B, H]`.
            gates: gates of all time steps.
            mask: bool `[T, B, 1]` or None.
            upstream: ∂L/∂h' of each time step, as if later time steps did not use h', `[T, B, H]`.
            unroll: whether the loop is unrolled.
        """

    def input_terms(self, x: Tensor) -> list[Tensor]:
        """Returns a_z, a_r and a_h, `[…, H]` each, for inputs `[…, D]`."""
        if self.compiled:
            terms = tf.split(product(rows(x), self.kernel, self.b), 3, axis=1)  # [T·B, H] each
        else:
            biases = [None] * 3 if self.b is None else tf.split(self.b, 3)
            kernels = tf.split(self.kernel, 3, axis=1)
            terms = [product(rows(x), *block) for block in zip(kernels, biases, strict=True)]
        shape = tf.concat([tf.shape(x)[:-1], [self.H]], axis=0)
        return [tf.ensure_shape(tf.reshape(a, shape), [*x.shape[:-1], self.H]) for a in terms]

    def gate_products(self, h: Tensor) -> list[Tensor]:
        """Returns h U_z and h U_r, `[…, H]` each."""
        if self.compiled:
            return list(tf.split(product(h, self.U_zr), 2, axis=-1))
        return [product(h, self.U_z), product(h, self.U_r)]

    def sigmoid(self, a: Tensor) -> Tensor:
        """Returns σ(a); compiled, from tanh, which XLA computes faster than its logistic."""
        return 0.5 * tf.tanh(0.5 * a) + 0.5 if self.compiled else tf.sigmoid(a)


def shared_factors(before: Tensor, gates: Gates) -> tuple[Tensor, Tensor, Tensor]:
    """Returns f_z, f_h and f_h ⊙ r, `[T, B, H]` each, which do not depend on the form.

    TensorFlow's graph optimiser sums terms in the order of their names, and the names count
    operations. The third factor is made for both forms, although `ResetBefore` has no use for it,
    so that its gradients stay the same to the last bit. Nothing is executed for it there.
    """
    z, r, _, candidate = gates
    f_h = (1 - z) * (1 - candidate * candidate)
    f_z = (before - candidate) * z * (1 - z)
    return f_z, f_h, f_h * r


def zero_at_masked_steps(mask: Tensor | None, *factors: Tensor) -> list[Tensor]:
    """Returns factors `[T, B, H]` with 0 where the mask, bool `[T, B, 1]`, is False."""
    if mask is None:
        return list(factors)
    return [tf.where(mask, f, tf.zeros_like(f)) for f in factors]


def one_at_masked_steps(mask: Tensor | None, z: Tensor) -> Tensor:
    """Returns z `[T, B, H]` with 1 where the mask, bool `[T, B, 1]`, is False."""
    return z if mask is None else tf.where(mask, z, tf.ones_like(z))
