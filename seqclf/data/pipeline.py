"""From a split to batches: `training_batches` (endless, shuffled, resumable), `evaluation_batches`.

They are two functions because they promise different things: training wants full batches in a new
order every epoch, evaluation wants every example exactly once.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from seqclf.data.augmentation import Augmentation, augment
from seqclf.data.dataset import DatasetSpec, ExampleStore
from seqclf.data.normalization import as_sequences
from seqclf.data.split import ExampleTensors
from seqclf.errors import ConfigError

DISTORTIONS = -1  # where the keys of the order have the epoch: another stream of random numbers
Inputs = Any  # float32 [B, T, D], or {"sequences": [B, T, D], "lengths": [B]} if lengths vary
Batches = Any  # a tf.data.Dataset, or of shards a `CheckedBatches`: to iterate, and to `take(n)`


def steps_per_epoch(split: ExampleStore, batch_size: int) -> int:
    """Returns the full batches of an epoch; the examples left over are others in each epoch.

    Raises:
        ConfigError: a batch exceeds the split.
    """
    examples = split.epoch_examples(batch_size)
    if batch_size > examples:
        raise ConfigError(
            "A step must not read more examples (`batch_size` × `batch_selection`) than the "
            f"{examples} that there are to train on. Received: {batch_size}"
        )
    return examples // batch_size


def training_batches(
    split: ExampleStore,
    spec: DatasetSpec,
    batch_size: int,
    seed: int,
    first_step: int = 0,
    augmentation: Augmentation | None = None,
    worker: int = 0,
    workers: int = 1,
) -> Batches:
    """Returns endless shuffled batches, from any step on.

    The batch of a step is a pure function of `seed` and the step: its examples (see `shuffled` of
    the split's class), and its distortions, which are drawn from seed and step. A resumed run thus
    sees the very batches that it would have seen. Several workers see the batches that one process
    would see, each its rows of them.

    Args:
        split: examples; they are normalised batch by batch.
        spec: their description.
        batch_size: B, of all workers together.
        seed: of the order and of the distortions.
        first_step: the step, counted from 0, of the first batch.
        augmentation: how images are distorted, batch by batch; None: not at all.
        worker: which rows are wanted: [worker·B/workers, (worker + 1)·B/workers).
        workers: among how many processes a batch is divided.

    Returns:
        An iterable of `(inputs, labels)`: labels int32 `[B]`; inputs float32 `[B, T, D]`, or
        `{"sequences": [B, T, D], "lengths": [B]}` where lengths vary; B/workers rows each. It is a
        `tf.data.Dataset`, or for shards a `CheckedBatches`.

    Raises:
        ConfigError: a batch exceeds the split, or cannot be divided among the workers.
        ValueError: `augmentation` for examples that are no images.
    """
    steps_per_epoch(split, batch_size)
    if batch_size % workers:
        raise ConfigError(
            "A step's examples (`batch_size` × `batch_selection`) must be a multiple of the "
            f"{workers} workers, which share them. Received: {batch_size}"
        )
    references = split.shuffled(batch_size, seed, first_step, worker, workers)
    read = split.batch_reader()
    if not augmentation:
        return split.watched(_batches(references, lambda of: _prepared(read(of), spec)))
    if not spec.is_image:
        raise ValueError(f"Only images can be distorted. Received: {spec.source}, no images")
    steps = tf.data.Dataset.range(first_step, np.iinfo(np.int64).max)
    distortions = tf.constant([seed, DISTORTIONS], tf.int64)

    def distorted(of: tf.Tensor, step: tf.Tensor) -> tuple[Inputs, tf.Tensor]:
        x, y, _ = read(of)
        key = tf.random.experimental.stateless_fold_in(distortions, step)
        return as_sequences(augment(x, key, augmentation, worker, workers), spec), y

    return split.watched(_batches(tf.data.Dataset.zip(references, steps), distorted))


def evaluation_batches(
    split: ExampleStore,
    spec: DatasetSpec,
    batch_size: int = 512,
    worker: int = 0,
    workers: int = 1,
) -> Batches:
    """Returns each example once, in order; the last batch may be smaller.

    Of several workers each has the part that `worker_part` says. Elements are those of
    `training_batches`.
    """
    part = worker_part(len(split), worker, workers)
    references = split.ordered(batch_size, part.start, len(part))
    read = split.batch_reader()
    return split.watched(_batches(references, lambda of: _prepared(read(of), spec)))


def worker_part(count: int, worker: int, workers: int) -> range:
    """Returns which of `count` examples a worker evaluates: equal parts, in order, the last less.

    Example:
        >>> [worker_part(10, worker, 3) for worker in range(3)]
        [range(0, 4), range(4, 8), range(8, 10)]
    """
    size = -(-count // workers)
    return range(min(worker * size, count), min((worker + 1) * size, count))


def _batches(references: tf.data.Dataset, prepare: Callable) -> tf.data.Dataset:
    batches = references.map(prepare, num_parallel_calls=2, deterministic=True)
    # There is nothing to tune here, and in TensorFlow 2.21 an iterator that is dropped waits until
    # its tuner wakes up: 47 s at the end of a training of 90 s.
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.prefetch(4).with_options(options)


def _prepared(arrays: ExampleTensors, spec: DatasetSpec) -> tuple[Inputs, tf.Tensor]:
    x, y, lengths = arrays
    if lengths is None:
        return as_sequences(x, spec), y
    return {"sequences": as_sequences(x, spec, lengths), "lengths": lengths}, y
