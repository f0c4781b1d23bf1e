"""What a gradient derived by hand needs: no second gradient beside it, and none of itself."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow import Tensor


def first_order(gradients: Callable[[], list[Tensor]], *sources: Tensor) -> Any:
    """Returns `gradients()`; refuses to be differentiated with respect to `sources`."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]  # TensorFlow has no types
    def run(*sources: Tensor) -> tuple[Any, Callable[..., None]]:
        del sources
        return gradients(), _refuse_second_order

    return run(*sources)


def _refuse_second_order(*_: Tensor) -> None:
    raise NotImplementedError(
        "The fast GRU has no second-order gradient: its backward pass is derived by hand. For "
        "gradients of gradients build the layer with GRU(..., fast=False)."
    )


def untaped(tensors: Any) -> Any:
    """Keeps TensorFlow from recording a gradient of its own beside ours: it keeps far more."""
    return tf.nest.map_structure(lambda t: None if t is None else tf.stop_gradient(t), tensors)
