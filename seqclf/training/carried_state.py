"""`CarriedState`: the state that a training on text carries from batch to batch, and its dropout.

Truncated back-propagation through time: a batch begins with the state that the batch before ended
with, and the gradient goes back to the beginning of the batch only.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from seqclf.config import Config
from seqclf.errors import ConfigError
from seqclf.models.language_model import dropouts, recurrent_kernels, zero_state
from seqclf.training.distribution.workers import Workers

# Random numbers of their own: see `OFFSET_STREAM` and `AUGMENTATION_STREAM`.
MASK_STREAM, KERNEL_STREAM = -3, -4


class CarriedState:
    """The states after the last batch, one row for each row of a batch.

    Args:
        model: a language model.
        optimizer: built for the model's trainable variables; it counts the steps.
        config: a config as `effective_config` returns it; `batch_size`, `seed`,
            `model.weight_drop` and `data.windows` are read.
        workers: the workers that divide the batch among them. Each keeps its own rows.

    Attributes:
        variables: float32 `[B, H]` each, for checkpoints. Between two checkpoints a worker knows
            its own rows only. With random windows there are none.

    Raises:
        ConfigError: a process has several replicas, and the state is carried on.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        config: Config,
        workers: Workers,
    ):
        self._optimizer, self._workers = optimizer, workers
        self._seed, self._rows = config.seed, config.batch_size
        self._dropped = [(rate, (self._rows, width)) for rate, width in dropouts(model)]
        rate, kernels = config.model.weight_drop, recurrent_kernels(model)
        self._dropped_weights = [(rate, tuple(kernel.shape)) for kernel in kernels if rate]
        self._zeros = zero_state(model, 1)
        self.variables: list[keras.Variable] = []
        if config.data.windows == "random":
            return
        if workers.replicas > workers.count:
            raise ConfigError(
                "With `data.windows` 'consecutive' each process must have one replica, which keeps "
                f"the states of its rows. Received: {workers.replicas} replicas in {workers.count} "
                "processes. Set `distribute` to none, or `data.windows` to random."
            )
        self.variables = [
            keras.Variable(each, trainable=False, name=f"carried_{i}")
            for i, each in enumerate(zero_state(model, self._rows))
        ]

    def inputs(self, batch: dict[str, tf.Tensor]) -> dict[str, Any]:
        """Returns what the passes read; to be called inside `Workers.run`.

        Args:
            batch: `tokens` int32 `[b, T]`, and `goes_on` int32 `[b]`: see `TextSplit.shuffled`.

        Returns:
            `tokens`; `state`, the states before the first time step, `[b, H]` each; `masks`, see
            `advance`; and `kernel_masks`, see `without_weights`. What is dropped depends on the
            seed and the step alone.
        """
        rows = batch["tokens"].shape[0]
        if self.variables:
            kept = tf.cast(batch["goes_on"], tf.float32)[:, None]
            own = slice(self._workers.index * rows, (self._workers.index + 1) * rows)
            state = [kept * tf.convert_to_tensor(each)[own] for each in self.variables]
        else:
            state = [tf.repeat(tf.constant(each), rows, axis=0) for each in self._zeros]
        return {
            "tokens": batch["tokens"],
            "state": state,
            "masks": self._masks(),
            "kernel_masks": self._kernel_masks(),
        }

    def keep(self, state: tuple[tf.Tensor, ...]) -> None:
        """Keeps the states after a batch, `[b, H]` each."""
        for variable, after in zip(self.variables, state if self.variables else (), strict=True):
            rows, before = after.shape[0], self._workers.index * after.shape[0]
            variable.assign(tf.pad(after, [[before, self._rows - before - rows], [0, 0]]))

    def gather(self) -> None:
        """Gives every worker the rows of all of them, for a checkpoint; each worker calls it."""
        if self._workers.count > 1:
            for variable in self.variables:
                variable.assign(self._workers.sum_over_workers(self._own_rows(variable)))

    def _own_rows(self, variable: keras.Variable) -> np.ndarray:
        """Returns the variable with zeros in the other workers' rows."""
        values, rows = np.zeros(variable.shape, np.float32), self._rows // self._workers.count
        own = slice(self._workers.index * rows, (self._workers.index + 1) * rows)
        values[own] = np.asarray(variable)[own]
        return values

    def _masks(self) -> list[tf.Tensor]:
        """Returns the masks of the dropout layers for a step, `[b, F]` each."""
        masks = self._drawn(MASK_STREAM, self._dropped)
        return [self._workers.rows_of_replica(mask, of_all_workers=True) for mask in masks]

    def _kernel_masks(self) -> list[tf.Tensor]:
        """Returns the masks of the recurrent kernels for a step; without `weight_drop` []."""
        return self._drawn(KERNEL_STREAM, self._dropped_weights)

    def _drawn(
        self, stream: int, wanted: Sequence[tuple[float, tuple[int, ...]]]
    ) -> list[tf.Tensor]:
        """Returns masks of these rates p and shapes: 1/(1 - p) with a chance of 1 - p, else 0."""
        step = tf.cast(tf.convert_to_tensor(self._optimizer.iterations), tf.int64)
        seed = tf.constant([self._seed, stream], tf.int64)
        key = tf.random.experimental.stateless_fold_in(seed, step)
        masks = []
        for i, (rate, shape) in enumerate(wanted):
            of_layer = tf.random.experimental.stateless_fold_in(key, i)
            drawn = tf.random.stateless_uniform(shape, of_layer)
            masks.append(tf.cast(drawn >= rate, tf.float32) / (1 - rate))
        return masks
