"""`fill_missing`: what takes the place of missing values, alike in training and in an export.

Everything is computed with cumulative counts, `tf.scatter_nd` and `tf.gather`: without a loop over
time, for any number of time steps, with and without XLA, and in LiteRT.
"""

import tensorflow as tf


def fill_missing(
    x: tf.Tensor, rule: str, fill: tf.Tensor, lengths: tf.Tensor | None = None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Puts values in the place of those that are missing, as `data.missing` names the rule.

    - `mean` and `indicator`: the mean, `fill`.
    - `forward`: the last value that was observed of the same sequence and feature; before the first
      one the mean.
    - `interpolate`: on the line between the two nearest observed values, by the index of the time
      step; before the first and after the last one the nearest; the mean if there is none.

    Args:
        x: float32 `[B, T, D]`, raw values. A missing value is NaN.
        rule: `mean`, `indicator`, `forward` or `interpolate`.
        fill: float32 `[D]`, the mean of each feature.
        lengths: `[B]`, the number of valid time steps; None: all are valid.

    Returns:
        The values without gaps, float32 `[B, T, D]`; those of padding are of no meaning. And
        whether each value was missing, bool `[B, T, D]`.

    Example:
        >>> x = tf.constant([[[1.0], [np.nan], [np.nan], [4.0]]])
        >>> x, missing = fill_missing(x, "interpolate", tf.constant([0.0]))
        >>> x.numpy().ravel().tolist()
        [1.0, 2.0, 3.0, 4.0]
    """
    missing = tf.math.is_nan(x)
    if rule in ("mean", "indicator"):
        return tf.where(missing, fill, x), missing
    valid = None if lengths is None else tf.sequence_mask(lengths, tf.shape(x)[1])[..., tf.newaxis]
    observed = ~missing if valid is None else ~missing & valid
    filled = _from_neighbours(_by_series(x), _by_series(observed), rule == "interpolate")
    # Back to [B, T, D]. A series without a neighbour to take has NaN there still.
    filled = tf.transpose(tf.reshape(filled, [tf.shape(x)[0], x.shape[2], -1]), [0, 2, 1])
    return tf.where(tf.math.is_nan(filled), fill, filled), missing


def _by_series(x: tf.Tensor) -> tf.Tensor:
    """Returns `[B, T, D]` as `[B·D, T]`: one row for each feature of each sequence."""
    return tf.reshape(tf.transpose(x, [0, 2, 1]), [-1, tf.shape(x)[1]])


def _from_neighbours(x: tf.Tensor, observed: tf.Tensor, interpolate: bool) -> tf.Tensor:
    """Fills gaps from the last observed value, or from the line to the next one.

    Args:
        x: `[R, T]`, one series a row.
        observed: bool `[R, T]`: which values count.
        interpolate: whether the next observed value counts as well.

    Returns:
        `[R, T]`, NaN where there is nothing to take.
    """
    rows, steps = tf.shape(x)[0], tf.shape(x)[1]
    one = tf.cast(observed, tf.int32)  # [R, T]
    count = tf.cumsum(one, axis=1)  # [R, T], observed values until this time step
    # Where the k-th observed value of each series is: one row of T + 1 entries for each series.
    entry = tf.range(rows)[:, tf.newaxis] * (steps + 1) + count  # [R, T]
    at = tf.reshape(one * tf.range(steps), [-1])  # only an observed value adds to its entry
    places = tf.scatter_nd(tf.reshape(entry, [-1, 1]), at, [rows * (steps + 1)])
    before = tf.gather(places, entry)  # [R, T]
    nothing = tf.constant(float("nan"), x.dtype)
    last = tf.where(count > 0, tf.gather(x, before, batch_dims=1), nothing)
    if not interpolate:
        return last
    number = count + 1 - one  # [R, T], of the observed value at this time step or after it
    after = tf.gather(places, entry + 1 - one)
    following = tf.where(number <= count[:, -1:], tf.gather(x, after, batch_dims=1), nothing)
    weight = tf.cast(tf.range(steps) - before, x.dtype) / tf.cast(
        tf.maximum(after - before, 1), x.dtype
    )
    between = last * (1 - weight) + following * weight  # as `last + …` it could overflow
    at_ends = tf.where(tf.math.is_nan(last), following, last)
    inside = ~tf.math.is_nan(last) & ~tf.math.is_nan(following)
    return tf.where(observed, x, tf.where(inside, between, at_ends))
