"""`GRUCell`: one step of a gated recurrent unit, written from its equations."""

import numbers
from typing import Any

import keras
from keras import ops

# Keras's RNN draws dropout masks once per sequence for cells of this class, and only for them.
# Keras exports it under no public name.
from keras.src.layers.rnn.dropout_rnn_cell import DropoutRNNCell


@keras.saving.register_keras_serializable(package="seqclf")
class GRUCell(keras.layers.Layer, DropoutRNNCell):
    """One step of a gated recurrent unit (Cho et al. 2014, arXiv:1406.1078, eqs. 5 to 8).

        z_t = σ(x_t W_z + b_z + h_{t-1} U_z + c_z)            update gate: what is kept
        r_t = σ(x_t W_r + b_r + h_{t-1} U_r + c_r)            reset gate: what the candidate sees
        q_t = h_{t-1} U_h + c_h
        h̃_t = tanh(x_t W_h + b_h + r_t ⊙ q_t)                 candidate state, reset_after=True
        h̃_t = tanh(x_t W_h + b_h + (r_t ⊙ h_{t-1}) U_h)       candidate state, reset_after=False
        h_t = z_t ⊙ h_{t-1} + (1 - z_t) ⊙ h̃_t

    `reset_after=False` is the paper's; `reset_after=True` is cuDNN's and PyTorch's, needs one
    product per step less and is the default. Half of the literature swaps z and 1 - z: see
    `convert_update_gate`.

    Weights lie as in `keras.layers.GRUCell`, gates in the order z, r, h: `kernel` W `[D, 3H]`,
    `recurrent_kernel` U `[H, 3H]`, `bias` `[2, 3H]` (b and c), or `[3H]` (b alone) with
    `reset_after=False`.

    Args:
        units: H, the width of the state.
        activation: of the candidate state.
        recurrent_activation: of the gates.
        use_bias: whether there are b and c.
        kernel_initializer, recurrent_initializer, bias_initializer: of W, U, and b and c.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: of the same.
        kernel_constraint, recurrent_constraint, bias_constraint: of the same.
        dropout: share of the inputs that is dropped in training, `0 <= dropout < 1`.
        recurrent_dropout: the same of the state. Both masks are drawn once per sequence (Gal &
            Ghahramani 2016, arXiv:1512.05287), one for all three gates.
        reset_after: which of the two candidate states.
        seed: of the dropout masks.

    Call arguments:
        inputs: x_t, `[B, D]`.
        states: h_{t-1}, `[B, H]`, alone or in a list.
        training: whether dropout is applied.

    Returns:
        h_t `[B, H]`, twice: as the output, and as the new state in the structure of `states`.

    Raises:
        ValueError: an argument is out of range.

    Example:
        >>> cell = GRUCell(4)
        >>> h, [state] = cell(np.ones([2, 3], "float32"), [np.zeros([2, 4], "float32")])
        >>> h.shape
        TensorShape([2, 4])
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: Any = None,
        **kwargs: Any,
    ):
        _check(units, dropout, recurrent_dropout)
        kwargs.pop("implementation", None)  # Keras's choice between two ways to the same result
        super().__init__(**kwargs)
        self.units = int(units)  # JSON, and so get_config, knows no np.int64
        self.activation = keras.activations.get(activation)
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = keras.regularizers.get(recurrent_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.recurrent_constraint = keras.constraints.get(recurrent_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.dropout = float(dropout)
        self.recurrent_dropout = float(recurrent_dropout)
        self.reset_after = reset_after
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.state_size = self.units
        self.output_size = self.units

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        gates = 3 * self.units
        self.kernel = self.add_weight(
            shape=(input_shape[-1], gates),
            name="kernel",
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, gates),
            name="recurrent_kernel",
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(2, gates) if self.reset_after else (gates,),
                name="bias",
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, Any]:
        nested = isinstance(states, (list, tuple))
        x, h = inputs, states[0] if nested else states  # [B, D], [B, H]
        h_seen = h  # what the gates and the candidate see of the state; the mix sees all of it
        if training and self.dropout:
            x = x * self.get_dropout_mask(x)  # [B, D]
        if training and self.recurrent_dropout:
            h_seen = h * self.get_recurrent_dropout_mask(h)  # [B, H]

        H = self.units
        U = ops.convert_to_tensor(self.recurrent_kernel)  # [H, 3H]
        b, c = self._biases()  # [3H] each, or 0
        x_z, x_r, x_h = ops.split(ops.matmul(x, self.kernel) + b, 3, axis=-1)  # [B, H] each
        if self.reset_after:
            h_z, h_r, q = ops.split(ops.matmul(h_seen, U) + c, 3, axis=-1)  # [B, H] each
        else:
            h_z, h_r = ops.split(ops.matmul(h_seen, U[:, : 2 * H]), 2, axis=-1)  # [B, H] each

        z = self.recurrent_activation(x_z + h_z)  # [B, H]
        r = self.recurrent_activation(x_r + h_r)  # [B, H]
        if self.reset_after:
            candidate = self.activation(x_h + r * q)  # [B, H]
        else:
            candidate = self.activation(x_h + ops.matmul(r * h_seen, U[:, 2 * H :]))  # [B, H]
        h = z * h + (1 - z) * candidate  # [B, H]
        return h, [h] if nested else h

    def _biases(self) -> tuple[Any, Any]:
        """Returns b and c, `[3H]` each, 0 where there is none."""
        if self.bias is None:
            return 0, 0
        bias = ops.convert_to_tensor(self.bias)
        return (bias[0], bias[1]) if self.reset_after else (bias, 0)

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        return [ops.zeros((batch_size, self.units), dtype=self.compute_dtype)]

    def get_config(self) -> dict[str, Any]:
        config = {
            "units": self.units,
            "use_bias": self.use_bias,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "reset_after": self.reset_after,
            "seed": self.seed,
        }
        for kind, module in (
            ("activation", keras.activations),
            ("initializer", keras.initializers),
            ("regularizer", keras.regularizers),
            ("constraint", keras.constraints),
        ):
            names = ["activation", "recurrent_activation"]
            if kind != "activation":
                names = [f"{weight}_{kind}" for weight in ("kernel", "recurrent", "bias")]
            config |= {name: module.serialize(getattr(self, name)) for name in names}
        return {**super().get_config(), **config}


def _check(units: Any, dropout: Any, recurrent_dropout: Any) -> None:
    # numbers.Integral and Real: sizes and rates often come out of NumPy
    if not isinstance(units, numbers.Integral) or isinstance(units, bool) or units <= 0:
        raise ValueError(f"Argument `units` must be a positive integer. Received: units={units!r}")
    for name, rate in (("dropout", dropout), ("recurrent_dropout", recurrent_dropout)):
        if not isinstance(rate, numbers.Real) or not 0 <= float(rate) < 1:
            raise ValueError(
                f"Argument `{name}` must be a number from 0 to below 1. Received: {name}={rate!r}"
            )
