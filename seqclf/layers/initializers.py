"""Initial biases that give a gated unit memories of many lengths."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="seqclf")
class ChronoBias(keras.initializers.Initializer):
    """Chrono initialisation (Tallec & Ollivier 2018, arXiv:1804.11188) of a gated unit's bias.

    Where inputs say nothing, a GRU's state falls by z_t = σ(b_z) each step: after 1 / (1 - z) steps
    most of it is gone. With b_z = log u, u uniform in 1 to `longest` - 1, that time is 1 + u: the
    units start with memories of all lengths from 2 to `longest` steps. (The paper's gate is 1 - z.)
    An LSTM's b_f is the same and its b_i the opposite; an MGU's gate says what is replaced, and so
    its b_f is the opposite. All other biases are 0.

    Args:
        longest: in steps, above 2; the length of the sequences is what the paper takes.
        seed: of the draw; None: from Keras's global seed.
        keeping: for each block of the cell, 1 or -1 if its bias is log u or the opposite, 0 if it
            is 0: the cell's `keeping`. Default: a GRU's.

    Raises:
        ValueError: `longest` is not above 2, or `keeping` has nothing but zeros.

    Example:
        >>> layer = GRU(64, bias_initializer=ChronoBias(longest=784))
    """

    def __init__(self, longest: int, seed: int | None = None, keeping: Sequence[int] = (1, 0, 0)):
        if not longest > 2:
            raise ValueError(f"`longest` must be above 2 steps. Received: {longest}")
        if not any(keeping):
            raise ValueError(
                "`keeping` must name a gate that keeps the state: a cell without gates has no "
                f"chrono initialisation. Received: {list(keeping)}"
            )
        self.longest = longest
        self.seed = seed
        self.keeping = tuple(keeping)
        self._lengths = keras.initializers.RandomUniform(1.0, longest - 1.0, seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Returns a bias `[G·H]`, or `[2, G·H]` with nothing in the second row."""
        units = shape[-1] // len(self.keeping)
        lean = ops.log(self._lengths([units], dtype))
        bias = ops.concatenate([sign * lean for sign in self.keeping])
        if len(shape) == 1:
            return bias
        return ops.stack([bias, ops.zeros_like(bias)])

    def get_config(self) -> dict[str, Any]:
        return {"longest": self.longest, "seed": self.seed, "keeping": self.keeping}
