"""`Recurrent`: what all recurrent layers share, from the arguments of the cell to the loop."""

import operator
from typing import Any

import keras
from keras import ops
from keras.src import backend  # Keras exports its `rnn` under no public name

from seqclf.layers.arguments import argument_names
from seqclf.layers.base_cell import RecurrentCell

LAYER_ARGUMENTS = (
    *("return_sequences", "return_state", "go_backwards", "stateful", "unroll"),
    *("activity_regularizer", "zero_output_for_mask", "name"),
)


class Recurrent(keras.layers.RNN):  # type: ignore[misc]  # Keras has no types
    """A recurrent layer over sequences; a subclass names the cell.

    Weights (`get_weights`, `set_weights`) and code move to and from Keras's layer of the same name.
    Two things differ from Keras. Inputs at masked time steps are set to 0, so that a NaN in the
    padding reaches neither outputs nor gradients. And with `recurrent_dropout` all blocks share one
    mask where Keras draws one for each, so that the same seed drops other units.

    Args:
        units: H, the width of the state.
        **arguments: arguments of the cell, which are attributes of the layer as well, and these:

            - `return_sequences`: whether to return the state of every time step, not only the last.
            - `return_state`: whether to return the last states as further outputs.
            - `go_backwards`: whether to run from the last time step to the first.
            - `stateful`: whether each batch starts from the last states of the batch before.
            - `unroll`: whether to lay the time steps out one after another instead of looping.
            - `activity_regularizer`: penalty of the output.
            - `zero_output_for_mask`: whether the output of a masked time step is 0 instead of the
              state of the time step before.
            - `name`, `dtype`, `trainable`: as for every Keras layer.

    Attributes:
        cell_class: class of the cell, set by a subclass.

    Call arguments:
        sequences: `[B, T, D]`.
        initial_state: states before the first time step, `[B, H]` each. Default: zeros.
        mask: bool `[B, T]`; the states pass a time step unchanged where it is False. Default: None.
        training: whether dropout is applied. Default: False.

    Returns:
        `[B, H]`, or `[B, T, H]` with `return_sequences`; with `return_state` also the last states.

    Raises:
        ValueError: an argument is out of range, or inputs are not `[B, T, D]` with the D that the
            layer was built with.
    """

    cell_class: type[RecurrentCell]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name in argument_names(cls.cell_class):
            setattr(cls, name, property(operator.attrgetter(f"cell.{name}")))

    def __init__(self, units: int, **arguments: Any):
        own = {name: arguments.pop(name) for name in LAYER_ARGUMENTS if name in arguments}
        own |= {name: arguments[name] for name in ("dtype", "trainable") if name in arguments}
        name = self.cell_class.__name__.removesuffix("Cell").lower()
        super().__init__(self.cell_class(units, name=f"{name}_cell", **arguments), **own)
        self.supports_masking = True  # Keras 3.16 leaves it unset: stacked layers would lose masks
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        super().build(sequences_shape, initial_state_shape)
        self.input_spec = keras.layers.InputSpec(ndim=3, axes={-1: sequences_shape[-1]})

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[Any, Any, Any]:
        sequences = ops.cast(sequences, self.compute_dtype)  # Keras casts floats, but no integers
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        if mask is not None:  # the loop keeps the state there, but its gradient would be 0 · NaN
            mask = ops.cast(mask, "bool")  # [B, T]
            zeros = ops.zeros_like(sequences)
            sequences = ops.where(mask[..., None], sequences, zeros)  # [B, T, D]
        if not isinstance(initial_state, (list, tuple)):
            initial_state = [initial_state]
        return self.run_loop(sequences, list(initial_state), mask, training)

    def run_loop(
        self, sequences: Any, initial_state: list[Any], mask: Any, training: bool
    ) -> tuple[Any, Any, Any]:
        """Runs the cell over sequences, in the way of Keras's `RNN.inner_loop`.

        The input terms are one product for all time steps, before the loop.

        Args:
            sequences: `[B, T, D]`, 0 at masked time steps.
            initial_state: states before the first time step, `[B, H]` each.
            mask: bool `[B, T]` or None.
            training: whether dropout is applied.

        Returns:
            The last output `[B, H]`; the outputs of all time steps, `[B, T, H]`, or of the last
            one, `[B, 1, H]`; and the last states, `[B, H]` each.
        """
        if training and self.cell.dropout:
            sequences = sequences * self.cell.get_dropout_mask(sequences[:, 0])[:, None]
        terms = self.cell.input_terms(sequences)  # [B, T, G·H]
        if self.go_backwards:  # Keras's unrolled loop would zero outputs by the mask as it was
            terms = ops.flip(terms, axis=1)
            mask = None if mask is None else ops.flip(mask, axis=1)
        result: tuple[Any, Any, Any] = backend.rnn(
            lambda a, states: self._step(a, states, training),
            terms,
            initial_state,
            mask=mask,
            unroll=self.unroll,
            input_length=sequences.shape[1],
            zero_output_for_mask=self.zero_output_for_mask,
            return_all_outputs=self.return_sequences,
        )
        return result

    def _step(self, a: Any, states: Any, training: bool) -> tuple[Any, list[Any]]:
        after, _ = self.cell.step(a, list(states), training)
        return after[0], after

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = super().get_config()
        cell = self.cell.get_config()
        del config["cell"]
        config |= {name: cell[name] for name in argument_names(self.cell_class) if name in cell}
        config["activity_regularizer"] = keras.regularizers.serialize(self.activity_regularizer)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "Recurrent":
        del custom_objects  # RNN.from_config wants them for its cell, which is ours
        return cls(**config)
