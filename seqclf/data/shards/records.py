"""One example as a record of a shard: a serialized `tf.train.Example`.

x        bytes: the values of the valid time steps, in C order, little-endian
y        int64: the class index; or one for each valid time step, -1 at those without a label
length   int64: the number of valid time steps (rows of an image)
"""

import dataclasses
import math
from typing import Any

import numpy as np
import tensorflow as tf

from seqclf.data.split import ExampleTensors
from seqclf.data.step_labels import NO_LABEL

FEATURES = {
    "x": tf.io.FixedLenFeature([], tf.string),
    "y": tf.io.FixedLenFeature([], tf.int64),
    "length": tf.io.FixedLenFeature([], tf.int64),
}
FEATURES_OF_STEPS = FEATURES | {"y": tf.io.RaggedFeature(tf.int64, row_splits_dtype=tf.int64)}


def serialize(x: np.ndarray, y: int | np.ndarray) -> bytes:
    """Returns the record of an example.

    Args:
        x: `[length, D]`, `[H, W]` or `[H, W, C]`, uint8 or float32, without padding.
        y: the class index; or integers `[length]`, one for each time step.
    """
    little = x.astype(x.dtype.newbyteorder("<"), copy=False)
    feature = {
        "x": tf.train.Feature(bytes_list=tf.train.BytesList(value=[little.tobytes()])),
        "y": tf.train.Feature(int64_list=tf.train.Int64List(value=np.ravel(y).tolist())),
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
        per_step: whether there is a label for each time step, or `NO_LABEL`.
    """

    shape: tuple[int, ...]
    dtype: str
    variable_length: bool
    classes: int
    per_step: bool = False

    @property
    def features(self) -> dict[str, Any]:
        """The entries of a record, as `tf.io.parse_example` takes them."""
        return FEATURES_OF_STEPS if self.per_step else FEATURES

    @property
    def step_bytes(self) -> int:
        """The number of bytes of one time step."""
        return math.prod(self.shape[1:]) * np.dtype(self.dtype).itemsize

    def parse(self, records: tf.Tensor) -> ExampleTensors:
        """Returns the examples of a batch of records.

        Args:
            records: strings `[B]`.

        Returns:
            x `[B, *shape]`, y int32 `[B]` or `[B, T]`, lengths int32 `[B]`, or None when all are
            equal.

        Raises:
            InvalidArgumentError: at run time, a record is no such example; `faults` tells why.
        """
        columns = tf.io.parse_example(records, self.features)
        wrong = tf.reduce_any(tf.stack(list(self.faults(columns).values())))
        y, lengths = columns["y"], columns["length"]
        with tf.control_dependencies([tf.debugging.Assert(~wrong, ["not as the schema says"])]):
            x = tf.io.decode_raw(
                columns["x"],
                tf.as_dtype(self.dtype),
                fixed_length=self.shape[0] * self.step_bytes,
            )
            if self.per_step:
                y = y.to_tensor(NO_LABEL, shape=[records.shape[0], self.shape[0]])
        x = tf.reshape(x, [records.shape[0] or -1, *self.shape])
        return x, tf.cast(y, tf.int32), tf.cast(lengths, tf.int32) if self.variable_length else None

    def faults(self, columns: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Returns the possible faults of examples.

        Args:
            columns: the parsed entries of a batch of records, as `features` names them.

        Returns:
            For each fault, described in words, whether each example has it, bool `[B]`.
        """
        y, length = columns["y"], columns["length"]
        sizes = tf.cast(tf.strings.length(columns["x"]), tf.int64)
        least = 1 if self.variable_length else self.shape[0]
        if self.per_step:
            foreign = tf.reduce_any((y < NO_LABEL) | (y >= self.classes), axis=1)
            labels = {
                f"a label is not in {NO_LABEL}..{self.classes - 1}": foreign,
                "it has not one label for each time step": y.row_lengths() != length,
            }
        else:
            foreign = (y < 0) | (y >= self.classes)
            labels = {f"its label is not in 0..{self.classes - 1}": foreign}
        return labels | {
            f"its length is not in {least}..{self.shape[0]}": (length < least)
            | (length > self.shape[0]),
            "its size is not that of its shape": sizes != length * self.step_bytes,
        }
