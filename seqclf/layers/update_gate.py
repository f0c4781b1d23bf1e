"""Conversion between the two ways in which the literature writes the update gate."""

from collections.abc import Sequence

import numpy as np


def convert_update_gate(weights: Sequence[np.ndarray], units: int) -> list[np.ndarray]:
    """Converts the weights of a GRU from one way of writing z to the other.

    This package, Keras and cuDNN write `h_t = z_t ⊙ h_{t-1} + (1 - z_t) ⊙ h̃_t`: z says how much of
    the past is kept. Half of the literature writes `h_t = (1 - z_t) ⊙ h_{t-1} + z_t ⊙ h̃_t` (Cho et
    al. 2014 and Chung et al. 2014 differ in this). Since 1 - σ(a) = σ(-a), negating the weights and
    biases of the update gate turns one into the other. Doing it twice gives back the weights.

    Args:
        weights: `[kernel, recurrent_kernel]` or `[kernel, recurrent_kernel, bias]` with gates in
            the order z, r, h along the last axis, as `GRU.get_weights()` gives them.
        units: H, the number of units of the layer.

    Returns:
        New arrays of the same shapes and dtypes.

    Raises:
        ValueError: the last axis of an array is not 3·H long.

    Example:
        >>> kernel = np.array([[1.0, 2.0, 3.0]])  # of one unit: update gate, reset gate, candidate
        >>> convert_update_gate([kernel], units=1)[0].tolist()
        [[-1.0, 2.0, 3.0]]
    """
    converted = []
    for array in weights:
        if array.shape[-1] != 3 * units:
            raise ValueError(
                f"Each array of `weights` must be 3 * units = {3 * units} long in its last axis. "
                f"Received: shape {array.shape}"
            )
        array = np.array(array)
        array[..., :units] *= -1
        converted.append(array)
    return converted
