"""`parse_csv`: sequences as CSV text in a graph, each as long as its text has lines.

A string is never padded, so that sequences of different lengths can be in one request and, with
TensorFlow Serving, in one batch, without their lengths being sent.
"""

import math

import tensorflow as tf

from seqclf.data.dataset import DatasetSpec
from seqclf.serving.graph_assertions import require

SEPARATOR = ","


def parse_csv(csv: tf.Tensor, spec: DatasetSpec) -> tuple[tf.Tensor, tf.Tensor]:
    """Reads sequences that are CSV text, without a header.

    Args:
        csv: string `[B]`. A text has a line for each time step, and each line the numbers of one
            time step, separated by commas. An empty cell of real numbers is a missing value (NaN).
            The last line may end in a line break.
        spec: the spec of the data, sequences of varying lengths.

    Returns:
        Values `[B, T, D]`, float32, or int64 for uint8 data; and lengths int32 `[B]`. Running the
        graph raises InvalidArgumentError for other texts.
    """
    width = math.prod(spec.raw_shape[1:])
    text = tf.strings.regex_replace(csv, r"\r?\n$|\r", "")
    lines = tf.strings.split(text, "\n")  # [B, (T)]
    cells = tf.strings.split(lines.flat_values, SEPARATOR)  # [all lines, (D)]
    counts = tf.cast(cells.row_lengths(), tf.int32)
    values = tf.strings.strip(cells.flat_values)
    if spec.raw_dtype != "uint8":
        values = tf.where(tf.equal(values, ""), "nan", values)
    values = require(
        values,
        tf.reduce_all(tf.equal(counts, width)) & tf.reduce_all(tf.strings.length(csv) > 0),
        f"`csv` must hold lines of {width} numbers, one line for each time step; numbers received:",
        counts,
    )
    dtype = tf.int64 if spec.raw_dtype == "uint8" else tf.float32
    steps = tf.reshape(tf.strings.to_number(values, dtype), [-1, width])
    lengths = lines.row_lengths()
    x = tf.RaggedTensor.from_row_lengths(steps, lengths, validate=False).to_tensor()  # [B, T, D]
    return tf.reshape(x, [tf.shape(csv)[0], -1, *spec.raw_shape[1:]]), tf.cast(lengths, tf.int32)
