"""The order of training examples that are read from shards: lanes.

The training shards are divided into L *lanes*, a number that the schema fixes. In each epoch the
shards are permuted by keys drawn from `[seed, epoch]`, and lane g takes every L-th of them, from
the g-th on. A lane reads its shards side by side and shuffles what it reads block by block, by keys
from seed, epoch, lane and block. A batch of B is B/L records of each lane, lane by lane: it depends
on seed and step alone, and whoever wants rows of some lanes reads no others' shards.

(`tf.data.Dataset.shuffle` mixes its seed with the global one, and holds a resource for whose sake
tf.data gives up every prefetch and parallel map where all must be deterministic.)
"""

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from seqclf.errors import ConfigError

SIDE_BY_SIDE = 4  # shards of a lane that are read in turns; fixed, for it decides the order
IN_TURN = 16  # records of one before the next one's turn


def lanes_in_use(lanes: int, batch_size: int) -> int:
    """Returns into how many lanes a batch is divided: the most that divide it and the L there are.

    Example:
        >>> lanes_in_use(8, 128), lanes_in_use(8, 100), lanes_in_use(8, 7)
        (8, 4, 1)
    """
    return math.gcd(lanes, batch_size)


def lane_examples(counts: Sequence[int], lanes: int) -> int:
    """Returns how many examples every lane is sure to have, whichever shards it is given."""
    return sum(sorted(counts)[: len(counts) // lanes])


def shuffled_records(
    files: Sequence[str],
    counts: Sequence[int],
    *,
    lanes: int,
    batch_size: int,
    buffer: int,
    seed: int,
    first_step: int,
    worker: int,
    workers: int,
) -> tf.data.Dataset:
    """Returns endless batches of records, from any step on.

    To reach a step in the middle of an epoch the records before it are read, and neither shuffled
    nor parsed.

    Args:
        files: the shards.
        counts: the examples of each.
        lanes: L.
        batch_size: B, of all workers together.
        buffer: records that are held in memory to shuffle them, over all lanes.
        seed: of the order.
        first_step: the step, counted from 0, of the first batch.
        worker: has the lanes [worker·L/workers, (worker + 1)·L/workers).
        workers: how many there are.

    Returns:
        Strings, `[B/workers]`.

    Raises:
        ConfigError: the lanes cannot be divided among the workers.
    """
    used = lanes_in_use(lanes, batch_size)
    if used % workers:
        raise ConfigError(
            f"The number of workers must divide both the {lanes} lanes of these shards and the "
            f"{batch_size} examples of a step (`batch_size` × `batch_selection`). Received: "
            f"{workers} workers; write the shards with another --lanes, or change `batch_size`."
        )
    rows = batch_size // used  # of a lane in a batch
    steps = lane_examples(counts, used) // rows
    first_epoch, position = divmod(first_step, steps)
    block = -(-buffer // (2 * used))  # of a lane there are two: one is used up, one is read
    first_block, in_block = divmod(position * rows, block)

    def lane_of_epoch(lane: tf.Tensor, epoch: tf.Tensor) -> tf.data.Dataset:
        resumed = tf.cast(epoch == first_epoch, tf.int64)
        order = tf.argsort(_keys([seed, epoch], len(files)), stable=True)
        order = tf.reshape(order, [-1, used])[:, lane]
        records = _side_by_side(tf.gather(tf.constant(files), order))
        records = records.concatenate(shortfall()).take(steps * rows)
        blocks = records.skip(resumed * first_block * block).batch(block)

        def shuffled(number: tf.Tensor, of_block: tf.Tensor) -> tf.Tensor:
            keys = _keys([seed, epoch, lane, number], tf.shape(of_block)[0])
            before = tf.where(number == first_block, resumed * in_block, 0)
            return tf.gather(of_block, tf.argsort(keys, stable=True)[before:])

        numbered = blocks.enumerate(resumed * first_block)
        return numbered.map(shuffled).prefetch(1).rebatch(rows, drop_remainder=True)

    own = used // workers

    def epoch_of_worker(epoch: tf.Tensor) -> tf.data.Dataset:
        lanes = tf.data.Dataset.range(worker * own, (worker + 1) * own)
        in_turns = lanes.interleave(lambda lane: lane_of_epoch(lane, epoch), own, block_length=1)
        together = in_turns.batch(own, drop_remainder=True)  # [own, rows]
        return together.map(lambda records: tf.reshape(records, [own * rows]))

    epochs = tf.data.Dataset.range(first_epoch, np.iinfo(np.int64).max)
    return epochs.flat_map(epoch_of_worker)


def shortfall() -> tf.data.Dataset:
    """Returns records that nobody should come to: to read them fails.

    They stand behind those of shards, whose number the schema gives: a shard that holds fewer than
    it says must not shift all that follows.
    """

    def fail(_: tf.Tensor) -> tf.Tensor:
        with tf.control_dependencies([tf.debugging.Assert(False, ["fewer records than listed"])]):
            return tf.constant("")

    return tf.data.Dataset.range(1).map(fail)


def _side_by_side(files: tf.Tensor) -> tf.data.Dataset:
    """Returns the records of a lane's shards."""
    at_once = min(SIDE_BY_SIDE, files.shape[0])
    return tf.data.Dataset.from_tensor_slices(files).interleave(
        tf.data.TFRecordDataset,
        cycle_length=at_once,
        block_length=IN_TURN,
        num_parallel_calls=at_once,
        deterministic=True,
    )


def _keys(words: Sequence[int | tf.Tensor], count: int | tf.Tensor) -> tf.Tensor:
    """Returns random int64 `[count]`, a function of the words alone: two or more of them."""
    seed, epoch, *rest = words
    key = tf.stack([tf.cast(seed, tf.int64), tf.cast(epoch, tf.int64)])
    for word in rest:
        key = tf.random.experimental.stateless_fold_in(key, word)
    return tf.random.stateless_uniform([count], key, None, None, tf.int64)
