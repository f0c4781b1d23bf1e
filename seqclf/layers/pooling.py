"""What the head reads of a sequence's states."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="seqclf")
class LastAndMean(keras.layers.Layer):
    """The last state and, beside it, the mean of all (of maps: Lin et al. 2014, arXiv:1312.4400).

    The mean gives each step's state a path of its own to the head, and to the gradient a way back
    to each step that is one step long.

    Args:
        bidirectional: the states are those of a `keras.layers.Bidirectional`, whose second half
            was read from the end: its last is that of step 0.
        **kwargs: `name`, `dtype`.

    Call arguments:
        states: `[B, T, H]`; what they are at masked steps is not looked at.
        mask: bool `[B, T]`, valid steps first; None: all are valid.

    Returns:
        `[B, 2 H]`: the last valid state, then the mean of the valid ones.

    Example:
        >>> states = np.array([[[1.0], [3.0], [3.0]]])
        >>> LastAndMean()(states, mask=np.array([[True, True, False]])).numpy().tolist()
        [[3.0, 2.0]]
    """

    def __init__(self, bidirectional: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.bidirectional = bidirectional
        self.supports_masking = True

    def call(self, states: Any, mask: Any = None) -> Any:
        last = states[:, -1]  # [B, H]
        if mask is not None:  # there Keras's Bidirectional gives 0, unlike the layers in it
            end = ops.maximum(ops.sum(ops.cast(mask, "int32"), axis=1) - 1, 0)  # [B]
            last = ops.take_along_axis(states, end[:, None, None], axis=1)[:, 0]
        if self.bidirectional:
            half = states.shape[-1] // 2
            last = ops.concatenate([last[:, :half], states[:, 0, half:]], axis=-1)
        summed, valid = _in_float32(states, mask)
        mean = ops.sum(summed, axis=1) / ops.maximum(ops.sum(valid, axis=1), 1)
        return ops.concatenate([last, ops.cast(mean, last.dtype)], axis=-1)

    def after_each_step(self, states: Any, mask: Any = None) -> Any:
        """Returns what `call` would, had the sequence ended at each step: `[B, T, 2 H]`.

        At masked steps `states` must be those of the step before, as a recurrent layer gives them.

        Raises:
            ValueError: the states were read in both directions.
        """
        if self.bidirectional:
            raise ValueError("States that were read in both directions have no last one at a step.")
        summed, valid = _in_float32(states, mask)
        means = ops.cumsum(summed, axis=1) / ops.maximum(ops.cumsum(valid, axis=1), 1)
        return ops.concatenate([states, ops.cast(means, states.dtype)], axis=-1)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> None:
        """There are no steps left to mask."""
        del inputs, previous_mask

    def compute_output_shape(self, states_shape: Any) -> tuple[int | None, ...]:
        return states_shape[0], 2 * states_shape[-1]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bidirectional": self.bidirectional}


def _in_float32(states: Any, mask: Any) -> tuple[Any, Any]:
    """Returns the states, 0 at masked steps, and 1 at valid steps, 0 at masked ones, `[B, T, 1]`.

    In half precision a count would end at 256 (bfloat16) or 2,048 steps.
    """
    states = ops.cast(states, "float32")
    if mask is None:
        return states, ops.ones_like(states[..., :1])
    valid = ops.cast(mask, "float32")[..., None]
    return states * valid, valid
