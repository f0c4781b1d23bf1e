"""Draws of the next token in a graph, for each row of a batch by itself; see `draws`."""

import tensorflow as tf
from tensorflow import Tensor

from seqclf.serving.text.draws import LAST_SHIFT, ROUNDS, SMALLEST, STEP, UNUSED_BITS


def uniform(seeds: Tensor, position: Tensor) -> Tensor:
    """Returns random numbers from 0 to 1, 1 left out, float64 `[N]`.

    Args:
        seeds: int64 `[N]`, the seed of each text.
        position: int32, the number of the token among those that are written, from 0.
    """
    step = tf.constant(STEP, tf.uint64)
    key = _mixed(tf.bitcast(seeds, tf.uint64) + step)
    mixed = _mixed(key + (tf.cast(position, tf.uint64) + 1) * step)
    return tf.cast(_right(mixed, UNUSED_BITS), tf.float64) * 2.0**-53


def choose(probabilities: Tensor, temperature: Tensor, top_k: Tensor, drawn: Tensor) -> Tensor:
    """Returns the index of the next token of each row, int32 `[N]`; see `draws.choose`.

    Args:
        probabilities: float32 `[N, V]`.
        temperature: float32 `[N]`.
        top_k: int32 `[N]`.
        drawn: float64 `[N]`.
    """
    count = probabilities.shape[-1] - 1
    values, order = tf.math.top_k(probabilities[:, 1:], count)  # of equal ones, the lower index
    scores = tf.math.log(tf.maximum(tf.cast(values, tf.float64), SMALLEST))
    divisor = tf.cast(tf.where(temperature > 0, temperature, 1), tf.float64)[:, None]
    kept = tf.where(top_k > 0, tf.minimum(top_k, count), count)  # [N]
    weights = tf.exp((scores - scores[:, :1]) / divisor)
    weights = tf.where(tf.range(count)[None] < kept[:, None], weights, 0)
    sums = tf.cumsum(weights, axis=1)  # [N, V - 1]
    below = tf.cast(sums <= drawn[:, None] * sums[:, -1:], tf.int32)
    chosen = tf.minimum(tf.reduce_sum(below, axis=1), kept - 1)
    chosen = tf.where(temperature > 0, chosen, 0)
    return tf.gather(order, chosen, batch_dims=1) + 1


def _mixed(values: Tensor) -> Tensor:
    for shift, factor in ROUNDS:
        values = tf.bitwise.bitwise_xor(values, _right(values, shift))
        values *= tf.constant(factor, tf.uint64)
    return tf.bitwise.bitwise_xor(values, _right(values, LAST_SHIFT))


def _right(values: Tensor, bits: int) -> Tensor:
    return tf.bitwise.right_shift(values, tf.constant(bits, tf.uint64))
