"""Layer normalisation over the time steps that were read so far."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="seqclf")
class CumulativeLayerNorm(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Normalises each time step by mean and variance of all numbers until then.

        m_t = mean of x_{s,f},  v_t = variance of x_{s,f}      over all s ≤ t and all features f
        y_t = γ ⊙ (x_t - m_t) / √(v_t + ε) + β

    This is cumulative layer normalisation (Luo & Mesgarani 2019, arXiv:1809.07454). Unlike batch
    normalisation it has no statistics of the training to carry along, and an example's output does
    not depend on other examples. Unlike layer normalisation of each time step by itself it keeps
    how large a time step is beside those before it.

    Args:
        epsilon: ε, added to the variance.
        **kwargs: `name`, `dtype`, as for every Keras layer.

    Call arguments:
        sequences: `[B, T, D]`. Time steps behind the end of a sequence change none before them, so
            no mask is needed.

    Returns:
        `[B, T, D]`.

    Example:
        >>> x = np.array([[[1.0, 3.0], [9.0, 9.0]]])  # after step 1 the mean is 2, the deviation 1
        >>> CumulativeLayerNorm(epsilon=0.0)(x).numpy()[0, 0].tolist()
        [-1.0, 1.0]
    """

    def __init__(self, epsilon: float = 1e-3, **kwargs: Any):
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.supports_masking = True

    def build(self, sequences_shape: Any) -> None:
        width = sequences_shape[-1]
        self.gamma = self.add_weight(shape=(width,), initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=(width,), initializer="zeros", name="beta")

    def call(self, sequences: Any) -> Any:
        x = ops.cast(sequences, "float32")  # in half precision the sums would stop growing
        steps = ops.cumsum(ops.ones_like(x[:, :, :1]), axis=1)  # [B, T, 1]: 1, 2, … T
        mean = ops.cumsum(ops.mean(x, axis=-1, keepdims=True), axis=1) / steps
        square = ops.cumsum(ops.mean(ops.square(x), axis=-1, keepdims=True), axis=1) / steps
        variance = ops.maximum(square - ops.square(mean), 0.0)  # rounding may leave less than 0
        normal = (x - mean) * ops.rsqrt(variance + self.epsilon)
        gamma, beta = (ops.cast(each, "float32") for each in (self.gamma, self.beta))
        return ops.cast(normal * gamma + beta, self.compute_dtype)

    def compute_output_shape(self, sequences_shape: Any) -> Any:
        return sequences_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "epsilon": self.epsilon}
