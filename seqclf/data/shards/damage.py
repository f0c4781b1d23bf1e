"""Which file it is that cannot be read, once reading has failed."""

import zlib
from collections.abc import Sequence

import tensorflow as tf

from seqclf.data.shards.schema import REMEDY, Schema, Shard

PART = 256  # records that are parsed at a time


def damage(folder: str, shards: Sequence[Shard], schema: Schema) -> str | None:
    """Reads shards to their ends and returns what is wrong with the first that is not in order.

    TensorFlow doesn't say in which file a record failed, and to note the file of each record would
    cost time in every training; here it costs a second for each gigabyte, once.
    """
    print(f"A record of {folder} could not be read: looking for the file.", flush=True)
    for shard in shards:
        path = f"{folder}/{shard.file}"
        if (reason := _reason(path, shard, schema)) is not None:
            return f"{path}: {reason}. {REMEDY}"
    return None


def _reason(path: str, shard: Shard, schema: Schema) -> str | None:
    count, crc = 0, 0
    try:
        for records in tf.data.TFRecordDataset(path).batch(PART):
            try:
                schema.parse(records)
            except tf.errors.InvalidArgumentError as error:
                return (
                    f"among the records {count} to {count + len(records) - 1} is one that is not "
                    f"as the schema says ({_first_line(error)})"
                )
            for record in records.numpy():
                crc = zlib.crc32(record, crc)
            count += len(records)
    except tf.errors.NotFoundError:
        return "no such file; the schema lists it"
    except tf.errors.DataLossError as error:
        return f"truncated or damaged after record {count} ({_first_line(error)})"
    except tf.errors.OpError as error:
        return f"cannot be read ({_first_line(error)})"
    if count != shard.examples:
        return f"holds {count} records. The schema lists {shard.examples}"
    return None if crc == shard.crc32 else "holds other records than were written"


def _first_line(error: tf.errors.OpError) -> str:
    return error.message.splitlines()[0].removesuffix(" [Op:IteratorGetNext] name: ").strip()
