"""The long short-term memory: `LSTMCell` and `LSTM`."""

from typing import Any

import keras
from keras import ops

from seqclf.layers import cudnn
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
class LSTMCell(RecurrentCell):
    """One time step of a long short-term memory (Hochreiter & Schmidhuber 1997).

    It has the forget gate of Gers et al. (2000, Neural Computation 12):

        i_t = σ(x_t W_i + b_i + h_{t-1} U_i)                  input gate: what is written
        f_t = σ(x_t W_f + b_f + h_{t-1} U_f)                  forget gate: what is kept
        o_t = σ(x_t W_o + b_o + h_{t-1} U_o)                  output gate: what is shown
        c̃_t = tanh(x_t W_c + b_c + h_{t-1} U_c)               candidate state
        c_t = f_t ⊙ c_{t-1} + i_t ⊙ c̃_t                       cell state
        h_t = o_t ⊙ tanh(c_t)                                 state

    Weights are those of `keras.layers.LSTMCell`, blocks in the order i, f, c, o: `kernel` W
    `[D, 4H]`, `recurrent_kernel` U `[H, 4H]`, `bias` b `[4H]`.

    Args:
        units: H, the number of units: the width of the state. A positive integer.
        activation: function of the candidate state, and of the cell state on its way to the state;
            None is the identity. Default: "tanh".
        recurrent_activation: function of the gates; None is the identity. Default: "sigmoid".
        use_bias: whether there is a bias. Default: True.
        kernel_initializer: initialiser of the kernel W. Default: "glorot_uniform".
        recurrent_initializer: initialiser of the recurrent kernel U. Default: "orthogonal".
        bias_initializer: initialiser of the bias. Default: "zeros".
        unit_forget_bias: whether the bias of the forget gate starts at 1, so that a unit begins by
            keeping its cell state (Jozefowicz et al. 2015, ICML). Default: True.
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
        states: h_{t-1} and c_{t-1}, `[B, H]` each, in a list.
        training: whether dropout is applied.

    Returns:
        h_t `[B, H]`, and the list `[h_t, c_t]`.

    Raises:
        ValueError: `units` is not a positive integer, or a fraction of dropout is not from 0 to
            below 1.

    Example:
        >>> h, (h, c) = LSTMCell(4)(np.ones([2, 3], "float32"), [np.zeros([2, 4], "float32")] * 2)
        >>> c.shape
        TensorShape([2, 4])
    """

    blocks = ("input_gate", "forget_gate", "candidate", "output_gate")
    state_names = ("state", "cell_state")
    keeping = (-1, 1, 0, 0)

    def __init__(
        self,
        units: int,
        activation: Activation = "tanh",
        recurrent_activation: Activation = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        bias_initializer: Initializer = "zeros",
        unit_forget_bias: bool = True,
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
        super().__init__(**passed_on(locals(), "unit_forget_bias"))
        self.unit_forget_bias = unit_forget_bias

    def initial_bias(self, shape: Any, dtype: Any = None) -> Any:
        if not self.unit_forget_bias:
            return super().initial_bias(shape, dtype)
        H = self.units
        # Keras draws the parts on both sides of b_f separately: the same seed, the same weights.
        return ops.concatenate(
            [
                self.bias_initializer((H,), dtype=dtype),
                ops.ones((H,), dtype=dtype),
                self.bias_initializer((2 * H,), dtype=dtype),
            ]
        )

    def next_states(self, a: Any, visible: Any, states: list[Any]) -> tuple[list[Any], Parts]:
        U = as_tensor(self.recurrent_kernel, a)
        a_i, a_f, a_c, a_o = ops.split(a + ops.matmul(visible, U), 4, axis=-1)
        i = self.recurrent_activation(a_i)  # [B, H], and all below
        f = self.recurrent_activation(a_f)
        o = self.recurrent_activation(a_o)
        candidate = self.activation(a_c)
        c = f * states[1] + i * candidate
        h = o * self.activation(c)
        parts = {"input_gate": i, "forget_gate": f, "output_gate": o, "candidate": candidate}
        return [h, c], parts

    def kept(self, parts: Parts) -> Any:
        return parts["forget_gate"]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias}


@keras.saving.register_keras_serializable(package="seqclf")
class LSTM(Recurrent):
    """Long short-term memory over sequences, a drop-in for `keras.layers.LSTM`.

    `LSTMCell` has the equations, `Recurrent` the differences from Keras. Weights (`get_weights`,
    `set_weights`) and configs move both ways.

    Args:
        units: H, the number of units: the width of the state. A positive integer.
        activation: function of the candidate state, and of the cell state on its way to the state;
            None is the identity. Default: "tanh".
        recurrent_activation: function of the gates; None is the identity. Default: "sigmoid".
        use_bias: whether there is a bias. Default: True.
        kernel_initializer: initialiser of the kernel W. Default: "glorot_uniform".
        recurrent_initializer: initialiser of the recurrent kernel U. Default: "orthogonal".
        bias_initializer: initialiser of the bias. Default: "zeros".
        unit_forget_bias: whether the bias of the forget gate starts at 1, so that a unit begins by
            keeping its cell state (Jozefowicz et al. 2015, ICML). Default: True.
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
        return_state: whether to return the last state and the last cell state as second and third
            output. Default: False.
        go_backwards: whether to run from the last time step to the first; outputs come in that
            order. Default: False.
        stateful: whether each batch starts from the last states of the batch before. Default:
            False.
        unroll: whether to lay the time steps out one after another in the graph instead of looping
            over them; T must be known. Default: False.
        use_cudnn: accepted as in Keras. This layer has no cuDNN path: "auto" and False have no
            effect, and a call with True is refused. Default: "auto".
        **kwargs: `zero_output_for_mask` (whether the output of a masked time step is 0 instead of
            the state of the time step before), `name`, `dtype` and `trainable`. `implementation` is
            accepted and has no effect.

    Call arguments:
        sequences: `[B, T, D]`.
        initial_state: h_0 and c_0, `[B, H]` each, in a list. Default: zeros.
        mask: bool `[B, T]`; the state passes a time step unchanged where it is False. Optional.
        training: whether dropout is applied. Default: False.

    Returns:
        `[B, H]`, or `[B, T, H]` with `return_sequences`; with `return_state` also h_T and c_T, `[B,
        H]` each.

    Raises:
        ValueError: `units` is not a positive integer, a fraction of dropout is not from 0 to below
            1, or the inputs are not `[B, T, D]` with the D that the layer was built with; or, at a
            call, `use_cudnn` is True.

    Example:
        >>> h, h_last, c_last = LSTM(4, return_state=True)(np.ones([2, 5, 3], "float32"))
        >>> c_last.shape
        TensorShape([2, 4])
    """

    cell_class = LSTMCell

    def __init__(
        self,
        units: int,
        activation: Activation = "tanh",
        recurrent_activation: Activation = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        bias_initializer: Initializer = "zeros",
        unit_forget_bias: bool = True,
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
        use_cudnn: bool | str = "auto",
        **kwargs: Any,
    ):
        super().__init__(**passed_on(locals(), "use_cudnn"))
        self.use_cudnn = cudnn.checked_choice(use_cudnn)

    def run_loop(
        self, sequences: Any, initial_state: list[Any], mask: Any, training: bool
    ) -> tuple[Any, Any, Any]:
        if self.use_cudnn is True:
            raise cudnn.unavailable("this LSTM has no cuDNN path")
        return super().run_loop(sequences, initial_state, mask, training)
