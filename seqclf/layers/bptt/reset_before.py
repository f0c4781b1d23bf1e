"""The GRU whose reset gate stands before the product (`reset_after=False`, as in the paper).

Forward (`seqclf.layers.bptt` has the rest, and the meaning of the symbols; there is no c):

    s = r ⊙ h
    h̃ = tanh(a_h + s U_h)

Backward:

    γ_s = γ_h U_hᵀ
    γ_r = γ_s ⊙ f_r,    f_r = h ⊙ r ⊙ (1 - r)
    δ of the time step before = ∂L/∂h + δ ⊙ z + γ_s ⊙ r + [γ_z, γ_r] [U_z, U_r]ᵀ

γ_r needs γ_s first: two products per time step, of which one waits for the other.
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


class ResetBefore(GRUForm):
    """The form above. The bias is `[3H]`: b of the input's product."""

    def input_bias(self) -> Tensor | None:
        return self.bias

    def step(self, h: Tensor, a_z: Tensor, a_r: Tensor, a_h: Tensor) -> tuple[Tensor, Gates]:
        h_z, h_r = self.gate_products(h)  # [B, H] each, as all below
        z = self.sigmoid(a_z + h_z)
        r = self.sigmoid(a_r + h_r)
        s = r * h
        candidate = tf.tanh(a_h + product(s, self.U_h))
        return z * h + (1 - z) * candidate, Gates(z, r, s, candidate)

    def gradients(
        self, before: Tensor, gates: Gates, mask: Tensor | None, upstream: Tensor, unroll: bool
    ) -> RecurrentGradients:
        z, r, s, _ = gates  # [T, B, H] each, and all f
        f_z, f_h, _ = shared_factors(before, gates)
        f_r = before * r * (1 - r)
        f_z, f_r, f_h = zero_at_masked_steps(mask, f_z, f_r, f_h)

        def step_back(
            later: list[Tensor],
            upstream: Tensor,
            keep: Tensor,
            f_z: Tensor,
            f_r: Tensor,
            f_h: Tensor,
            r: Tensor,
        ) -> tuple[list[Tensor], list[Tensor]]:
            delta = later[0] + upstream  # [B, H]
            gamma_s = product(delta * f_h, self.U_h, transpose=True)
            gamma_zr = tf.concat([delta * f_z, gamma_s * f_r], axis=-1)  # [B, 2H]
            through_gates = product(gamma_zr, self.U_zr, transpose=True)
            return [delta * keep + gamma_s * r + through_gates], [delta, gamma_s]

        nothing = tf.zeros_like(upstream[0])
        inputs = [upstream, one_at_masked_steps(mask, z), f_z, f_r, f_h, r]
        (d_initial,), values = loop(step_back, [nothing], inputs, 2, unroll, reverse=True)
        delta, gamma_s = values  # [T, B, H] each
        gamma_zr = rows(tf.concat([delta * f_z, gamma_s * f_r], axis=-1))  # [T·B, 2H]
        gamma_h = rows(delta * f_h)  # [T·B, H]
        gamma_zrh = tf.concat([gamma_zr, gamma_h], axis=-1)
        d_U_zr = weight_gradient(before, gamma_zr, self.U)
        d_U_h = weight_gradient(s, gamma_h, self.U)
        return RecurrentGradients(
            initial_state=d_initial,
            gamma_zrh=gamma_zrh,
            recurrent_kernel=tf.concat([d_U_zr, d_U_h], axis=-1),
            bias=None if self.bias is None else tf.reduce_sum(gamma_zrh, axis=0),
        )
