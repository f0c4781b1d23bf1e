"""Initial biases with which the units of a gated layer remember for different lengths of time."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="seqclf")
class ChronoBias(keras.initializers.Initializer):  # type: ignore[misc]  # Keras has no types
    """Chrono initialisation (Tallec & Ollivier 2018, arXiv:1804.11188) of the bias of a gated cell.

    Without information from inputs and states the update gate of a GRU is z = σ(b_z), and its state
    shrinks by the factor z in each time step: most of it is gone after 1 / (1 - z) time steps. With
    b_z = log u and u uniform between 1 and `longest` - 1, that time is 1 + u. So the units start
    with memories of all lengths from 2 to `longest` time steps. (The gate in the paper is 1 - z.)
    An LSTM has b_f = log u and b_i = -log u. The gate of an MGU says what is replaced, and so its
    b_f is -log u. All other biases are 0.

    Args:
        longest: longest memory, in time steps, above 2. The paper takes the length of the
            sequences.
        seed: seed of the draw; None takes Keras's global seed.
        keeping: for each block of the cell, 1 for the bias log u, -1 for the bias -log u and 0 for
            the bias 0: `keeping` of the cell's class. Default: that of a GRU.

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
        """Returns a bias `[G·H]`, or `[2, G·H]` with zeros in the second row."""
        units = shape[-1] // len(self.keeping)
        lean = ops.log(self._lengths([units], dtype))
        bias = ops.concatenate([sign * lean for sign in self.keeping])
        if len(shape) == 1:
            return bias
        return ops.stack([bias, ops.zeros_like(bias)])

    def get_config(self) -> dict[str, Any]:
        return {"longest": self.longest, "seed": self.seed, "keeping": self.keeping}
