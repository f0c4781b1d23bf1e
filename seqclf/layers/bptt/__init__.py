"""A GRU over a whole sequence, with back-propagation through time (BPTT) derived by hand.

Tensors are time-major throughout: `[T, B, ·]`. What does not depend on the state of the time step
before is computed for all time steps at once: forward the input's product a = x W + b, backward the
factors of the chain rule and the products that give dW, dU and dx. The loops are left with one
matrix product and a few elementwise operations per time step.

Forward, with h the state before the time step and h' the state after it:

    z = σ(a_z + h U_z + c_z)            update gate
    r = σ(a_r + h U_r + c_r)            reset gate
    h̃ = tanh(…)                         candidate state: `reset_after`, `reset_before`
    h' = z ⊙ h + (1 - z) ⊙ h̃

Backward, with δ the gradient of the loss with respect to h', along all paths, and γ_y that with
respect to what the symbol y stands for (γ_z and γ_r: the sums inside σ, γ_h: the sum inside tanh):

    γ_h = δ ⊙ f_h,    f_h = (1 - z) ⊙ (1 - h̃²)
    γ_z = δ ⊙ f_z,    f_z = (h - h̃) ⊙ z ⊙ (1 - z)

The two forms of the GRU differ in h̃, γ_r and the way from δ to the δ of the time step before; each
has a module with its equations. Every factor f is known before the loop starts. A masked time step
is one with z = 1: each f is 0 there, and δ passes unchanged.
"""

from seqclf.layers.bptt.sequence import gru_sequence

__all__ = ["gru_sequence"]
