"""One example as a record of a shard: a serialized `tf.train.Example`.

x        bytes: the values of the valid time steps, in C order, little-endian
y        int64: the class index
length   int64: the number of valid time steps (rows of an image)
"""

import dataclasses
import math

import numpy as np
import tensorflow as tf

from seqclf.data.split import ExampleTensors

FEATURES = {
    "x": tf.io.FixedLenFeature([], tf.string),
    "y": tf.io.FixedLenFeature([], tf.int64),
    "length": tf.io.FixedLenFeature([], tf.int64),
}


def serialize(x: np.ndarray, y: int) -> bytes:
    """Returns the record of an example.

    Args:
        x: `[length, D]`, `[H, W]` or `[H, W, C]`, uint8 or float32, without padding.
        y: the class index.
    """
    little = x.astype(x.dtype.newbyteorder("<"), copy=False)
    feature = {
        "x": tf.train.Feature(bytes_list=tf.train.BytesList(value=[little.tobytes()])),
        "y": tf.train.Feature(int64_list=tf.train.Int64List(value=[y])),
        "length": tf.train.Feature(int64_list=tf.train.Int64List(value=[len(x)])),
    }
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    return bytes(example.SerializeToString(deterministic=True))


@dataclasses.dataclass(frozen=True)
class Layout:
    """The shape, dtype and classes that all records of a set of shards share.

    Attributes:
        shape: the shape of an example; with `variable_length` its first entry is the longest
            length.
        dtype: "uint8" or "float32".
        variable_length: whether examples may be shorter; shorter ones are padded with zeros.
        classes: the number of classes; labels are from 0 to `classes` - 1.
    """

    shape: tuple[int, ...]
    dtype: str
    variable_length: bool
    classes: int

    @property
    def step_bytes(self) -> int:
        """The number of bytes of one time step."""
        return math.prod(self.shape[1:]) * np.dtype(self.dtype).itemsize

    def parse(self, records: tf.Tensor) -> ExampleTensors:
        """Returns the examples of a batch of records.

        Args:
            records: strings `[B]`.

        Returns:
            x `[B, *shape]`, y int32 `[B]`, lengths int32 `[B]`, or None when all are equal.

        Raises:
            InvalidArgumentError: at run time, a record is no such example; `faults` tells why.
        """
        columns = tf.io.parse_example(records, FEATURES)
        wrong = tf.reduce_any(tf.stack(list(self.faults(columns).values())))
        y, lengths = columns["y"], columns["length"]
        with tf.control_dependencies([tf.debugging.Assert(~wrong, ["not as the schema says"])]):
            x = tf.io.decode_raw(
                columns["x"],
                tf.as_dtype(self.dtype),
                fixed_length=self.shape[0] * self.step_bytes,
            )
        x = tf.reshape(x, [records.shape[0] or -1, *self.shape])
        return x, tf.cast(y, tf.int32), tf.cast(lengths, tf.int32) if self.variable_length else None

    def faults(self, columns: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Returns the possible faults of examples.

        Args:
            columns: the parsed features of a batch of records, as `FEATURES` names them.

        Returns:
            For each fault, described in words, whether each example has it, bool `[B]`.
        """
        y, length = columns["y"], columns["length"]
        sizes = tf.cast(tf.strings.length(columns["x"]), tf.int64)
        least = 1 if self.variable_length else self.shape[0]
        return {
            f"its label is not in 0..{self.classes - 1}": (y < 0) | (y >= self.classes),
            f"its length is not in {least}..{self.shape[0]}": (length < least)
            | (length > self.shape[0]),
            "its size is not that of its shape": sizes != length * self.step_bytes,
        }
