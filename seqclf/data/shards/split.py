"""The examples of a split that stay in their files: `StreamedSplit`."""

import dataclasses
import functools
import hashlib
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from seqclf.data.shards.damage import damage
from seqclf.data.shards.order import ShuffledShards, lane_examples, lanes_in_use, shortfall
from seqclf.data.shards.schema import Schema, Shard
from seqclf.data.split import ExampleTensors, Split
from seqclf.errors import DataError


@dataclasses.dataclass(frozen=True)
class StreamedSplit:
    """The examples of a split that stay in shards; an `ExampleStore` that reads on demand.

    Attributes:
        folder: the folder of the shards, local or in a cloud.
        schema: the schema of all shards in the folder.
        name: the name of the split.
        buffer: the number of examples that are held in memory to shuffle them.
    """

    folder: str
    schema: Schema
    name: str
    buffer: int

    @property
    def shards(self) -> tuple[Shard, ...]:
        return self.schema.shards[self.name]

    @property
    def files(self) -> list[str]:
        return [f"{self.folder}/{shard.file}" for shard in self.shards]

    @functools.cached_property
    def labels(self) -> np.ndarray:
        """The class index of each example, int `[N]`; all shards are read for it, but once.

        Where time steps have labels it is int `[N, T]`.
        """
        parse = self.batch_reader()
        batches = self.ordered(512, 0, len(self)).map(lambda records: parse(records)[1])
        labels = (y.numpy() for y in self.watched(batches))
        none = np.zeros([0, self.schema.shape[0]] if self.schema.per_step else [0], np.int32)
        return np.concatenate([none, *labels])

    def __len__(self) -> int:
        return sum(shard.examples for shard in self.shards)

    def take(self, indices: np.ndarray) -> Split:
        """Reads each shard that holds wanted examples, up to the last wanted one."""
        records: dict[int, bytes] = {}
        starts = np.cumsum([0] + [shard.examples for shard in self.shards])
        for file, (start, end) in zip(self.files, itertools.pairwise(starts), strict=True):
            here = np.unique(indices[(indices >= start) & (indices < end)])
            if len(here):
                wanted = tf.constant(np.isin(np.arange(start, here[-1] + 1), here))
                found = self.watched(_wanted_records(file, wanted))
                records |= zip(here.tolist(), (record.numpy() for record in found), strict=True)
        chosen = tf.constant([records[i] for i in np.asarray(indices).tolist()])
        batch = tf.data.Dataset.from_tensors(chosen).map(self.batch_reader())
        x, y, lengths = next(iter(self.watched(batch)))
        return Split(x.numpy(), y.numpy(), None if lengths is None else lengths.numpy())

    def epoch_examples(self, batch_size: int) -> int:
        used = lanes_in_use(self._lanes, batch_size)
        return used * lane_examples([shard.examples for shard in self.shards], used)

    def shuffled(
        self, batch_size: int, seed: int, first_step: int, worker: int, workers: int
    ) -> tf.data.Dataset:
        """Returns records, strings `[B/W]`, in the order that `seqclf.data.shards.order` gives."""
        shards = ShuffledShards(
            files=self.files,
            counts=[shard.examples for shard in self.shards],
            lanes=self._lanes,
            batch_size=batch_size,
            buffer=self.buffer,
            seed=seed,
        )
        return shards.batches(first_step, worker, workers)

    def ordered(self, batch_size: int, first: int, count: int) -> tf.data.Dataset:
        """Returns records in the order of the shards; earlier shards are not read."""
        ends = np.cumsum([shard.examples for shard in self.shards])
        begin, end = np.searchsorted(ends, [first, first + count - 1], side="right")
        files = self.files[begin : end + 1]
        if not count or not files:
            return tf.data.Dataset.from_tensor_slices(tf.zeros([0], tf.string)).batch(batch_size)
        before = first - (ends[begin] - self.shards[begin].examples)
        records = tf.data.TFRecordDataset(files).concatenate(shortfall())
        return records.skip(before).take(count).batch(batch_size)

    def batch_reader(self) -> Callable[[tf.Tensor], ExampleTensors]:
        return self.schema.layout.parse

    def watched(self, batches: tf.data.Dataset) -> "CheckedBatches":
        return CheckedBatches(batches, self)

    def update(self, digest: "hashlib._Hash", name: str) -> None:
        digest.update(f"{name} {self.schema.shards[self.name]} {self.schema.lanes}".encode())

    @property
    def _lanes(self) -> int:
        """The number of lanes of this split: fewer than in training if it has too few shards."""
        return math.gcd(self.schema.lanes, len(self.shards))


class CheckedBatches:
    """Batches whose reading errors are raised as a `DataError` that names the file.

    TensorFlow's own errors say which operation failed, but not in which file.

    Args:
        batches: the batches that are iterated over.
        split: the split that they come from.
    """

    def __init__(self, batches: tf.data.Dataset, split: StreamedSplit):
        self._batches = batches
        self._split = split

    def take(self, count: int) -> "CheckedBatches":
        """Returns the first `count` batches, as `tf.data.Dataset.take` does."""
        return CheckedBatches(self._batches.take(count), self._split)

    def __iter__(self) -> Iterator[Any]:
        try:
            yield from self._batches
        except tf.errors.ResourceExhaustedError:  # too little memory, no fault of the files
            raise
        except tf.errors.OpError as error:
            split = self._split
            found = damage(split.folder, split.shards, split.schema)
            raise DataError(
                found or f"{split.folder}: the shards cannot be read: {error.message}"
            ) from error


def _wanted_records(file: str, wanted: tf.Tensor) -> tf.data.Dataset:
    """Returns those records of a file whose positions are marked.

    Args:
        file: the path of the shard.
        wanted: bool `[n]`, a mark for each of the first n records.
    """
    records = tf.data.TFRecordDataset(file).concatenate(shortfall())
    places = tf.data.Dataset.range(
        len(wanted)
    )  # first, so that it ends before the shortfall is reached
    marked = tf.data.Dataset.zip(places, records).filter(lambda place, _: wanted[place])
    return marked.map(lambda _, record: record)
