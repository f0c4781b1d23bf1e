"""Four recurrent cells, each written from its equations, in the scheme of `RecurrentCell`.

a = x_t W + b, and for each block of columns of W, U and b its own letter (z, r, …):

SimpleRNN   h_t = tanh(a_h + h_{t-1} U_h)
MGU         f = σ(…)       h̃ = tanh(a_h + (f ⊙ h_{t-1}) U_h)   h_t = (1 - f) ⊙ h_{t-1} + f ⊙ h̃
GRU         z, r = σ(…)    h̃ = tanh(a_h + r ⊙ (h_{t-1} U_h))   h_t = z ⊙ h_{t-1} + (1 - z) ⊙ h̃
LSTM        i, f, o = σ(…) c̃ = tanh(a_c + h_{t-1} U_c)         c_t = f ⊙ c_{t-1} + i ⊙ c̃
                                                               h_t = o ⊙ tanh(c_t)
"""

from typing import Any

import keras
from keras import ops

from seqclf.layers.base_cell import RecurrentCell, as_tensor

Parts = dict[str, Any]


@keras.saving.register_keras_serializable(package="seqclf")
class SimpleRNNCell(RecurrentCell):
    """One step of the plain recurrent network (Elman 1990, "Finding structure in time").

        h̃_t = tanh(x_t W + b + h_{t-1} U)                     candidate state
        h_t = h̃_t                                             nothing of the past is kept as it is

    Arguments, call arguments and errors are those of `RecurrentCell`; no gates, so that
    `recurrent_activation` has no effect. Weights are those of `keras.layers.SimpleRNN`.

    Example:
        >>> cell = SimpleRNNCell(4)
        >>> h, [state] = cell(np.ones([2, 3], "float32"), [np.zeros([2, 4], "float32")])
        >>> h.shape
        TensorShape([2, 4])
    """

    arguments = tuple(name for name in RecurrentCell.arguments if name != "recurrent_activation")
    blocks = ("candidate",)

    def advance(self, a: Any, seen: Any, states: list[Any]) -> tuple[list[Any], Parts]:
        del states
        U = as_tensor(self.recurrent_kernel, a)
        candidate = self.activation(a + ops.matmul(seen, U))  # [B, H]
        return [candidate], {"candidate": candidate}

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["recurrent_activation"]  # there is no gate, and Keras's cell knows no such key
        return config


@keras.saving.register_keras_serializable(package="seqclf")
class LSTMCell(RecurrentCell):
    """One step of a long short-term memory (Hochreiter & Schmidhuber 1997, Neural Computation 9).

    With the forget gate of Gers et al. (2000, Neural Computation 12):

        i_t = σ(x_t W_i + b_i + h_{t-1} U_i)                  input gate: what is written
        f_t = σ(x_t W_f + b_f + h_{t-1} U_f)                  forget gate: what is kept
        o_t = σ(x_t W_o + b_o + h_{t-1} U_o)                  output gate: what is shown
        c̃_t = tanh(x_t W_c + b_c + h_{t-1} U_c)               candidate state
        c_t = f_t ⊙ c_{t-1} + i_t ⊙ c̃_t                       cell state
        h_t = o_t ⊙ tanh(c_t)

    Weights are those of `keras.layers.LSTM`, blocks in the order i, f, c, o. Arguments, call
    arguments and errors are those of `RecurrentCell`; its states are `[h, c]`, and

    Args:
        unit_forget_bias: add 1 to b_f at initialisation, so that a unit begins by keeping
            (Jozefowicz et al. 2015, ICML).

    Example:
        >>> h, (h, c) = LSTMCell(4)(np.ones([2, 3], "float32"), [np.zeros([2, 4], "float32")] * 2)
        >>> c.shape
        TensorShape([2, 4])
    """

    arguments = (*RecurrentCell.arguments, "unit_forget_bias")
    blocks = ("input_gate", "forget_gate", "candidate", "output_gate")
    state_names = ("state", "cell_state")
    keeping = (-1, 1, 0, 0)

    def __init__(self, units: int, *args: Any, unit_forget_bias: bool = True, **kwargs: Any):
        super().__init__(units, *args, **kwargs)
        self.unit_forget_bias = unit_forget_bias

    def initial_bias(self, shape: Any, dtype: Any = None) -> Any:
        if not self.unit_forget_bias:
            return super().initial_bias(shape, dtype)
        H = self.units
        # Keras draws the two sides of b_f apart: so the same seed gives the same weights.
        return ops.concatenate(
            [
                self.bias_initializer((H,), dtype=dtype),
                ops.ones((H,), dtype=dtype),
                self.bias_initializer((2 * H,), dtype=dtype),
            ]
        )

    def advance(self, a: Any, seen: Any, states: list[Any]) -> tuple[list[Any], Parts]:
        U = as_tensor(self.recurrent_kernel, a)
        a_i, a_f, a_c, a_o = ops.split(a + ops.matmul(seen, U), 4, axis=-1)
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
class GRUCell(RecurrentCell):
    """One step of a gated recurrent unit (Cho et al. 2014, arXiv:1406.1078, eqs. 5 to 8).

        z_t = σ(x_t W_z + b_z + h_{t-1} U_z + c_z)            update gate: what is kept
        r_t = σ(x_t W_r + b_r + h_{t-1} U_r + c_r)            reset gate: what the candidate sees
        q_t = h_{t-1} U_h + c_h
        h̃_t = tanh(x_t W_h + b_h + r_t ⊙ q_t)                 candidate state, reset_after=True
        h̃_t = tanh(x_t W_h + b_h + (r_t ⊙ h_{t-1}) U_h)       candidate state, reset_after=False
        h_t = z_t ⊙ h_{t-1} + (1 - z_t) ⊙ h̃_t                 update_gate="keep"
        h_t = (1 - z_t) ⊙ h_{t-1} + z_t ⊙ h̃_t                 update_gate="replace"

    Weights are those of `keras.layers.GRU`, blocks in the order z, r, h: `kernel` W `[D, 3H]`,
    `recurrent_kernel` U `[H, 3H]`, `bias` `[2, 3H]` (b and c), or `[3H]` (b alone) with
    `reset_after=False`. Arguments, call arguments and errors are those of `RecurrentCell`, and

    Args:
        reset_after: which of the two candidate states. False is the paper's; True is cuDNN's and
            PyTorch's, and needs one product per step less.
        update_gate: what z says: how much of the state is kept, as here, in Keras, cuDNN and
            PyTorch, or how much of it is replaced, as in half of the literature. The models are
            the same (`convert_update_gate` turns the weights of one into the other's).

    Example:
        >>> cell = GRUCell(4)
        >>> h, [state] = cell(np.ones([2, 3], "float32"), [np.zeros([2, 4], "float32")])
        >>> h.shape
        TensorShape([2, 4])
    """

    arguments = (*RecurrentCell.arguments, "reset_after", "update_gate")
    blocks = ("update_gate", "reset_gate", "candidate")
    keeping = (1, 0, 0)

    def __init__(
        self,
        units: int,
        *args: Any,
        reset_after: bool = True,
        update_gate: str = "keep",
        **kwargs: Any,
    ):
        if update_gate not in ("keep", "replace"):
            raise ValueError(
                f"Argument `update_gate` must be 'keep' or 'replace'. Received: {update_gate!r}"
            )
        super().__init__(units, *args, **kwargs)
        self.reset_after = reset_after
        self.update_gate = update_gate

    def bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def read(self, inputs: Any) -> Any:
        a = ops.matmul(inputs, as_tensor(self.kernel, inputs))
        return a + self._biases(inputs)[0]

    def advance(self, a: Any, seen: Any, states: list[Any]) -> tuple[list[Any], Parts]:
        (h,), H, U = states, self.units, as_tensor(self.recurrent_kernel, a)
        a_z, a_r, a_h = ops.split(a, 3, axis=-1)  # [B, H] each, and all below
        if self.reset_after:
            h_z, h_r, q = ops.split(ops.matmul(seen, U) + self._biases(a)[1], 3, axis=-1)
        else:
            h_z, h_r = ops.split(ops.matmul(seen, U[:, : 2 * H]), 2, axis=-1)

        z = self.recurrent_activation(a_z + h_z)
        r = self.recurrent_activation(a_r + h_r)
        if self.reset_after:
            candidate = self.activation(a_h + r * q)
        else:
            candidate = self.activation(a_h + ops.matmul(r * seen, U[:, 2 * H :]))
        parts = {"update_gate": z, "reset_gate": r, "candidate": candidate}
        keep = self.kept(parts)
        return [keep * h + (1 - keep) * candidate], parts

    def kept(self, parts: Parts) -> Any:
        z = parts["update_gate"]
        return z if self.update_gate == "keep" else 1 - z

    def _biases(self, like: Any) -> tuple[Any, Any]:
        """Returns b and c, `[3H]` each, 0 where there is none, of the dtype of `like`."""
        if self.bias is None:
            return 0, 0
        bias = as_tensor(self.bias, like)
        return (bias[0], bias[1]) if self.reset_after else (bias, 0)

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "reset_after": self.reset_after}
        # Only then: configs move to keras.layers.GRUCell, which knows no `update_gate`.
        return config | ({"update_gate": "replace"} if self.update_gate == "replace" else {})


@keras.saving.register_keras_serializable(package="seqclf")
class MGUCell(RecurrentCell):
    """One step of a minimal gated unit (Zhou et al. 2016, arXiv:1603.09420).

        f_t = σ(x_t W_f + b_f + h_{t-1} U_f)                  forget gate: what is replaced
        h̃_t = tanh(x_t W_h + b_h + (f_t ⊙ h_{t-1}) U_h)       candidate state
        h_t = (1 - f_t) ⊙ h_{t-1} + f_t ⊙ h̃_t

    One gate is both of the GRU's. Its name is the paper's: the state is forgotten where it is 1.
    Blocks are in the order f, h: `kernel` W `[D, 2H]`, `recurrent_kernel` U `[H, 2H]`, `bias` b
    `[2H]`. Arguments, call arguments and errors are those of `RecurrentCell`.

    Example:
        >>> cell = MGUCell(4)
        >>> h, [state] = cell(np.ones([2, 3], "float32"), [np.zeros([2, 4], "float32")])
        >>> h.shape
        TensorShape([2, 4])
    """

    blocks = ("forget_gate", "candidate")
    keeping = (-1, 0)

    def advance(self, a: Any, seen: Any, states: list[Any]) -> tuple[list[Any], Parts]:
        (h,), H, U = states, self.units, as_tensor(self.recurrent_kernel, a)
        a_f, a_h = ops.split(a, 2, axis=-1)  # [B, H] each, and all below
        f = self.recurrent_activation(a_f + ops.matmul(seen, U[:, :H]))
        candidate = self.activation(a_h + ops.matmul(f * seen, U[:, H:]))
        h = (1 - f) * h + f * candidate
        return [h], {"forget_gate": f, "candidate": candidate}

    def kept(self, parts: Parts) -> Any:
        return 1 - parts["forget_gate"]
