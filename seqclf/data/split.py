"""The examples of one split: what every kind of split can do, and the kind that is in memory.

The other kind, `seqclf.data.shards.split.StreamedSplit`, reads files. The pipeline asks both for
*references*, which stand for the examples of a batch until their values are needed: indices for
examples in memory (see also `seqclf.data.length_buckets`), serialized records for examples in
files. To reach a step in the middle of an
epoch the pipeline skips references, which is cheap, instead of examples.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

ExampleTensors = tuple[tf.Tensor, tf.Tensor, tf.Tensor | None]  # x, y, lengths


class ExampleStore(Protocol):
    """The methods of a split that training, evaluation and reports use."""

    @property
    def labels(self) -> np.ndarray:
        """The class index of each example, int `[N]`; examples in files are read for it, once.

        Where time steps have labels it is int `[N, T]`, see `Split.y`.
        """
        ...

    def __len__(self) -> int:
        """Returns the number of examples."""
        ...

    def take(self, indices: np.ndarray) -> "Split":
        """Returns the examples at `indices`, in that order, in memory."""
        ...

    def epoch_examples(self, batch_size: int) -> int:
        """Returns the number of examples that every epoch has at least, for that batch size."""
        ...

    def shuffled(
        self, batch_size: int, seed: int, first_step: int, worker: int, workers: int
    ) -> tf.data.Dataset:
        """Returns endless references to a worker's rows of the batches from `first_step` on.

        The batch of a step depends on the seed and the step alone, and not on the number of
        workers: worker w of W has the rows [w·B/W, (w+1)·B/W).

        Raises:
            ConfigError: the batch cannot be divided among that many workers.
        """
        ...

    def ordered(self, batch_size: int, first: int, count: int) -> tf.data.Dataset:
        """Returns references to the examples [first, first + count), in order, in batches."""
        ...

    def batch_reader(self) -> Callable[[tf.Tensor], ExampleTensors]:
        """Returns the function that turns the references of a batch into raw examples.

        It returns x `[B, *raw_shape]`, y int32 `[B]` or `[B, T]`, and lengths int32 `[B]` or None.
        """
        ...

    def watched(self, batches: tf.data.Dataset) -> Iterable[Any]:
        """Returns the same batches; an error while they are read is raised as a DataError.

        Args:
            batches: a `tf.data.Dataset` made from references to this split.
        """
        ...

    def update(self, digest: "hashlib._Hash", name: str) -> None:
        """Adds to a digest what distinguishes these examples from others.

        Args:
            digest: the digest that is extended.
            name: the split's name.
        """
        ...


@dataclass(frozen=True)
class Split:
    """Raw examples in memory, as the source gives them; an `ExampleStore`.

    Attributes:
        x: `[N, *raw_shape]`, uint8 or float32; time steps beyond an example's length are padding.
        y: `[N]`, int32 class indices; or `[N, T]`, one for each time step, and `NO_LABEL` (-1)
            where it has none.
        lengths: `[N]`, int32 number of valid time steps of each example, or None when all time
            steps are valid.
        ids: `[N]` strings, the name of each example, or None when examples have no names.
        weights: `[N]`, float32, how much each example counts in the loss of a training; None: all
            alike.
    """

    x: np.ndarray
    y: np.ndarray
    lengths: np.ndarray | None = None
    ids: np.ndarray | None = None
    weights: np.ndarray | None = None

    @property
    def labels(self) -> np.ndarray:
        return self.y

    def __len__(self) -> int:
        return len(self.y)

    def take(self, indices: np.ndarray) -> "Split":
        lengths = None if self.lengths is None else self.lengths[indices]
        ids = None if self.ids is None else self.ids[indices]
        weights = None if self.weights is None else self.weights[indices]
        return Split(self.x[indices], self.y[indices], lengths, ids, weights)

    def epoch_examples(self, batch_size: int) -> int:
        return len(self)

    def shuffled(
        self, batch_size: int, seed: int, first_step: int, worker: int, workers: int
    ) -> tf.data.Dataset:
        """Returns indices, int32 `[B/W]`, in the order of `epoch_batches`.

        Any step can be reached at once, without going through the steps before it.
        """
        epoch_steps = len(self) // batch_size
        first_epoch, position = divmod(first_step, epoch_steps)
        rows = slice(worker * batch_size // workers, (worker + 1) * batch_size // workers)

        @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]  # no types
        def epoch_references(epoch: tf.Tensor) -> tf.data.Dataset:
            batches = self.epoch_batches(batch_size, seed, epoch)
            skipped = tf.where(epoch == first_epoch, tf.constant(position, tf.int64), 0)
            return tf.data.Dataset.from_tensor_slices(self.references(batches, rows)).skip(skipped)

        epochs = tf.data.Dataset.range(first_epoch, np.iinfo(np.int64).max)
        return epochs.flat_map(epoch_references)

    def epoch_batches(self, batch_size: int, seed: int, epoch: tf.Tensor) -> tf.Tensor:
        """Returns the indices of the full batches of an epoch, int32 `[steps, B]`.

        Random keys drawn from `[seed, epoch]` give the order.
        (`tf.random.experimental.index_shuffle` would need no permutation in memory, but does not
        make all orders equally likely; a test shows it.)

        Args:
            batch_size: B, the number of examples of a batch.
            seed: the seed of the order.
            epoch: the number of the epoch, int64 scalar.
        """
        keys = tf.random.stateless_uniform(
            [len(self)], tf.stack([tf.constant(seed, tf.int64), epoch]), None, None, tf.int64
        )
        epoch_steps = len(self) // batch_size
        order = tf.argsort(keys, stable=True)[: epoch_steps * batch_size]
        return tf.reshape(order, [epoch_steps, batch_size])

    def references(self, batches: tf.Tensor, rows: slice) -> Any:
        """Returns references to some rows of batches, with one entry for each batch.

        Args:
            batches: the indices of their examples, int32 `[steps, B]`.
            rows: the rows that are wanted.
        """
        return batches[:, rows]

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
        arrays = [self.x, self.y, *(a for a in (self.lengths, self.weights) if a is not None)]
        for array in arrays:
            digest.update(f"{name} {array.dtype} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
