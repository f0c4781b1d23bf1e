"""One example as a record of a shard: a serialized `tf.train.Example`.

x        bytes: the values of its valid steps, in C order, little-endian
y        int64: its class
length   int64: its valid steps (rows of an image)
"""

import numpy as np
import tensorflow as tf

from seqclf.data.split import Arrays

FEATURES = {
    "x": tf.io.FixedLenFeature([], tf.string),
    "y": tf.io.FixedLenFeature([], tf.int64),
    "length": tf.io.FixedLenFeature([], tf.int64),
}


def serialize(x: np.ndarray, y: int) -> bytes:
    """Returns the record of an example.

    Args:
        x: `[length, D]`, `[H, W]` or `[H, W, C]`, uint8 or float32, without padding.
        y: its class.
    """
    little = x.astype(x.dtype.newbyteorder("<"), copy=False)
    feature = {
        "x": tf.train.Feature(bytes_list=tf.train.BytesList(value=[little.tobytes()])),
        "y": tf.train.Feature(int64_list=tf.train.Int64List(value=[y])),
        "length": tf.train.Feature(int64_list=tf.train.Int64List(value=[len(x)])),
    }
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    return example.SerializeToString(deterministic=True)


def parse(
    records: tf.Tensor, shape: tuple[int, ...], dtype: str, variable_length: bool, classes: int
) -> Arrays:
    """Reads the records of a batch.

    Args:
        records: strings `[B]`.
        shape: of an example; with `variable_length` the first is the longest length.
        dtype: "uint8" or "float32".
        variable_length: whether examples may be shorter; they are padded with zeros.
        classes: labels must be below.

    Returns:
        x `[B, *shape]`, y int32 `[B]`, lengths int32 `[B]` or None when all are alike.

    Raises:
        InvalidArgumentError: when run, for a record that is of another kind or shape, or whose
            label is no class.
    """
    columns = tf.io.parse_example(records, FEATURES)
    y, lengths = columns["y"], columns["length"]
    step = int(np.prod(shape[1:])) * np.dtype(dtype).itemsize  # bytes
    sizes = tf.cast(tf.strings.length(columns["x"]), tf.int64)
    checks = [
        tf.debugging.assert_equal(sizes, lengths * step, "an example of another shape"),
        tf.debugging.assert_non_negative(y, "a negative label"),
        tf.debugging.assert_less(y, tf.constant(classes, tf.int64), "a label beyond the classes"),
        tf.debugging.assert_less_equal(lengths, tf.constant(shape[0], tf.int64), "too long"),
        tf.debugging.assert_greater_equal(
            lengths, tf.constant(1 if variable_length else shape[0], tf.int64), "too short"
        ),
    ]
    with tf.control_dependencies([check for check in checks if check is not None]):
        x = tf.io.decode_raw(columns["x"], dtype, fixed_length=shape[0] * step)
    x = tf.reshape(x, [records.shape[0] or -1, *shape])
    return x, tf.cast(y, tf.int32), tf.cast(lengths, tf.int32) if variable_length else None
