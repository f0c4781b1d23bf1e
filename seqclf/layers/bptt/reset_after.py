"""The GRU whose reset gate stands after the product (`reset_after=True`, as in cuDNN).

Forward (`seqclf.layers.bptt` has the rest, and the meaning of the symbols):

    s = h U_h + c_h
    h̃ = tanh(a_h + r ⊙ s)

Backward:

    γ_s = δ ⊙ f_s,    f_s = f_h ⊙ r
    γ_r = δ ⊙ f_r,    f_r = f_s ⊙ s ⊙ (1 - r)
    δ of the time step before = ∂L/∂h + δ ⊙ z + [γ_z, γ_r, γ_s] Uᵀ

The three γ of the loop are δ times known factors: one product per time step.
"""

import tensorflow as tf
from tensorflow import Tensor

from seqclf.layers.bptt.form import (
    Gates,
    GRUForm,
    RecurrentGradients,
    one_at_masked_steps,
    shared_factors,
    zero_at_masked_steps,
)
from seqclf.layers.bptt.products import product, rows, weight_gradient
from seqclf.layers.loop import loop


class ResetAfter(GRUForm):
    """The form above. The bias is `[2, 3H]`: b of the input's product, c of the state's."""

    def __init__(
        self, kernel: Tensor, recurrent_kernel: Tensor, bias: Tensor | None, compiled: bool
    ):
        super().__init__(kernel, recurrent_kernel, bias, compiled)
        self.c_h = None if bias is None else bias[1, 2 * self.H :]  # [H]

    def input_bias(self) -> Tensor | None:
        """Returns b with c_z and c_r added: only c_h is added to the state's product."""
        if self.bias is None:
            return None
        c_zr = self.bias[1, : 2 * self.H]
        return self.bias[0] + tf.concat([c_zr, tf.zeros([self.H], self.bias.dtype)], axis=0)

    def step(self, h: Tensor, a_z: Tensor, a_r: Tensor, a_h: Tensor) -> tuple[Tensor, Gates]:
        h_z, h_r, s = self._products(h)  # [B, H] each, as all below
        z = self.sigmoid(a_z + h_z)
        r = self.sigmoid(a_r + h_r)
        candidate = tf.tanh(a_h + r * s)
        return z * h + (1 - z) * candidate, Gates(z, r, s, candidate)

    def _products(self, h: Tensor) -> list[Tensor]:
        """Returns h U_z, h U_r and s = h U_h + c_h, `[…, H]` each."""
        if not self.compiled:
            return [*self.gate_products(h), product(h, self.U_h, self.c_h)]
        h_z, h_r, s = tf.split(product(h, self.U), 3, axis=-1)
        return [h_z, h_r, s if self.c_h is None else s + tf.cast(self.c_h, s.dtype)]

    def gradients(
        self, before: Tensor, gates: Gates, mask: Tensor | None, upstream: Tensor, unroll: bool
    ) -> RecurrentGradients:
        z, r, s, _ = gates  # [T, B, H] each, and all f
        f_z, f_h, f_s = shared_factors(before, gates)
        f_r = f_s * s * (1 - r)
        f_z, f_r, f_s, f_h = zero_at_masked_steps(mask, f_z, f_r, f_s, f_h)
        factors = tf.concat([f_z, f_r, f_s], axis=-1)  # [T, B, 3H]

        def step_back(
            later: list[Tensor], upstream: Tensor, keep: Tensor, factors: Tensor
        ) -> tuple[list[Tensor], list[Tensor]]:
            delta = later[0] + upstream  # [B, H]
            gamma_zrs = tf.concat([delta] * 3, axis=-1) * factors  # [B, 3H]
            return [delta * keep + product(gamma_zrs, self.U, transpose=True)], [delta]

        nothing = tf.zeros_like(upstream[0])
        inputs = [upstream, one_at_masked_steps(mask, z), factors]
        (d_initial,), (delta,) = loop(step_back, [nothing], inputs, 1, unroll, reverse=True)
        gamma_zrs = rows(tf.concat([delta] * 3, axis=-1) * factors)  # [T·B, 3H]
        gamma_zr, gamma_s = gamma_zrs[:, : 2 * self.H], gamma_zrs[:, 2 * self.H :]
        gamma_zrh = tf.concat([gamma_zr, rows(delta * f_h)], axis=-1)  # [T·B, 3H]
        return RecurrentGradients(
            initial_state=d_initial,
            gamma_zrh=gamma_zrh,
            recurrent_kernel=weight_gradient(before, gamma_zrs, self.U),
            bias=self._bias_gradient(gamma_zrh, gamma_s),
        )

    def _bias_gradient(self, gamma_zrh: Tensor, gamma_s: Tensor) -> Tensor | None:
        """Returns db and dc, `[2, 3H]`; they differ in the block h alone."""
        if self.bias is None:
            return None
        d_b = tf.reduce_sum(gamma_zrh, axis=0)  # [3H]
        d_c = tf.concat([d_b[: 2 * self.H], tf.reduce_sum(gamma_s, axis=0)], axis=0)
        return tf.stack([d_b, d_c])
