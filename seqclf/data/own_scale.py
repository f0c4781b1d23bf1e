"""`scaled_by_itself`: brings each sequence to mean 0 and deviation 1, without the other ones."""

import tensorflow as tf


def scaled_by_itself(x: tf.Tensor, counted: tf.Tensor) -> tf.Tensor:
    """Gives each feature of each sequence mean 0 and deviation 1.

    The deviation is divided by the number of time steps, as `numpy.std` does. The unit of the
    values does not matter, as long as they differ by more than 1e-35: nothing overflows, and no
    square becomes too small for float32.

    Args:
        x: float32 `[B, T, D]`, raw values.
        counted: bool, broadcastable to `[B, T, D]`: the values that are valid and observed.

    Returns:
        float32 `[B, T, D]`. NaN stays NaN, and an infinite value infinite. A feature that has one
        value only in a sequence, or none, becomes 0.

    Example:
        >>> x = tf.constant([[[1.0], [3.0]], [[0.001], [0.003]]])
        >>> scaled_by_itself(x, tf.constant(True)).numpy().round(4).tolist()
        [[[-1.0], [1.0]], [[-1.0], [1.0]]]
    """
    counted = tf.broadcast_to(counted, tf.shape(x))
    missing = tf.math.is_nan(x)
    known = tf.where(missing, 0.0, x)  # tf2onnx makes tf.where a product: NaN · 0 is NaN
    number = tf.maximum(tf.reduce_sum(tf.cast(counted, x.dtype), 1, keepdims=True), 1.0)
    low = tf.reduce_min(tf.where(counted, known, x.dtype.max), 1, keepdims=True)  # [B, 1, D]
    high = tf.reduce_max(tf.where(counted, known, x.dtype.min), 1, keepdims=True)
    middle, half = low / 2 + high / 2, high / 2 - low / 2  # halved first: no sum can overflow
    constant = high <= low
    scaled = (known - middle) / tf.where(constant, 1.0, half)  # -1 to 1: the squares are harmless
    scaled -= tf.reduce_sum(tf.where(counted, scaled, 0.0), 1, keepdims=True) / number
    squares = tf.reduce_sum(tf.where(counted, scaled, 0.0) ** 2, 1, keepdims=True)
    variance = tf.where(constant, 1.0, squares / number)
    scaled *= tf.where(constant, 0.0, tf.math.rsqrt(variance))
    return tf.where(missing, x, tf.where(tf.abs(x) == float("inf"), x, scaled))
