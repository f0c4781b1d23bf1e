"""Makes the batches of a split: `training_batches` (endless, shuffled) and `evaluation_batches`.

They are two functions because they promise different things: training needs full batches in a new
order every epoch, evaluation needs every example exactly once.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from seqclf.data.augmentation import Augmentation, augment
from seqclf.data.dataset import DatasetSpec, ExampleStore
from seqclf.data.normalization import as_sequences
from seqclf.data.split import ExampleTensors
from seqclf.errors import ConfigError

AUGMENTATION_STREAM = -1  # stands in the place of the epoch: random numbers of their own
# float32 [B, T, D], or {"sequences": [B, T, D], "lengths": [B]} if lengths vary, or for text
# {"tokens": [B, T], "goes_on": [B]}
Inputs = Any
Batches = Any  # a tf.data.Dataset, or for shards a `CheckedBatches`: iterable, with `take(n)`


class ExampleWeights(NamedTuple):
    """How much training examples count in the loss.

    Attributes:
        per_class: float32 `[C]`, the factor of each class.
        per_example: float32 `[N]`, the factor of each example of a split in memory; None: all 1.
    """

    per_class: np.ndarray
    per_example: np.ndarray | None = None

    def of(self, references: Any, labels: tf.Tensor) -> tf.Tensor:
        """Returns the weights of a batch, float32, of the shape of its labels.

        Args:
            references: see `ExampleStore`.
            labels: int32 `[B]`, or `[B, T]`. The weight where there is no label has no meaning.
        """
        weights = tf.gather(tf.constant(self.per_class), tf.maximum(labels, 0))
        if self.per_example is not None:
            indices = references["indices"] if isinstance(references, dict) else references
            own = tf.gather(tf.constant(self.per_example), indices)
            weights *= own if len(labels.shape) == 1 else own[:, tf.newaxis]
        return weights


def steps_per_epoch(split: ExampleStore, batch_size: int) -> int:
    """Returns the number of full batches in an epoch; which examples are left over varies.

    Raises:
        ConfigError: a batch is larger than the split.
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
    weights: ExampleWeights | None = None,
) -> Batches:
    """Returns endless shuffled batches, from any step on.

    The batch of a step is a pure function of `seed` and the step: its examples (see `shuffled` of
    the split's class) and their augmentation. A resumed run therefore sees the same batches that it
    would have seen without the interruption. Several workers see the batches that one process would
    see, each worker its own rows of them.

    Args:
        split: the examples; they are normalised batch by batch.
        spec: the description of the examples.
        batch_size: B, the number of examples of a batch, over all workers.
        seed: the seed of the order and of the augmentation.
        first_step: the step of the first batch, counted from 0.
        augmentation: how images are distorted, batch by batch; None: not at all.
        worker: the index of the worker that gets the rows
            [worker·B/workers, (worker + 1)·B/workers) of each batch.
        workers: the number of workers that a batch is divided among.
        weights: how much the examples count; None: there are no weights.

    Returns:
        An iterable of `(inputs, labels)`, or with weights of `(inputs, labels, weights)`, weights
        float32; labels int32 `[B]`, or `[B, T]` with `NO_LABEL` where a time step has none; inputs
        float32 `[B, T, D]`, or `{"sequences": [B, T, D], "lengths": [B]}` where lengths vary;
        B/workers rows each. For text
        the inputs are `{"tokens": int32 [B, T], "goes_on": int32 [B]}`, see `TextSplit.shuffled`,
        and the labels int32 `[B, T]`. It is a `tf.data.Dataset`, or for shards a `CheckedBatches`.

    Raises:
        ConfigError: a batch is larger than the split, or cannot be divided among the workers.
        ValueError: `augmentation` is given for examples that are not images.
    """
    steps_per_epoch(split, batch_size)
    if batch_size % workers:
        raise ConfigError(
            "A step's examples (`batch_size` × `batch_selection`) must be a multiple of the "
            f"{workers} workers, which share them. Received: {batch_size}"
        )
    references = split.shuffled(batch_size, seed, first_step, worker, workers)
    read_batch = split.batch_reader()

    def weighed(refs: Any, batch: tuple[Inputs, tf.Tensor]) -> tuple[Any, ...]:
        return (*batch, weights.of(refs, batch[1])) if weights else batch

    if not augmentation:
        return split.watched(
            _batches(references, lambda refs: weighed(refs, _prepared(read_batch(refs), spec)))
        )
    if not spec.is_image:
        raise ValueError(f"Only images can be distorted. Received: {spec.source}, no images")
    steps = tf.data.Dataset.range(first_step, np.iinfo(np.int64).max)
    stream = tf.constant([seed, AUGMENTATION_STREAM], tf.int64)

    def augmented(refs: tf.Tensor, step: tf.Tensor) -> tuple[Any, ...]:
        x, y, _ = read_batch(refs)
        key = tf.random.experimental.stateless_fold_in(stream, step)
        distorted = augment(x, key, augmentation, worker, workers)
        return weighed(refs, (as_sequences(distorted, spec), y))

    return split.watched(_batches(tf.data.Dataset.zip(references, steps), augmented))


def evaluation_batches(
    split: ExampleStore,
    spec: DatasetSpec,
    batch_size: int = 512,
    worker: int = 0,
    workers: int = 1,
) -> Batches:
    """Returns batches that hold each example once, in order; the last batch may be smaller.

    Each of several workers gets the examples that `worker_part` names. The elements have the form
    of those of `training_batches`.
    """
    part = worker_part(len(split), worker, workers)
    references = split.ordered(batch_size, part.start, len(part))
    read_batch = split.batch_reader()
    return split.watched(_batches(references, lambda refs: _prepared(read_batch(refs), spec)))


def worker_part(count: int, worker: int, workers: int) -> range:
    """Returns the examples that a worker evaluates: equal parts, in order, the last one smaller.

    Args:
        count: the number of examples.
        worker: the index of the worker.
        workers: the number of workers.

    Example:
        >>> [worker_part(10, worker, 3) for worker in range(3)]
        [range(0, 4), range(4, 8), range(8, 10)]
    """
    size = -(-count // workers)
    return range(min(worker * size, count), min((worker + 1) * size, count))


def _batches(references: tf.data.Dataset, prepare: Callable[..., Any]) -> tf.data.Dataset:
    """Returns the batches that `prepare` makes of references."""
    plain = tf.autograph.experimental.do_not_convert(prepare)  # converting takes seconds
    batches = references.map(plain, num_parallel_calls=2, deterministic=True)
    # There is nothing to tune here, and in TensorFlow 2.21 an iterator that is dropped waits until
    # its tuner wakes up, which took 47 s at the end of a training of 90 s.
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.prefetch(4).with_options(options)


def _prepared(arrays: ExampleTensors, spec: DatasetSpec) -> tuple[Inputs, tf.Tensor]:
    x, y, lengths = arrays
    if spec.is_text:
        return {"tokens": x, "goes_on": lengths}, y
    if lengths is None:
        return as_sequences(x, spec), y
    return {"sequences": as_sequences(x, spec, lengths), "lengths": lengths}, y
