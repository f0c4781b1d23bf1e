"""`RecurrentCell`: what all recurrent cells share, from the weights to the order of a time step."""

import numbers
from typing import Any, TypeAlias

import keras
from keras import ops

# Keras's RNN draws dropout masks once per sequence for cells of this class, and only for them.
# Keras exports it under no public name.
from keras.src.layers.rnn.dropout_rnn_cell import DropoutRNNCell

from seqclf.layers.arguments import Activation, Constraint, Initializer, Regularizer

# Gates and candidate of a time step by name, `[B, H]` each.
Parts: TypeAlias = dict[str, Any]


class RecurrentCell(keras.layers.Layer, DropoutRNNCell):  # type: ignore[misc]  # Keras has no types
    """One time step of a recurrent layer; a subclass has the equations.

    Every time step of every cell is:

        1. a linear map of the input, `a = x W + b`, and one of the state, `h U`, split into blocks
           of H columns;
        2. gates, between 0 and 1: σ of the sum of their blocks;
        3. a candidate state: tanh of the sum of its blocks;
        4. the new state: the mix of candidate and past, weighed by gates.

    `input_terms` is the input's part of 1. It needs no state, and so it can be computed for all
    time steps at once. A subclass writes the rest in `next_states`. Weights lie as in Keras's cell
    of the same name, one block after another: `kernel` W `[D, G·H]`, `recurrent_kernel` U
    `[H, G·H]`, `bias` b `[G·H]`, for the G names in `blocks`.

    Args:
        units: H, the width of the state.
        activation: function of the candidate state.
        recurrent_activation: function of the gates.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: initialisers of W, U and b.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties of W, U and b.
        kernel_constraint, recurrent_constraint, bias_constraint: projections of W, U and b.
        dropout: fraction of the inputs that is set to 0 in training, `0 <= dropout < 1`.
        recurrent_dropout: fraction of the state that gates and candidate see as 0 in training. Both
            masks are drawn once per sequence (Gal & Ghahramani 2016, arXiv:1512.05287), one for all
            blocks.
        seed: seed of the dropout masks.
        **kwargs: `name`, `dtype`, `trainable`; `implementation` is accepted and has no effect.

    Attributes:
        blocks: names of the blocks of columns, in their order.
        state_names: names of the states, in their order.
        keeping: for each block the sign of a bias with which the cell keeps its state, 0 where the
            block has no part in it: see `ChronoBias`.

    Call arguments:
        inputs: x_t, `[B, D]`.
        states: the states before, `[B, H]` each, in a list; a single one may stand by itself.
        training: whether dropout is applied.

    Returns:
        h_t `[B, H]`, and the new states in the structure of `states`.

    Raises:
        ValueError: an argument is out of range.
    """

    blocks: tuple[str, ...] = ()
    state_names: tuple[str, ...] = ("state",)
    keeping: tuple[int, ...] = ()

    def __init__(
        self,
        units: int,
        *,
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
        """Returns the shape of the bias: `[G·H]`, unless a subclass has more biases."""
        return (len(self.blocks) * self.units,)

    def initial_bias(self, shape: Any, dtype: Any = None) -> Any:
        """Draws the bias."""
        return self.bias_initializer(shape, dtype=dtype)

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, Any]:
        nested = isinstance(states, (list, tuple))
        inputs = ops.cast(inputs, self.compute_dtype)  # Keras casts floats, but no integers
        if training and self.dropout:
            inputs = inputs * self.get_dropout_mask(inputs)  # [B, D]
        before = list(states) if nested else [states]
        after, _ = self.step(self.input_terms(inputs), before, training)
        return after[0], after if nested else after[0]

    def input_terms(self, inputs: Any) -> Any:
        """Returns a = x W + b, `[…, G·H]`, for inputs x `[…, D]`."""
        a = ops.matmul(inputs, as_tensor(self.kernel, inputs))
        return a if self.bias is None else a + as_tensor(self.bias, inputs)

    def step(self, a: Any, states: list[Any], training: bool = False) -> tuple[list[Any], Parts]:
        """Computes one time step.

        Args:
            a: input terms of the time step, `[B, G·H]`.
            states: the states before, `[B, H]` each.
            training: whether recurrent dropout is applied.

        Returns:
            The states after, `[B, H]` each; and the gates and the candidate by name.
        """
        visible = states[0]
        if training and self.recurrent_dropout:
            visible = visible * self.get_recurrent_dropout_mask(visible)
        return self.next_states(a, visible, states)

    def next_states(self, a: Any, visible: Any, states: list[Any]) -> tuple[list[Any], Parts]:
        """Computes one time step by the equations of the cell.

        Args:
            a: input terms of the time step, `[B, G·H]`.
            visible: the state that gates and candidate see, `[B, H]`: h_{t-1} after recurrent
                dropout. The mix of past and candidate uses `states`, to which no dropout applies.
            states: the states before, `[B, H]` each.

        Returns:
            The states after, `[B, H]` each; and the gates and the candidate by name.
        """
        raise NotImplementedError

    def kept(self, parts: Parts) -> Any:
        """Returns the fraction of its past that each unit kept unchanged, 0 to 1, `[…, H]`.

        Args:
            parts: gates and candidate by name, as `step` returns them.

        Returns:
            None for a cell in which no gate says so.
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
    # numbers.Integral and Real: sizes and fractions often are NumPy's numbers
    if not isinstance(units, numbers.Integral) or isinstance(units, bool) or units <= 0:
        raise ValueError(f"Argument `units` must be a positive integer. Received: units={units!r}")
    for name, rate in (("dropout", dropout), ("recurrent_dropout", recurrent_dropout)):
        if not isinstance(rate, numbers.Real) or not 0 <= float(rate) < 1:
            raise ValueError(
                f"Argument `{name}` must be a number from 0 to below 1. Received: {name}={rate!r}"
            )
