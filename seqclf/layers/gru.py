"""`GRU`: the Keras layer that reads a whole sequence with a `GRUCell`."""

import operator
from typing import Any

import keras
from keras import ops

from seqclf.layers.cells import GRUCell


@keras.saving.register_keras_serializable(package="seqclf")
class GRU(keras.layers.RNN):
    """Gated recurrent unit over a sequence, a drop-in for `keras.layers.GRU`.

    Constructor arguments, call arguments, outputs and weights are those of `keras.layers.GRU`, so
    that code and weights (`get_weights`, `set_weights`) move both ways. The equations are in
    `GRUCell`. What differs: inputs at masked steps are zeroed, so that a NaN in the padding reaches
    neither outputs nor gradients; no cuDNN kernel is used; and with `recurrent_dropout` all gates
    share a mask where Keras draws one for each, so that the same seed drops other units.

    Args:
        units: H, the width of the state.
        activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer,
            bias_initializer, kernel_regularizer, recurrent_regularizer, bias_regularizer,
            kernel_constraint, recurrent_constraint, bias_constraint, dropout, recurrent_dropout,
            seed, reset_after: see `GRUCell`.
        activity_regularizer: of the output.
        return_sequences: return the state of every step instead of the last one.
        return_state: return the last state as a second output.
        go_backwards: read from the last step to the first; outputs come in that order.
        stateful: start each batch from the last state of the one before.
        unroll: lay the steps out one by one in the graph, instead of a loop.
        use_cudnn: tolerated as "auto" or False.
        **kwargs: `zero_output_for_mask` (whether the output of a masked step is 0 instead of the
            state before it), `name`, `dtype`, `trainable`; `implementation` is tolerated.

    Call arguments:
        sequences: `[B, T, D]`.
        initial_state: `[B, H]`, alone or in a list; zeros by default.
        mask: bool `[B, T]`; the state passes a step unchanged where it is False.
        training: whether dropout is applied.

    Returns:
        `[B, H]`, or `[B, T, H]` with `return_sequences`; with `return_state` also `[B, H]`.

    Raises:
        ValueError: an argument is out of range, `use_cudnn=True`, or inputs that are not
            `[B, T, D]` with the D that the layer was built with.

    Example:
        >>> layer = GRU(4, return_sequences=True)
        >>> layer(np.ones([2, 5, 3], "float32")).shape
        TensorShape([2, 5, 4])
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
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: bool | str = "auto",
        **kwargs: Any,
    ):
        if use_cudnn not in ("auto", False):
            raise ValueError(
                "Argument `use_cudnn` must be 'auto' or False: this layer has no cuDNN kernel "
                f"(keras.layers.GRU has). Received: use_cudnn={use_cudnn!r}"
            )
        kwargs.pop("implementation", None)  # Keras's choice between two ways to the same result
        cell = GRUCell(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            reset_after=reset_after,
            seed=seed,
            dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
            name="gru_cell",
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.supports_masking = True  # Keras 3.16 leaves it unset: stacked layers would lose masks
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        super().build(sequences_shape, initial_state_shape)
        self.input_spec = keras.layers.InputSpec(ndim=3, axes={-1: sequences_shape[-1]})

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[Any, Any, Any]:
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        if mask is not None:  # the loop keeps the old state there, but 0 · NaN is NaN backwards
            mask = ops.cast(mask, "bool")  # [B, T]
            zeros = ops.zeros_like(sequences)
            sequences = ops.where(mask[..., None], sequences, zeros)  # [B, T, D]
        return super().inner_loop(sequences, initial_state, mask, training)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["cell"]
        cell = self.cell.get_config()
        config |= {name: cell[name] for name in CELL_ARGUMENTS}
        config["activity_regularizer"] = keras.regularizers.serialize(self.activity_regularizer)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "GRU":
        del custom_objects  # RNN.from_config wants them for its cell, which is ours
        return cls(**config)


CELL_ARGUMENTS = (
    "units",
    "activation",
    "recurrent_activation",
    "use_bias",
    "kernel_initializer",
    "recurrent_initializer",
    "bias_initializer",
    "kernel_regularizer",
    "recurrent_regularizer",
    "bias_regularizer",
    "kernel_constraint",
    "recurrent_constraint",
    "bias_constraint",
    "dropout",
    "recurrent_dropout",
    "reset_after",
    "seed",
)

for _name in CELL_ARGUMENTS:  # readable on the layer, as on keras.layers.GRU
    setattr(GRU, _name, property(operator.attrgetter(f"cell.{_name}")))
