"""From a split to batches: `training_batches` (endless, shuffled, resumable), `evaluation_batches`.

They are two functions because they promise different things: training wants full batches in a new
order every epoch, evaluation wants every example exactly once.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from seqclf.data.augmentation import Augmentation, augment
from seqclf.data.dataset import DatasetSpec, Split
from seqclf.data.normalization import as_sequences
from seqclf.errors import ConfigError

Arrays = tuple[tf.Tensor, tf.Tensor, tf.Tensor | None]  # x, y, lengths
DISTORTIONS = -1  # where the keys of the order have the epoch: another stream of random numbers
Inputs = Any  # float32 [B, T, D], or {"sequences": [B, T, D], "lengths": [B]} if lengths vary


def steps_per_epoch(split: Split, batch_size: int) -> int:
    """Returns the full batches of an epoch; the examples left over are others in each epoch.

    Raises:
        ConfigError: a batch exceeds the split.
    """
    if batch_size > len(split):
        raise ConfigError(
            "A step must not read more examples (`batch_size` × `batch_selection`) than the "
            f"{len(split)} that there are to train on. Received: {batch_size}"
        )
    return len(split) // batch_size


def training_batches(
    split: Split,
    spec: DatasetSpec,
    batch_size: int,
    seed: int,
    first_step: int = 0,
    augmentation: Augmentation | None = None,
    *,
    worker: int = 0,
    workers: int = 1,
) -> tf.data.Dataset:
    """Returns endless shuffled batches, from any step on.

    The batch of a step is a pure function of `seed` and the step: the order of an epoch is that of
    random keys drawn from `[seed, epoch]`, and distortions are drawn from seed and step. A resumed
    run thus starts at its step at no cost and sees the very batches that it would have seen.
    (`tf.random.experimental.index_shuffle` would do without a permutation in memory, but does not
    give all orders alike: a test here says so.)

    Args:
        split: examples; they stay in memory as they are and are normalised batch by batch.
        spec: their description.
        batch_size: B.
        seed: of the order and of the distortions.
        first_step: the step, counted from 0, of the first batch.
        augmentation: how images are distorted, batch by batch; None: not at all.
        worker: which of the workers that share each batch.
        workers: their number W; each gets B / W rows of it.

    Returns:
        A `tf.data.Dataset` of `(inputs, labels)`: labels int32 `[B]`; inputs float32 `[B, T, D]`,
        or `{"sequences": [B, T, D], "lengths": [B]}` where lengths vary.

    Raises:
        ConfigError: a batch exceeds the split.
        ValueError: `augmentation` for examples that are no images.
    """
    epoch_steps = steps_per_epoch(split, batch_size)
    arrays = _tensors(split)

    first_epoch, position = divmod(first_step, epoch_steps)

    def epoch_indices(epoch: tf.Tensor) -> tf.data.Dataset:
        keys = tf.random.stateless_uniform(
            [len(split)], tf.stack([tf.constant(seed, tf.int64), epoch]), None, None, tf.int64
        )
        order = tf.argsort(keys, stable=True)[: epoch_steps * batch_size]
        rows = tf.reshape(order, [epoch_steps, workers, batch_size // workers])[:, worker]
        batches = tf.data.Dataset.from_tensor_slices(rows)
        return batches.skip(tf.where(epoch == first_epoch, tf.constant(position, tf.int64), 0))

    epochs = tf.data.Dataset.range(first_epoch, np.iinfo(np.int64).max)
    indices = epochs.flat_map(epoch_indices)
    if not augmentation:
        return _batches(indices, lambda index: _gather(arrays, index, spec))
    if not spec.is_image:
        raise ValueError(f"Only images can be distorted. Received: {spec.source}, no images")
    steps = tf.data.Dataset.range(first_step, np.iinfo(np.int64).max)
    distortions = tf.constant([seed, DISTORTIONS], tf.int64)

    def distorted(index: tf.Tensor, step: tf.Tensor) -> tuple[Inputs, tf.Tensor]:
        x, y, _ = arrays
        images = augment(
            tf.gather(x, index),
            tf.random.experimental.stateless_fold_in(distortions, step),
            augmentation,
        )
        return as_sequences(images, spec), tf.gather(y, index)

    return _batches(tf.data.Dataset.zip(indices, steps), distorted)


def part_of(count: int, worker: int, workers: int) -> tuple[int, int]:
    """Returns first and end of the examples of which a worker takes care in an evaluation."""
    size = -(-count // workers)
    return min(count, worker * size), min(count, (worker + 1) * size)


def evaluation_batches(
    split: Split, spec: DatasetSpec, batch_size: int = 512, *, worker: int = 0, workers: int = 1
) -> tf.data.Dataset:
    """Returns each example once, in order; the last batch may be smaller.

    Elements are those of `training_batches`.
    """
    arrays = _tensors(split)
    indices = tf.data.Dataset.range(*part_of(len(split), worker, workers)).batch(batch_size)
    return _batches(indices, lambda index: _gather(arrays, index, spec))


def _batches(indices: tf.data.Dataset, gather: Callable) -> tf.data.Dataset:
    batches = indices.map(gather, num_parallel_calls=2, deterministic=True)
    # There is nothing to tune here, and in TensorFlow 2.21 an iterator that is dropped waits until
    # its tuner wakes up: 47 s at the end of a training of 90 s.
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.prefetch(4).with_options(options)


def _tensors(split: Split) -> Arrays:
    with tf.device("cpu:0"):
        lengths = None if split.lengths is None else tf.constant(split.lengths)
        return tf.constant(split.x), tf.constant(split.y), lengths


def _gather(arrays: Arrays, indices: tf.Tensor, spec: DatasetSpec) -> tuple[Inputs, tf.Tensor]:
    x, y, lengths = arrays
    if lengths is None:
        return as_sequences(tf.gather(x, indices), spec), tf.gather(y, indices)
    valid = tf.gather(lengths, indices)
    sequences = as_sequences(tf.gather(x, indices), spec, valid)
    return {"sequences": sequences, "lengths": valid}, tf.gather(y, indices)
