"""The two ways in which the literature writes the update gate, and the way between them."""

from collections.abc import Sequence

import numpy as np


def convert_update_gate(weights: Sequence[np.ndarray], units: int) -> list[np.ndarray]:
    """Turns GRU weights from one reading of z to the other.

    This package, Keras and cuDNN write `h_t = z_t ⊙ h_{t-1} + (1 - z_t) ⊙ h̃_t`: z says how much of
    the past is kept. Cho et al. (2014) and Chung et al. (2014) differ on it, and half of the
    literature writes `h_t = (1 - z_t) ⊙ h_{t-1} + z_t ⊙ h̃_t`. Since 1 - σ(a) = σ(-a), negating the
    update gate's weights and biases turns one into the other; twice is the identity.

    Args:
        weights: `[kernel, recurrent_kernel]` or `[kernel, recurrent_kernel, bias]` with gates in
            the order z, r, h along the last axis, as `GRU.get_weights()` gives them.
        units: H.

    Returns:
        New arrays of the same shapes and dtypes.

    Raises:
        ValueError: a last axis that is not 3·H long.

    Example:
        >>> layer.set_weights(convert_update_gate(weights_from_a_paper, units=100))
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
