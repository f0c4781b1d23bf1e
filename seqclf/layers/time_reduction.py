"""Fewer steps for the layers above."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="seqclf")
class TimeReduction(keras.layers.Layer):
    """Keeps one state of each block of `factor` steps, the block's last.

    A layer above then reads T / `factor` steps, rounded up: the gradient of its last step reaches
    the first one in so many fewer steps, and it costs so much less (El Hihi & Bengio 1996,
    "Hierarchical recurrent neural networks for long-term dependencies"; Chan et al. 2016,
    arXiv:1508.01211, join the states of a block where we keep the last).

    Args:
        factor: steps of a block, from 1 up.
        **kwargs: `name`, `dtype`.

    Call arguments:
        sequences: `[B, T, H]`.
        mask: bool `[B, T]`, valid steps first. A recurrent layer repeats its last valid state at
            the masked steps, so a block that ends among them has the right state.

    Returns:
        `[B, ceil(T / factor), H]`. `compute_mask` has the blocks' mask: those that begin at a valid
        step are valid.

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
        del mask  # see `compute_mask`
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
