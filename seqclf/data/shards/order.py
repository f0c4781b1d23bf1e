"""The order in which training examples are read from shards: lanes.

The training shards are divided into L *lanes*; the schema fixes L. In each epoch the shards are
permuted by keys drawn from `[seed, epoch]`, and lane g takes every L-th shard, from the g-th on. A
lane reads several of its shards in turns and shuffles the records block by block, by keys drawn
from seed, epoch, lane and block. A batch of B examples has B/L records of each lane, lane by lane.
It therefore depends on the seed and the step alone, and a worker that wants the rows of some lanes
reads no shard of the others.

(`tf.data.Dataset.shuffle` is not used: it mixes its seed with the global one, and it holds a
resource because of which tf.data gives up every prefetch and every parallel map where the order
must be deterministic.)
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from seqclf.errors import ConfigError

SHARDS_AT_ONCE = 4  # how many shards a lane reads in turns; fixed, because it decides the order
RECORDS_PER_TURN = 16  # how many records are read from one shard before the next shard's turn


def lanes_in_use(lanes: int, batch_size: int) -> int:
    """Returns the number of lanes that a batch is divided into: it divides both arguments.

    Example:
        >>> lanes_in_use(8, 128), lanes_in_use(8, 100), lanes_in_use(8, 7)
        (8, 4, 1)
    """
    return math.gcd(lanes, batch_size)


def lane_examples(counts: Sequence[int], lanes: int) -> int:
    """Returns the number of examples that every lane has at least, whichever shards it is given.

    Args:
        counts: the number of examples of each shard.
        lanes: the number of lanes.
    """
    return sum(sorted(counts)[: len(counts) // lanes])


@dataclasses.dataclass(frozen=True)
class ShuffledShards:
    """The records of a set of shards in the order in which training sees them.

    Attributes:
        files: the paths of the shards.
        counts: the number of examples of each shard.
        lanes: L, the number of lanes that the schema gives.
        batch_size: B, the examples of a step, of all workers together.
        buffer: the number of records that are held in memory to shuffle them, over all lanes.
        seed: the seed of the order.
    """

    files: Sequence[str]
    counts: Sequence[int]
    lanes: int
    batch_size: int
    buffer: int
    seed: int

    @property
    def _used(self) -> int:
        """The number of lanes that a batch is divided into."""
        return lanes_in_use(self.lanes, self.batch_size)

    @property
    def _rows(self) -> int:
        """The number of examples that each lane gives to a batch."""
        return self.batch_size // self._used

    @property
    def _epoch_steps(self) -> int:
        return lane_examples(self.counts, self._used) // self._rows

    @property
    def _block(self) -> int:
        """The number of records of a lane that are shuffled together.

        A lane holds two blocks at a time: one is used up while the next one is read.
        """
        return -(-self.buffer // (2 * self._used))

    def batches(self, first_step: int, worker: int, workers: int) -> tf.data.Dataset:
        """Returns endless batches of records, strings `[B/workers]`, from any step on.

        To reach a step in the middle of an epoch the records before it are read, but neither
        shuffled nor parsed.

        Args:
            first_step: the step of the first batch, counted from 0.
            worker: the index of the worker that wants its rows: those of the lanes
                [worker·L/workers, (worker + 1)·L/workers).
            workers: the number of workers.

        Raises:
            ConfigError: the lanes cannot be divided among the workers.
        """
        if self._used % workers:
            raise ConfigError(
                f"The number of workers must divide both the {self.lanes} lanes of these shards "
                f"and the {self.batch_size} examples of a step (`batch_size` × "
                f"`batch_selection`). Received: {workers} workers; write the shards with another "
                "--lanes, or change `batch_size`."
            )
        start = _Start.of(first_step, self)
        own = self._used // workers

        def batches_of_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
            lanes = tf.data.Dataset.range(worker * own, (worker + 1) * own)
            rows = lanes.interleave(
                lambda lane: self._shuffled_lane(lane, epoch, start), own, block_length=1
            )
            together = rows.batch(own, drop_remainder=True)  # [own, rows]
            return together.map(lambda records: tf.reshape(records, [own * self._rows]))

        epochs = tf.data.Dataset.range(start.epoch, np.iinfo(np.int64).max)
        return epochs.flat_map(batches_of_epoch)

    def _shuffled_lane(self, lane: tf.Tensor, epoch: tf.Tensor, start: "_Start") -> tf.data.Dataset:
        """Returns what a lane gives to each batch of an epoch, strings `[rows]`."""
        resumed = tf.cast(epoch == start.epoch, tf.int64)  # 1: the epoch begins in the middle
        records = self._records(lane, epoch).skip(resumed * start.block * self._block)

        def shuffle(number: tf.Tensor, block: tf.Tensor) -> tf.Tensor:
            keys = _keys([self.seed, epoch, lane, number], tf.shape(block)[0])
            before = tf.where(number == start.block, resumed * start.in_block, 0)
            return tf.gather(block, tf.argsort(keys, stable=True)[before:])

        blocks = records.batch(self._block).enumerate(resumed * start.block)
        return blocks.map(shuffle).prefetch(1).rebatch(self._rows, drop_remainder=True)

    def _records(self, lane: tf.Tensor, epoch: tf.Tensor) -> tf.data.Dataset:
        """Returns the records of a lane in an epoch, before they are shuffled."""
        order = tf.argsort(_keys([self.seed, epoch], len(self.files)), stable=True)
        order = tf.reshape(order, [-1, self._used])[:, lane]
        records = _read_in_turns(tf.gather(tf.constant(self.files), order))
        return records.concatenate(shortfall()).take(self._epoch_steps * self._rows)


@dataclasses.dataclass(frozen=True)
class _Start:
    """Where reading begins.

    Attributes:
        epoch: the first epoch.
        block: the first block of each lane in that epoch.
        in_block: the number of shuffled records of that block that earlier steps used.
    """

    epoch: int
    block: int
    in_block: int

    @classmethod
    def of(cls, step: int, shards: ShuffledShards) -> "_Start":
        """Returns where the batch of a step begins."""
        epoch, position = divmod(step, shards._epoch_steps)
        return cls(epoch, *divmod(position * shards._rows, shards._block))


def shortfall() -> tf.data.Dataset:
    """Returns one record that nobody should reach: to read it fails.

    It stands behind the records of shards, whose number the schema gives. Without it a shard that
    holds fewer records than the schema says would shift all that follows.
    """

    def fail(_: tf.Tensor) -> tf.Tensor:
        with tf.control_dependencies([tf.debugging.Assert(False, ["fewer records than listed"])]):
            return tf.constant("")

    return tf.data.Dataset.range(1).map(fail)


def _read_in_turns(files: tf.Tensor) -> tf.data.Dataset:
    """Returns the records of a lane's shards, several shards in turns."""
    at_once = min(SHARDS_AT_ONCE, files.shape[0])
    return tf.data.Dataset.from_tensor_slices(files).interleave(
        tf.data.TFRecordDataset,
        cycle_length=at_once,
        block_length=RECORDS_PER_TURN,
        num_parallel_calls=at_once,
        deterministic=True,
    )


def _keys(words: Sequence[int | tf.Tensor], count: int | tf.Tensor) -> tf.Tensor:
    """Returns random int64 `[count]`, a function of `words` alone.

    Args:
        words: two or more numbers: the seed, the epoch, and what else the keys depend on.
        count: how many keys are drawn.
    """
    seed, epoch, *rest = words
    key = tf.stack([tf.cast(seed, tf.int64), tf.cast(epoch, tf.int64)])
    for word in rest:
        key = tf.random.experimental.stateless_fold_in(key, word)
    return tf.random.stateless_uniform([count], key, None, None, tf.int64)
