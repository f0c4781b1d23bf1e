"""Pooling: the part of a sequence's states that the head of a classifier reads."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="seqclf")
class LastAndMean(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """The last state, and beside it the mean of all states.

    The mean (global average pooling: Lin et al. 2014, arXiv:1312.4400) connects the state of each
    time step with the head directly, and so the gradient need not go through other time steps.

    Args:
        bidirectional: whether the states come from a `keras.layers.Bidirectional`. Their second
            half was computed from the end of the sequence, and so its last state is at time step 0.
        **kwargs: `name`, `dtype`, as for every Keras layer.

    Call arguments:
        states: `[B, T, H]`; states at masked time steps have no effect.
        mask: bool `[B, T]`, True at the valid time steps, which come first. None: all are valid.

    Returns:
        `[B, 2 H]`: the last valid state, then the mean of the valid states.

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
        if mask is not None:  # after the last valid time step Keras's Bidirectional gives 0
            end = ops.maximum(ops.sum(ops.cast(mask, "int32"), axis=1) - 1, 0)  # [B]
            last = ops.take_along_axis(states, end[:, None, None], axis=1)[:, 0]
        if self.bidirectional:
            half = states.shape[-1] // 2
            last = ops.concatenate([last[:, :half], states[:, 0, half:]], axis=-1)
        mean = mean_over_time(*zero_where_masked(states, mask))
        return ops.concatenate([last, ops.cast(mean, last.dtype)], axis=-1)

    def after_each_step(self, states: Any, mask: Any = None) -> Any:
        """Returns, for each time step, what `call` returns for a sequence that ends there.

        Args:
            states: `[B, T, H]`; at masked time steps those of the time step before, as recurrent
                layers give them.
            mask: bool `[B, T]` or None, as in `call`.

        Returns:
            `[B, T, 2 H]`.

        Raises:
            ValueError: the layer is bidirectional.
        """
        if self.bidirectional:
            raise ValueError("States that were read in both directions have no last one at a step.")
        means = means_so_far(*zero_where_masked(states, mask))
        return ops.concatenate([states, ops.cast(means, states.dtype)], axis=-1)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> None:
        """Returns None: the output has no time steps that could be masked."""
        del inputs, previous_mask

    def compute_output_shape(self, states_shape: Any) -> tuple[int | None, ...]:
        return states_shape[0], 2 * states_shape[-1]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bidirectional": self.bidirectional}


def zero_where_masked(states: Any, mask: Any) -> tuple[Any, Any]:
    """Returns the states with 0 at masked time steps, and the mask as numbers, `[B, T, 1]`.

    Both are float32: in half precision a count would stop at 256 (bfloat16) or 2,048 time steps.
    """
    states = ops.cast(states, "float32")
    if mask is None:
        return states, ops.ones_like(states[..., :1])
    valid = ops.cast(mask, "float32")[..., None]
    return states * valid, valid


def mean_over_time(values: Any, valid: Any) -> Any:
    """Returns the mean over the valid time steps, `[B, H]`, of what `zero_where_masked` returns."""
    return ops.sum(values, axis=1) / ops.maximum(ops.sum(valid, axis=1), 1)


def means_so_far(values: Any, valid: Any) -> Any:
    """Returns, for each time step, the mean over the valid ones until then, `[B, T, H]`."""
    return ops.cumsum(values, axis=1) / ops.maximum(ops.cumsum(valid, axis=1), 1)
