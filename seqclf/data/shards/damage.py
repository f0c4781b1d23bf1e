"""Finds the shard that cannot be read, after reading has failed."""

import re
import zlib
from collections.abc import Sequence

import tensorflow as tf

from seqclf.data.shards.records import Layout
from seqclf.data.shards.schema import REMEDY, Schema, Shard

RECORDS_AT_ONCE = 256  # how many records are parsed at a time


def damage(folder: str, shards: Sequence[Shard], schema: Schema) -> str | None:
    """Reads shards to their ends and returns what is wrong with the first damaged one, or None.

    TensorFlow doesn't say in which file a record failed, and to keep the file of each record would
    cost time in every training. Here it costs about ten seconds for each gigabyte, once.

    Args:
        folder: the folder of the shards.
        shards: the shards to read.
        schema: their schema.
    """
    print(f"A record of {folder} could not be read: looking for the file.", flush=True)
    for shard in shards:
        path = f"{folder}/{shard.file}"
        if (reason := _reason(path, shard, schema.layout)) is not None:
            return f"{path}: {reason}. {REMEDY}"
    return None


def _reason(path: str, shard: Shard, layout: Layout) -> str | None:
    """Returns what is wrong with a shard, or None."""
    count, crc = 0, 0
    try:
        for records in tf.data.TFRecordDataset(path).batch(RECORDS_AT_ONCE):
            try:
                layout.parse(records)
            except tf.errors.InvalidArgumentError:
                place, fault = _fault(records, layout)
                return f"record {count + place} is not as the schema says: {fault}"
            for record in records.numpy():
                crc = zlib.crc32(record, crc)
            count += len(records)
    except tf.errors.NotFoundError:
        return "no such file; the schema lists it"
    except tf.errors.DataLossError as error:
        return f"truncated or damaged ({_plain(error)})"
    except tf.errors.OpError as error:
        return f"cannot be read ({_plain(error)})"
    if count != shard.examples:
        return f"holds {count} records. The schema lists {shard.examples}"
    return None if crc == shard.crc32 else "holds other records than were written"


def _fault(records: tf.Tensor, layout: Layout) -> tuple[int, str]:
    """Returns the position of the first bad record, and what is wrong with it."""
    for i, record in enumerate(records):
        try:
            columns = tf.io.parse_example(record[tf.newaxis], layout.features)
        except tf.errors.InvalidArgumentError as error:
            return i, f"it is not a tf.Example with x, y and length ({_plain(error)})"
        for fault, present in layout.faults(columns).items():
            if present.numpy().any():
                return i, fault
    raise AssertionError("unreachable")


def _plain(error: tf.errors.OpError) -> str:
    """Returns TensorFlow's message without the position in its graph."""
    return re.sub(r"\{\{.*?\}\}|\[Op:.*", "", error.message).strip().splitlines()[0]
