"""`Recurrent`: a cell over a whole sequence; `SimpleRNN`, `LSTM` and `MGU` are such layers."""

import operator
from typing import Any

import keras
from keras import ops
from keras.src import backend  # Keras exports its `rnn` under no public name

from seqclf.layers.base_cell import RecurrentCell
from seqclf.layers.cells import LSTMCell, MGUCell, SimpleRNNCell

LAYER_ARGUMENTS = (
    *("return_sequences", "return_state", "go_backwards", "stateful", "unroll"),
    *("activity_regularizer", "zero_output_for_mask", "name"),
)


class Recurrent(keras.layers.RNN):
    """A recurrent layer over sequences; a subclass says which cell steps.

    Code and weights (`get_weights`, `set_weights`) move to and from Keras's layer of the same name.
    What differs: inputs at masked steps are zeroed, so that a NaN in the padding reaches neither
    outputs nor gradients; and with `recurrent_dropout` all blocks share a mask where Keras draws
    one for each, so that the same seed drops other units.

    Args:
        units: H, the width of the state.
        *args, **arguments: those of the cell, readable on the layer as well; and
            return_sequences: return the state of every step instead of the last one.
            return_state: return the last states as further outputs.
            go_backwards: read from the last step to the first; outputs come in that order.
            stateful: start each batch from the last states of the one before.
            unroll: lay the steps out one by one in the graph, instead of a loop.
            activity_regularizer: of the output.
            zero_output_for_mask: whether the output of a masked step is 0 instead of the state
                before it.
            name, dtype, trainable: as of every layer.

    Call arguments:
        sequences: `[B, T, D]`.
        initial_state: `[B, H]` each; zeros by default.
        mask: bool `[B, T]`; the states pass a step unchanged where it is False.
        training: whether dropout is applied.

    Returns:
        `[B, H]`, or `[B, T, H]` with `return_sequences`; with `return_state` also the last states.

    Raises:
        ValueError: an argument is out of range, or inputs are not `[B, T, D]` with the D that the
            layer was built with.
    """

    cell_class: type[RecurrentCell]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name in cls.cell_class.arguments:
            setattr(cls, name, property(operator.attrgetter(f"cell.{name}")))

    def __init__(self, units: int, *args: Any, **arguments: Any):
        own = {name: arguments.pop(name) for name in LAYER_ARGUMENTS if name in arguments}
        own |= {name: arguments[name] for name in ("dtype", "trainable") if name in arguments}
        name = self.cell_class.__name__.removesuffix("Cell").lower()
        super().__init__(self.cell_class(units, *args, name=f"{name}_cell", **arguments), **own)
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
        if not isinstance(initial_state, (list, tuple)):
            initial_state = [initial_state]
        return self.read_sequences(sequences, list(initial_state), mask, training)

    def read_sequences(
        self, sequences: Any, initial_state: list[Any], mask: Any, training: bool
    ) -> tuple[Any, Any, Any]:
        """Returns what `inner_loop` does; `sequences` are 0 where bool `mask` `[B, T]` is False.

        The input's part of the linear map is one product for all steps, before the loop.
        """
        if training and self.cell.dropout:
            sequences = sequences * self.cell.get_dropout_mask(sequences[:, 0])[:, None]
        return backend.rnn(
            lambda a, states: self._step(a, states, training),
            self.cell.read(sequences),  # [B, T, G·H]
            initial_state,
            go_backwards=self.go_backwards,
            mask=mask,
            unroll=self.unroll,
            input_length=sequences.shape[1],
            zero_output_for_mask=self.zero_output_for_mask,
            return_all_outputs=self.return_sequences,
        )

    def _step(self, a: Any, states: Any, training: bool) -> tuple[Any, list[Any]]:
        after, _ = self.cell.step(a, list(states), training)
        return after[0], after

    def get_config(self) -> dict[str, Any]:
        config, cell = super().get_config(), self.cell.get_config()
        del config["cell"]
        config |= {name: cell[name] for name in self.cell.arguments if name in cell}
        config["activity_regularizer"] = keras.regularizers.serialize(self.activity_regularizer)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "Recurrent":
        del custom_objects  # RNN.from_config wants them for its cell, which is ours
        return cls(**config)


@keras.saving.register_keras_serializable(package="seqclf")
class SimpleRNN(Recurrent):
    """The plain recurrent network over a sequence, a drop-in for `keras.layers.SimpleRNN`.

    The equations are in `SimpleRNNCell`, arguments and shapes in `Recurrent`.

    Example:
        >>> SimpleRNN(4, return_sequences=True)(np.ones([2, 5, 3], "float32")).shape
        TensorShape([2, 5, 4])
    """

    cell_class = SimpleRNNCell


@keras.saving.register_keras_serializable(package="seqclf")
class LSTM(Recurrent):
    """Long short-term memory over a sequence, a drop-in for `keras.layers.LSTM`.

    The equations are in `LSTMCell`, arguments and shapes in `Recurrent`.

    Example:
        >>> h, h_last, c_last = LSTM(4, return_state=True)(np.ones([2, 5, 3], "float32"))
        >>> c_last.shape
        TensorShape([2, 4])
    """

    cell_class = LSTMCell


@keras.saving.register_keras_serializable(package="seqclf")
class MGU(Recurrent):
    """Minimal gated unit over a sequence.

    The equations are in `MGUCell`, arguments and shapes in `Recurrent`.

    Example:
        >>> MGU(4, return_sequences=True)(np.ones([2, 5, 3], "float32")).shape
        TensorShape([2, 5, 4])
    """

    cell_class = MGUCell
