"""Initial biases that give a GRU memories of many lengths."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="seqclf")
class ChronoBias(keras.initializers.Initializer):
    """Chrono initialisation (Tallec & Ollivier 2018, arXiv:1804.11188) of a GRU's bias.

    Where inputs say nothing, a state forgets as z_t = σ(b_z) each step: after 1 / (1 - z) steps
    most of it is gone. With b_z = log u, u uniform in 1 to `longest` - 1, that time is 1 + u: the
    units start with memories of all lengths from 2 to `longest` steps. (The paper's gate is 1 - z.)
    All other biases are 0.

    Args:
        longest: in steps, above 2; the length of the sequences is what the paper takes.
        seed: of the draw; None: from Keras's global seed.

    Raises:
        ValueError: `longest` is not above 2.

    Example:
        >>> layer = GRU(64, bias_initializer=ChronoBias(longest=784))
    """

    def __init__(self, longest: int, seed: int | None = None):
        if not longest > 2:
            raise ValueError(f"`longest` must be above 2 steps. Received: {longest}")
        self.longest = longest
        self.seed = seed
        self._lengths = keras.initializers.RandomUniform(1.0, longest - 1.0, seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Returns a bias `[2, 3H]` or `[3H]`, gates in the order z, r, h."""
        units = shape[-1] // 3
        b_z = ops.log(self._lengths([units], dtype))
        bias = ops.pad(b_z, [[0, 2 * units]])  # [3H]
        if len(shape) == 1:
            return bias
        return ops.stack([bias, ops.zeros_like(bias)])

    def get_config(self) -> dict[str, Any]:
        return {"longest": self.longest, "seed": self.seed}
