"""The examples of one split: what every kind of split can do, and the kind that is in memory.

The other kind, `seqclf.data.shards.split.StreamedSplit`, reads files. The pipeline asks both for
*references*: what stands for the examples of a batch until they are wanted, indices here and
serialized records there. Whatever is skipped on the way to a step is skipped as references.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

ExampleTensors = tuple[tf.Tensor, tf.Tensor, tf.Tensor | None]  # x, y, lengths


class ExampleStore(Protocol):
    """What training, evaluation and reports need of a split."""

    def __len__(self) -> int:
        """Returns the number of examples."""
        ...

    def take(self, indices: np.ndarray) -> "Split":
        """Returns the examples at `indices`, in that order, in memory."""
        ...

    def epoch_examples(self, batch_size: int) -> int:
        """Returns how many examples every epoch is sure to have for batches of that size."""
        ...

    def shuffled(
        self, batch_size: int, seed: int, first_step: int, worker: int, workers: int
    ) -> tf.data.Dataset:
        """Returns endless references to a worker's rows of the batches from `first_step` on.

        The batch of a step is a function of seed and step alone, whatever `workers` is: worker w
        has its rows [w·B/W, (w+1)·B/W).

        Raises:
            ConfigError: the batch cannot be divided among so many workers.
        """
        ...

    def ordered(self, batch_size: int, first: int, count: int) -> tf.data.Dataset:
        """Returns references to the examples [first, first + count), in order, in batches."""
        ...

    def batch_reader(self) -> Callable[[tf.Tensor], ExampleTensors]:
        """Returns the function that turns the references of a batch into raw examples.

        They are x `[B, *raw_shape]`, y int32 `[B]`, and lengths int32 `[B]` or None.
        """
        ...

    def watched(self, batches: tf.data.Dataset) -> Iterable[Any]:
        """Returns batches made of this split's references; what fails in reading is a DataError."""
        ...

    def update(self, digest: "hashlib._Hash", name: str) -> None:
        """Adds to a digest what tells these examples from others."""
        ...


@dataclass(frozen=True)
class Split:
    """Raw examples in memory, as the source gives them; it does what `ExampleStore` says.

    Attributes:
        x: `[N, *raw_shape]`, uint8 or float32; what lies beyond an example's length is padding.
        y: `[N]`, int32 class indices.
        lengths: `[N]`, int32 valid steps of each example, or None when all are `steps` long.
    """

    x: np.ndarray
    y: np.ndarray
    lengths: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.y)

    def take(self, indices: np.ndarray) -> "Split":
        lengths = None if self.lengths is None else self.lengths[indices]
        return Split(self.x[indices], self.y[indices], lengths)

    def epoch_examples(self, batch_size: int) -> int:
        return len(self)

    def shuffled(
        self, batch_size: int, seed: int, first_step: int, worker: int, workers: int
    ) -> tf.data.Dataset:
        """Returns indices, int32 `[B/W]`: the order is that of random keys from `[seed, epoch]`.

        A step is thus reached at no cost. (`tf.random.experimental.index_shuffle` would do without
        a permutation in memory, but does not give all orders alike: a test says so.)
        """
        epoch_steps = len(self) // batch_size
        first_epoch, position = divmod(first_step, epoch_steps)
        rows = slice(worker * batch_size // workers, (worker + 1) * batch_size // workers)

        def epoch_indices(epoch: tf.Tensor) -> tf.data.Dataset:
            keys = tf.random.stateless_uniform(
                [len(self)], tf.stack([tf.constant(seed, tf.int64), epoch]), None, None, tf.int64
            )
            order = tf.argsort(keys, stable=True)[: epoch_steps * batch_size]
            batches = tf.reshape(order, [epoch_steps, batch_size])[:, rows]
            skipped = tf.where(epoch == first_epoch, tf.constant(position, tf.int64), 0)
            return tf.data.Dataset.from_tensor_slices(batches).skip(skipped)

        epochs = tf.data.Dataset.range(first_epoch, np.iinfo(np.int64).max)
        return epochs.flat_map(epoch_indices)

    def ordered(self, batch_size: int, first: int, count: int) -> tf.data.Dataset:
        return tf.data.Dataset.range(first, first + count).batch(batch_size)

    def batch_reader(self) -> Callable[[tf.Tensor], ExampleTensors]:
        with tf.device("cpu:0"):
            x, y = tf.constant(self.x), tf.constant(self.y)
            lengths = None if self.lengths is None else tf.constant(self.lengths)

        def gather(indices: tf.Tensor) -> ExampleTensors:
            valid = None if lengths is None else tf.gather(lengths, indices)
            return tf.gather(x, indices), tf.gather(y, indices), valid

        return gather

    def watched(self, batches: tf.data.Dataset) -> tf.data.Dataset:
        return batches

    def update(self, digest: "hashlib._Hash", name: str) -> None:
        arrays = [self.x, self.y] + ([] if self.lengths is None else [self.lengths])
        for array in arrays:
            digest.update(f"{name} {array.dtype} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
