"""`OneHot`: a token as a vector with one 1."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="seqclf")
class OneHot(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Turns indices into vectors that are 1 at the index and 0 elsewhere.

    Args:
        depth: V, the number of different indices.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        indices: int32 `[B, T]`.

    Returns:
        `[B, T, V]`, of the layer's dtype.

    Example:
        >>> OneHot(3)(np.array([[2, 0]])).numpy()
        array([[[0., 0., 1.],
                [1., 0., 0.]]], dtype=float32)
    """

    def __init__(self, depth: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.depth = depth

    def call(self, indices: Any) -> Any:
        return ops.one_hot(indices, self.depth, dtype=self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape, self.depth)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "depth": self.depth}
