"""`require`: an assertion in a graph that no optimisation removes."""

import tensorflow as tf


def require(
    tensor: tf.Tensor, condition: tf.Tensor, message: str, *received: tf.Tensor
) -> tf.Tensor:
    """Returns `tensor`; running the graph raises InvalidArgumentError unless `condition` holds.

    The result depends on the assertion, so that no optimisation can leave it out.

    Args:
        tensor: the tensor to return.
        condition: bool scalar.
        message: what was expected.
        *received: tensors whose values are shown after the message.
    """
    with tf.control_dependencies([tf.debugging.Assert(condition, [message, *received])]):
        return tf.identity(tensor)
