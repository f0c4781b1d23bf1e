"""The scheme that all recurrent cells share: a linear map, gates, a candidate, and their mix."""

import numbers
from typing import Any

import keras
from keras import ops

# Keras's RNN draws dropout masks once per sequence for cells of this class, and only for them.
# Keras exports it under no public name.
from keras.src.layers.rnn.dropout_rnn_cell import DropoutRNNCell


class RecurrentCell(keras.layers.Layer, DropoutRNNCell):
    """One step of a recurrent unit; what a cell is made of is said by its class.

    Every step of every cell is:

        1. a linear map of the input, `a = x W + b`, and one of the state, `h U`, cut into `blocks`;
        2. gates, between 0 and 1: σ of the sum of their blocks;
        3. a candidate state: tanh of the sum of its blocks;
        4. the mix of candidate and past, weighed by gates, which is the new state.

    `read` is the input's part of 1, which needs no state and so can be done for all steps at once;
    a subclass writes the rest in `advance`. Weights lie as in Keras's cell of the same name, one
    block of H columns after another: `kernel` W `[D, G·H]`, `recurrent_kernel` U `[H, G·H]`,
    `bias` b `[G·H]`, for the G names of `blocks`.

    Args:
        units: H, the width of the state.
        activation: of the candidate state.
        recurrent_activation: of the gates.
        use_bias: whether there is b.
        kernel_initializer, recurrent_initializer, bias_initializer: of W, U and b.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: of the same.
        kernel_constraint, recurrent_constraint, bias_constraint: of the same.
        dropout: share of the inputs that is dropped in training, `0 <= dropout < 1`.
        recurrent_dropout: the same of the state that gates and candidate see. Both masks are drawn
            once per sequence (Gal & Ghahramani 2016, arXiv:1512.05287), one for all blocks.
        seed: of the dropout masks.
        **kwargs: `name`, `dtype`, `trainable`; `implementation` is tolerated.

    Call arguments:
        inputs: x_t, `[B, D]`.
        states: `[B, H]` each, in a list, or a single one alone.
        training: whether dropout is applied.

    Returns:
        h_t `[B, H]`, and the new states in the structure of `states`.

    Raises:
        ValueError: an argument is out of range.
    """

    arguments: tuple[str, ...] = (
        *("units", "activation", "recurrent_activation", "use_bias"),
        *("kernel_initializer", "recurrent_initializer", "bias_initializer"),
        *("kernel_regularizer", "recurrent_regularizer", "bias_regularizer"),
        *("kernel_constraint", "recurrent_constraint", "bias_constraint"),
        *("dropout", "recurrent_dropout", "seed"),
    )
    blocks: tuple[str, ...] = ()
    state_names: tuple[str, ...] = ("state",)
    keeping: tuple[int, ...] = ()  # the sign of each block's bias that keeps a state: `ChronoBias`

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        *,
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
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        single = len(self.state_names) == 1
        self.state_size = self.units if single else [self.units] * len(self.state_names)
        self.output_size = self.units

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        width = len(self.blocks) * self.units
        self.kernel = self.add_weight(
            shape=(input_shape[-1], width),
            name="kernel",
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, width),
            name="recurrent_kernel",
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=self.bias_shape(),
                name="bias",
                initializer=self.initial_bias,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def bias_shape(self) -> tuple[int, ...]:
        """Returns the shape of the bias, `[G·H]` but in a cell that has more of it."""
        return (len(self.blocks) * self.units,)

    def initial_bias(self, shape: Any, dtype: Any = None) -> Any:
        """Draws the bias."""
        return self.bias_initializer(shape, dtype=dtype)

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, Any]:
        nested = isinstance(states, (list, tuple))
        if training and self.dropout:
            inputs = inputs * self.get_dropout_mask(inputs)  # [B, D]
        before = list(states) if nested else [states]
        after, _ = self.step(self.read(inputs), before, training)
        return after[0], after if nested else after[0]

    def read(self, inputs: Any) -> Any:
        """Returns a = x W + b, `[…, G·H]`, of inputs x `[…, D]`."""
        a = ops.matmul(inputs, as_tensor(self.kernel, inputs))
        return a if self.bias is None else a + as_tensor(self.bias, inputs)

    def step(
        self, a: Any, states: list[Any], training: bool = False
    ) -> tuple[list[Any], dict[str, Any]]:
        """Goes one step on.

        Args:
            a: of `read`, `[B, G·H]`.
            states: those before the step, `[B, H]` each.
            training: whether recurrent dropout is applied.

        Returns:
            The new states; and what they were made of, gates and candidate by name, `[B, H]` each.
        """
        seen = states[0]  # what gates and candidate see of the state; the mix sees all of it
        if training and self.recurrent_dropout:
            seen = seen * self.get_recurrent_dropout_mask(seen)
        return self.advance(a, seen, states)

    def advance(self, a: Any, seen: Any, states: list[Any]) -> tuple[list[Any], dict[str, Any]]:
        """Does what `step` does, `seen` being what gates and candidate see of the state."""
        raise NotImplementedError

    def kept(self, parts: dict[str, Any]) -> Any:
        """Returns how much of its past each unit kept as it was, 0 to 1, from what `step` returns.

        None for a cell without a gate that says so.
        """
        del parts

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        shape = (batch_size, self.units)
        return [ops.zeros(shape, dtype=self.compute_dtype) for _ in self.state_names]

    def get_config(self) -> dict[str, Any]:
        config = {
            "units": self.units,
            "use_bias": self.use_bias,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
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


def as_tensor(weight: Any, like: Any) -> Any:
    """Returns a weight as a tensor of the dtype of `like`."""
    return ops.cast(ops.convert_to_tensor(weight), like.dtype)


def _check(units: Any, dropout: Any, recurrent_dropout: Any) -> None:
    # numbers.Integral and Real: sizes and rates often come out of NumPy
    if not isinstance(units, numbers.Integral) or isinstance(units, bool) or units <= 0:
        raise ValueError(f"Argument `units` must be a positive integer. Received: units={units!r}")
    for name, rate in (("dropout", dropout), ("recurrent_dropout", recurrent_dropout)):
        if not isinstance(rate, numbers.Real) or not 0 <= float(rate) < 1:
            raise ValueError(
                f"Argument `{name}` must be a number from 0 to below 1. Received: {name}={rate!r}"
            )
