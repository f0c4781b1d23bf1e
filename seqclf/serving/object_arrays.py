"""`object_array`: a NumPy array that holds Python objects as they are, such as bytes."""

from collections.abc import Iterable
from typing import Any

import numpy as np


def object_array(values: Iterable[Any], shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Returns an object array of these values.

    `np.array(values, object)` would look into lists among the values, and `np.array(values)` would
    strip zero bytes from the end of bytes objects.

    Args:
        values: the elements, in row-major order.
        shape: the shape of the array; None: one dimension, as long as there are values.

    Raises:
        ValueError: there are not as many values as the shape holds.
    """
    items = list(values)
    array = np.fromiter(items, object, len(items))
    return array if shape is None else array.reshape(shape)
