"""`GRUCell`: one time step of a gated recurrent unit."""

from typing import Any

import keras
from keras import ops

from seqclf.layers.arguments import (
    Activation,
    Constraint,
    Initializer,
    Regularizer,
    passed_on,
)
from seqclf.layers.base_cell import Parts, RecurrentCell, as_tensor


@keras.saving.register_keras_serializable(package="seqclf")
class GRUCell(RecurrentCell):
    """One time step of a gated recurrent unit (Cho et al. 2014, arXiv:1406.1078, eqs. 5 to 8).

        z_t = σ(x_t W_z + b_z + h_{t-1} U_z + c_z)            update gate: what is kept
        r_t = σ(x_t W_r + b_r + h_{t-1} U_r + c_r)            reset gate: what the candidate sees
        s_t = h_{t-1} U_h + c_h
        h̃_t = tanh(x_t W_h + b_h + r_t ⊙ s_t)                 candidate state, reset_after=True
        h̃_t = tanh(x_t W_h + b_h + (r_t ⊙ h_{t-1}) U_h)       candidate state, reset_after=False
        h_t = z_t ⊙ h_{t-1} + (1 - z_t) ⊙ h̃_t                 update_gate="keep"
        h_t = (1 - z_t) ⊙ h_{t-1} + z_t ⊙ h̃_t                 update_gate="replace"

    Weights are those of `keras.layers.GRUCell`, blocks in the order z, r, h: `kernel` W `[D, 3H]`,
    `recurrent_kernel` U `[H, 3H]`, `bias` `[2, 3H]` (b and c), or `[3H]` (b) with
    `reset_after=False`.

    Args:
        units: H, the number of units: the width of the state. A positive integer.
        activation: function of the candidate state; None is the identity. Default: "tanh".
        recurrent_activation: function of the gates; None is the identity. Default: "sigmoid".
        use_bias: whether there is a bias. Default: True.
        kernel_initializer: initialiser of the kernel W. Default: "glorot_uniform".
        recurrent_initializer: initialiser of the recurrent kernel U. Default: "orthogonal".
        bias_initializer: initialiser of the bias. Default: "zeros".
        kernel_regularizer: penalty of the kernel, added to the loss. Default: None.
        recurrent_regularizer: penalty of the recurrent kernel. Default: None.
        bias_regularizer: penalty of the bias. Default: None.
        kernel_constraint: projection of the kernel after each update. Default: None.
        recurrent_constraint: projection of the recurrent kernel after each update. Default: None.
        bias_constraint: projection of the bias after each update. Default: None.
        dropout: fraction of the inputs that is set to 0 in training, from 0 to below 1. Default: 0.
        recurrent_dropout: fraction of the state that gates and candidate see as 0 in training, from
            0 to below 1. Default: 0.
        reset_after: whether the reset gate is applied after the product with U_h, as in cuDNN and
            PyTorch, or to the state before it, as in the paper. Default: True.
        seed: seed of the dropout masks; None draws one from Keras's global seed. Default: None.
        update_gate: meaning of z. "keep": the fraction of the state that is kept, as in Keras,
            cuDNN and PyTorch. "replace": the fraction that is replaced, as in half of the
            literature. The models are the same: `convert_update_gate` turns the weights of one into
            those of the other. Default: "keep".
        **kwargs: `name`, `dtype` and `trainable`, as for every Keras layer. `implementation` is
            accepted and has no effect.

    Call arguments:
        inputs: x_t, `[B, D]`.
        states: h_{t-1} `[B, H]`, in a list or by itself.
        training: whether dropout is applied.

    Returns:
        h_t `[B, H]`, and the new state in the structure of `states`.

    Raises:
        ValueError: `units` is not a positive integer, or a fraction of dropout is not from 0 to
            below 1, or `update_gate` is neither of the two.

    Example:
        >>> cell = GRUCell(4)
        >>> h, [state] = cell(np.ones([2, 3], "float32"), [np.zeros([2, 4], "float32")])
        >>> h.shape
        TensorShape([2, 4])
    """

    blocks = ("update_gate", "reset_gate", "candidate")
    keeping = (1, 0, 0)

    def __init__(
        self,
        units: int,
        activation: Activation = "tanh",
        recurrent_activation: Activation = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        bias_initializer: Initializer = "zeros",
        kernel_regularizer: Regularizer = None,
        recurrent_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: int | None = None,
        update_gate: str = "keep",
        **kwargs: Any,
    ):
        arguments = passed_on(locals(), "reset_after", "update_gate")
        if update_gate not in ("keep", "replace"):
            raise ValueError(
                f"Argument `update_gate` must be 'keep' or 'replace'. Received: {update_gate!r}"
            )
        super().__init__(**arguments)
        self.reset_after = reset_after
        self.update_gate = update_gate

    def bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def input_terms(self, inputs: Any) -> Any:
        a = ops.matmul(inputs, as_tensor(self.kernel, inputs))
        return a + self._biases(inputs)[0]

    def next_states(self, a: Any, visible: Any, states: list[Any]) -> tuple[list[Any], Parts]:
        (h,), H, U = states, self.units, as_tensor(self.recurrent_kernel, a)
        a_z, a_r, a_h = ops.split(a, 3, axis=-1)  # [B, H] each, and all below
        if self.reset_after:
            h_z, h_r, s = ops.split(ops.matmul(visible, U) + self._biases(a)[1], 3, axis=-1)
        else:
            h_z, h_r = ops.split(ops.matmul(visible, U[:, : 2 * H]), 2, axis=-1)

        z = self.recurrent_activation(a_z + h_z)
        r = self.recurrent_activation(a_r + h_r)
        if self.reset_after:
            candidate = self.activation(a_h + r * s)
        else:
            candidate = self.activation(a_h + ops.matmul(r * visible, U[:, 2 * H :]))
        parts = {"update_gate": z, "reset_gate": r, "candidate": candidate}
        keep = self.kept(parts)
        return [keep * h + (1 - keep) * candidate], parts

    def kept(self, parts: Parts) -> Any:
        z = parts["update_gate"]
        return z if self.update_gate == "keep" else 1 - z

    def _biases(self, like: Any) -> tuple[Any, Any]:
        """Returns b and c in the dtype of `like`, `[3H]` each; 0 for one that does not exist."""
        if self.bias is None:
            return 0, 0
        bias = as_tensor(self.bias, like)
        return (bias[0], bias[1]) if self.reset_after else (bias, 0)

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "reset_after": self.reset_after}
        # Only where it is not the default: keras.layers.GRUCell knows no `update_gate`.
        return config | ({"update_gate": "replace"} if self.update_gate == "replace" else {})
