"""The minimal gated unit: `MGUCell` and `MGU`."""

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
from seqclf.layers.recurrent import Recurrent


@keras.saving.register_keras_serializable(package="seqclf")
class MGUCell(RecurrentCell):
    """One time step of a minimal gated unit (Zhou et al. 2016, arXiv:1603.09420).

        f_t = σ(x_t W_f + b_f + h_{t-1} U_f)                  forget gate: what is replaced
        h̃_t = tanh(x_t W_h + b_h + (f_t ⊙ h_{t-1}) U_h)       candidate state
        h_t = (1 - f_t) ⊙ h_{t-1} + f_t ⊙ h̃_t

    One gate does the work of the GRU's two. Its name is the paper's: the state is forgotten where
    the gate is 1. Weights have blocks in the order f, h: `kernel` W `[D, 2H]`, `recurrent_kernel` U
    `[H, 2H]`, `bias` b `[2H]`.

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
        seed: seed of the dropout masks; None draws one from Keras's global seed. Default: None.
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
            below 1.

    Example:
        >>> cell = MGUCell(4)
        >>> h, [state] = cell(np.ones([2, 3], "float32"), [np.zeros([2, 4], "float32")])
        >>> h.shape
        TensorShape([2, 4])
    """

    blocks = ("forget_gate", "candidate")
    keeping = (-1, 0)

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
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**passed_on(locals()))

    def next_states(self, a: Any, visible: Any, states: list[Any]) -> tuple[list[Any], Parts]:
        (h,), H, U = states, self.units, as_tensor(self.recurrent_kernel, a)
        a_f, a_h = ops.split(a, 2, axis=-1)  # [B, H] each, and all below
        f = self.recurrent_activation(a_f + ops.matmul(visible, U[:, :H]))
        candidate = self.activation(a_h + ops.matmul(f * visible, U[:, H:]))
        h = (1 - f) * h + f * candidate
        return [h], {"forget_gate": f, "candidate": candidate}

    def kept(self, parts: Parts) -> Any:
        return 1 - parts["forget_gate"]


@keras.saving.register_keras_serializable(package="seqclf")
class MGU(Recurrent):
    """The minimal gated unit over sequences.

    `MGUCell` has the equations. Arguments are those of `keras.layers.GRU`, but for `reset_after`
    and `use_cudnn`.

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
        activity_regularizer: penalty of the output. Default: None.
        kernel_constraint: projection of the kernel after each update. Default: None.
        recurrent_constraint: projection of the recurrent kernel after each update. Default: None.
        bias_constraint: projection of the bias after each update. Default: None.
        dropout: fraction of the inputs that is set to 0 in training, from 0 to below 1. Default: 0.
        recurrent_dropout: fraction of the state that gates and candidate see as 0 in training, from
            0 to below 1. Default: 0.
        seed: seed of the dropout masks; None draws one from Keras's global seed. Default: None.
        return_sequences: whether to return the state of every time step instead of the last one.
            Default: False.
        return_state: whether to return the last state as a second output. Default: False.
        go_backwards: whether to run from the last time step to the first; outputs come in that
            order. Default: False.
        stateful: whether each batch starts from the last state of the batch before. Default: False.
        unroll: whether to lay the time steps out one after another in the graph instead of looping
            over them; T must be known. Default: False.
        **kwargs: `zero_output_for_mask` (whether the output of a masked time step is 0 instead of
            the state of the time step before), `name`, `dtype` and `trainable`. `implementation` is
            accepted and has no effect.

    Call arguments:
        sequences: `[B, T, D]`.
        initial_state: h_0 `[B, H]`, in a list or by itself. Default: zeros.
        mask: bool `[B, T]`; the state passes a time step unchanged where it is False. Optional.
        training: whether dropout is applied. Default: False.

    Returns:
        `[B, H]`, or `[B, T, H]` with `return_sequences`; with `return_state` also h_T, `[B, H]`.

    Raises:
        ValueError: `units` is not a positive integer, a fraction of dropout is not from 0 to below
            1, or the inputs are not `[B, T, D]` with the D that the layer was built with.

    Example:
        >>> MGU(4, return_sequences=True)(np.ones([2, 5, 3], "float32")).shape
        TensorShape([2, 5, 4])
    """

    cell_class = MGUCell

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
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**passed_on(locals()))
