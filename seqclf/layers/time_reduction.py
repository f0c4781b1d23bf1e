"""Time reduction: fewer time steps for the layers above."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="seqclf")
class TimeReduction(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Keeps one state of each block of `factor` time steps: the last one of the block.

    A layer above then has T / `factor` time steps, rounded up. Its gradient has that much less way
    to the first time step, and its computation costs that much less (El Hihi & Bengio 1996,
    "Hierarchical recurrent neural networks for long-term dependencies"). Chan et al. (2016,
    arXiv:1508.01211) concatenate the states of a block instead of keeping the last.

    Args:
        factor: number of time steps of a block, at least 1.
        **kwargs: `name`, `dtype`, as for every Keras layer.

    Call arguments:
        sequences: `[B, T, H]`.
        mask: bool `[B, T]`, True at the valid time steps, which come first. A recurrent layer
            repeats its last valid state at masked time steps, and so a block that ends at a masked
            one has the right state.

    Returns:
        `[B, ceil(T / factor), H]`. `compute_mask` gives the mask of the blocks: a block is valid if
        its first time step is.

    Raises:
        ValueError: `factor` is below 1.

    Example:
        >>> TimeReduction(3)(np.arange(7.0).reshape(1, 7, 1)).numpy().ravel().tolist()
        [2.0, 5.0, 6.0]
    """

    def __init__(self, factor: int, **kwargs: Any):
        if factor < 1:
            raise ValueError(f"`factor` must be at least 1. Received: factor={factor}")
        super().__init__(**kwargs)
        self.factor = factor
        self.supports_masking = True

    def call(self, sequences: Any, mask: Any = None) -> Any:
        del mask  # it changes no state: see the class
        T = ops.shape(sequences)[1]
        ends = ops.minimum(ops.arange(self.factor, T + self.factor, self.factor), T) - 1
        return ops.take(sequences, ends, axis=1)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Returns the mask of the blocks, bool `[B, ceil(T / factor)]`, or None without a mask."""
        del inputs
        return None if previous_mask is None else previous_mask[:, :: self.factor]

    def compute_output_shape(self, sequences_shape: Any) -> tuple[int | None, ...]:
        batch, T, width = sequences_shape
        return batch, None if T is None else -(-T // self.factor), width

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}
