"""Length buckets: training batches of sequences of like length, padded no further than they need.

Without them every batch is padded to the longest sequence of all. With them the lengths of the
training examples are divided into a few ranges, the *buckets*. The examples of a batch come from
one bucket, or from neighbouring ones, and the batch is padded to the longest length of the highest
of these. So XLA compiles the training step once for each bucket, and not for each length.

(`tf.data.Dataset.bucket_by_sequence_length` holds back examples until a batch of their bucket is
full. What it holds in the middle of an epoch is no function of the step, and so a training could
not be resumed exactly.)
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import tensorflow as tf

from seqclf.data.split import ExampleStore, ExampleTensors, Split
from seqclf.errors import ConfigError

BATCH_ORDER_STREAM = 1  # random numbers of their own, beside those that order the examples
MAX_CANDIDATES = 1000  # lengths that are tried as the end of a bucket


@dataclass(frozen=True)
class BucketedSplit(Split):
    """Training examples in memory whose batches hold sequences of like length.

    An epoch takes the same examples as without buckets. They are sorted by bucket, and not by
    length, so that the examples of a bucket meet in other batches in every epoch.

    Attributes:
        bounds: the longest length of each bucket, ascending; the last one is the longest of all.
    """

    bounds: tuple[int, ...] = ()

    def epoch_batches(self, batch_size: int, seed: int, epoch: tf.Tensor) -> tf.Tensor:
        order = tf.reshape(super().epoch_batches(batch_size, seed, epoch), [-1])
        buckets = np.searchsorted(self.bounds, self._lengths).astype(np.int32)  # [N]
        by_bucket = tf.argsort(tf.gather(buckets, order), stable=True)
        batches = tf.reshape(tf.gather(order, by_bucket), [-1, batch_size])
        key = tf.random.experimental.stateless_fold_in(
            tf.stack([tf.constant(seed, tf.int64), epoch]), BATCH_ORDER_STREAM
        )
        keys = tf.random.stateless_uniform([batches.shape[0]], key, None, None, tf.int64)
        return tf.gather(batches, tf.argsort(keys, stable=True))

    def references(self, batches: tf.Tensor, rows: slice) -> dict[str, tf.Tensor]:
        """Returns the indices of some rows, and the time steps to which the whole batch is padded.

        Several workers must pad the rows of a batch alike. Otherwise they would compile their
        steps in different orders, and wait in vain for each other's sums.
        """
        return {"indices": batches[:, rows], "time_steps": self._time_steps(batches)}

    def batch_reader(self) -> Callable[[Any], ExampleTensors]:
        read = super().batch_reader()

        def read_trimmed(references: Any) -> ExampleTensors:
            if not isinstance(references, dict):  # of `ordered`
                return read(references)
            x, y, lengths = read(references["indices"])
            until = references["time_steps"]
            return x[:, :until], y if y.shape.rank == 1 else y[:, :until], lengths

        return read_trimmed

    def padding(self, batch_size: int, seed: int) -> tuple[float, float]:
        """Returns which fraction of the time steps is padding: without buckets, and with them.

        Args:
            batch_size: the number of examples of a batch.
            seed: the seed of the order; it is the first epoch that is looked at.
        """
        batches = self.epoch_batches(batch_size, seed, tf.constant(0, tf.int64))
        valid = self._lengths[batches.numpy()].sum()
        without = batches.shape[0] * batch_size * self.x.shape[1]
        with_buckets = batch_size * self._time_steps(batches).numpy().sum()
        return 1 - float(valid / without), 1 - float(valid / with_buckets)

    def _time_steps(self, batches: tf.Tensor) -> tf.Tensor:
        """Returns the number of time steps of each batch, int32 `[steps]`."""
        bounds = tf.constant(self.bounds, tf.int32)
        longest = tf.reduce_max(tf.gather(tf.constant(self._lengths), batches), axis=1)
        return tf.gather(bounds, tf.searchsorted(bounds, longest))

    @property
    def _lengths(self) -> np.ndarray:
        assert self.lengths is not None
        return self.lengths.astype(np.int32)


def in_length_buckets(split: ExampleStore, count: int) -> ExampleStore:
    """Returns a training split whose batches hold sequences of like length.

    Args:
        split: the examples.
        count: the number of buckets, `length_buckets` of a config; 0 returns the split as it is.

    Raises:
        ConfigError: the examples are in shards, or their lengths do not vary.
    """
    if not count:
        return split
    if not isinstance(split, Split):
        raise ConfigError(
            "`length_buckets` sorts the training examples by their lengths, which is done in "
            f"memory and not for shards: set it to 0. Received: {count}"
        )
    if split.lengths is None:
        raise ConfigError(
            "`length_buckets` is for sequences of varying length, and here all of them have the "
            f"same number of time steps: set it to 0. Received: {count}"
        )
    own = {field.name: getattr(split, field.name) for field in fields(Split)}
    return BucketedSplit(**own, bounds=bucket_bounds(split.lengths, count))


def bucket_bounds(lengths: np.ndarray, count: int) -> tuple[int, ...]:
    """Divides lengths into buckets so that the fewest time steps are padding.

    Quantiles would put an equal number of examples into each bucket; where few sequences are much
    longer than the others, most of a bucket would be padded to their length.

    Args:
        lengths: int `[N]`, the number of valid time steps of each example.
        count: the largest number of buckets; fewer if there are fewer different lengths.

    Returns:
        The longest length of each bucket, ascending.

    Example:
        >>> bucket_bounds(np.array([4, 5, 5, 6, 7, 90]), 2)
        (7, 90)
    """
    ends, numbers = _candidates(lengths)
    until = np.concatenate([[0], np.cumsum(numbers)]).astype(np.int64)  # examples of ends[:j]
    # cost[i, j]: time steps of a bucket that holds the lengths ends[i : j + 1]
    cost = (until[1:] - until[:-1, None]) * ends.astype(np.int64)
    cost[np.tril_indices(len(ends), -1)] = np.iinfo(np.int64).max // 2
    best, begins = cost[0], []  # best[j]: the fewest time steps for ends[: j + 1], so many buckets
    for _ in range(min(count, len(ends)) - 1):
        totals = np.concatenate([[0], best[:-1]])[:, None] + cost  # the last bucket begins at i
        begins.append(totals.argmin(0))
        best = totals.min(0)
    bounds, j = [], len(ends) - 1
    for begin in [*reversed(begins), np.zeros(len(ends), int)]:
        bounds.append(int(ends[j]))
        j = int(begin[j]) - 1
        if j < 0:
            break
    return tuple(reversed(bounds))


def _candidates(lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the lengths at which a bucket may end, and how many examples each stands for."""
    ends = np.unique(lengths)
    if len(ends) > MAX_CANDIDATES:
        ends = ends[np.linspace(0, len(ends) - 1, MAX_CANDIDATES).round().astype(int)]
    return ends, np.bincount(np.searchsorted(ends, lengths), minlength=len(ends))
