"""The forward and the backward pass over one replica's examples, compiled in one of two ways.

Matrix products as small as a recurrent layer's leave a second thread idle. So the batch is split
into shares, and each core works on one of them. What XLA compiles is

    in `SharePasses`   the passes over a share as a whole, or, with one share, the step around them;
    in `LayerPasses`   the recurrent layers only, which split the batch themselves, or nothing: the
                       native operations need no compiling.

The results are those of the whole batch, to rounding.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from seqclf.config import Config
from seqclf.data.pipeline import Inputs
from seqclf.data.step_labels import NO_LABEL
from seqclf.layers.batch_shares import split_batch
from seqclf.layers.compiled import compiled
from seqclf.layers.execution import execution, suggested_shares
from seqclf.models.classifier import classifies_steps
from seqclf.models.language_model import advance, is_language_model, without_weights
from seqclf.training.distribution.workers import Workers
from seqclf.training.native import trains_natively


class ExampleLosses(NamedTuple):
    """Numbers about each example.

    Attributes:
        loss: cross-entropy, label smoothing included, times the example's weight; float32 `[b]`. Of
            a text it is the sum over the time steps; of sequences with labels of time steps, the
            sum over those that have one.
        correct: whether the most probable class is the true one; bool `[b]`. Of a text, and where
            time steps have labels, it is the number of time steps where it is; int32 `[b]`.
        state: for a text the states after the last time step, `[b, H]` each; otherwise ().
    """

    loss: tf.Tensor
    correct: tf.Tensor
    state: tuple[tf.Tensor, ...] = ()


class Passes:
    """The forward and the backward pass over one replica's examples.

    Args:
        model: gives logits `[b, C]`, or `[b, T, C]` for labels of time steps; or a language model.
        optimizer: scales the loss where the precision is float16.
        config: a resolved config; `label_smoothing` is read.

    Attributes:
        compiles_step: whether the caller must compile the step around the passes, because nothing
            in them is compiled.
    """

    compiles_step = False

    def __init__(self, model: keras.Model, optimizer: keras.optimizers.Optimizer, config: Config):
        self._model = model
        self._optimizer = optimizer
        self._reads_text = is_language_model(model)
        self._per_step = not self._reads_text and classifies_steps(model)
        self._cross_entropy = keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=config.label_smoothing, reduction="none"
        )

    def losses(self, inputs: Inputs, labels: tf.Tensor) -> ExampleLosses:
        """Returns the losses of examples, computed without dropout.

        Args:
            inputs: see `training_batches`; for text see `CarriedState.inputs`.
            labels: int32 `[b]`; of text and of time steps `[b, T]`.
        """
        raise NotImplementedError

    def losses_and_gradients(
        self, inputs: Inputs, labels: tf.Tensor, *weights: tf.Tensor
    ) -> tuple[ExampleLosses, list[tf.Tensor]]:
        """Returns the losses of examples, and the gradients of their sum.

        Args:
            inputs: see `training_batches`; for text see `CarriedState.inputs`.
            labels: int32 `[b]`; of text and of time steps `[b, T]`.
            weights: nothing, or one tensor: the weight of each label, float32, of their shape.

        Returns:
            The losses, computed with dropout, and one gradient for each trainable variable.
        """
        raise NotImplementedError

    def _forward(
        self, inputs: Inputs, labels: tf.Tensor, *weights: tf.Tensor, training: bool = False
    ) -> ExampleLosses:
        if self._reads_text:
            return self._read_text(inputs, labels, training)
        logits = self._model(inputs, training=training)  # [b, C] or [b, T, C]
        loss = self._cross_entropy(tf.one_hot(labels, logits.shape[-1]), logits)
        for weight in weights:
            loss *= weight
        if self._per_step:
            return _sums_over_steps(loss, labels, logits)
        return ExampleLosses(loss, tf.argmax(logits, axis=-1, output_type=labels.dtype) == labels)

    def _read_text(self, inputs: Inputs, labels: tf.Tensor, training: bool) -> ExampleLosses:
        with without_weights(self._model, inputs["kernel_masks"]):
            logits, state = advance(
                self._model, inputs["tokens"], inputs["state"], inputs["masks"], training
            )  # [b, T, V]
        loss = self._cross_entropy(tf.one_hot(labels, logits.shape[-1]), logits)  # [b, T]
        return _sums_over_steps(loss, labels, logits)._replace(state=tuple(state))

    def _forward_and_backward(
        self, inputs: Inputs, labels: tf.Tensor, *weights: tf.Tensor
    ) -> tuple[ExampleLosses, list[tf.Tensor]]:
        with tf.GradientTape() as tape:
            losses = self._forward(inputs, labels, *weights, training=True)
            scaled_loss = self._optimizer.scale_loss(tf.reduce_sum(losses.loss))
        gradients = tape.gradient(scaled_loss, self._model.trainable_variables)
        # The gradient of an embedding is sparse, and the shares' gradients are added up.
        return losses, [tf.convert_to_tensor(each) for each in gradients]


class SharePasses(Passes):
    """Passes that are compiled as a whole, share by share.

    Args:
        model: see `Passes`.
        optimizer: see `Passes`.
        config: see `Passes`.
        shares: number of shares of the batch.
        compiles_step: True compiles nothing here: the caller compiles the step around the passes.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        config: Config,
        shares: int,
        compiles_step: bool,
    ):
        super().__init__(model, optimizer, config)
        self._shares = shares
        self.compiles_step = compiles_step
        self._share_losses: Callable[..., Any] = self._forward
        self._share_gradients: Callable[..., Any] = self._forward_and_backward
        if not compiles_step:
            self._share_losses = compiled(self._forward, jit_compile=True)
            self._share_gradients = compiled(self._forward_and_backward, jit_compile=True)

    def losses(self, inputs: Inputs, labels: tf.Tensor) -> ExampleLosses:
        with execution(xla="caller", shares=1, gradient=False):
            results = [self._share_losses(*share) for share in self._split(inputs, labels)]
        return _concatenated(results)

    def losses_and_gradients(
        self, inputs: Inputs, labels: tf.Tensor, *weights: tf.Tensor
    ) -> tuple[ExampleLosses, list[tf.Tensor]]:
        with execution(xla="caller", shares=1):
            shares = self._split(inputs, labels, *weights)
            results = [self._share_gradients(*share) for share in shares]
        losses, gradients = zip(*results, strict=True)
        # One order of addition: the same batch gives the same bits.
        return _concatenated(losses), [tf.add_n(parts) for parts in zip(*gradients, strict=True)]

    def _split(self, inputs: Inputs, *of_rows: tf.Tensor) -> list[Any]:
        """Returns the arguments of each share: its rows, and the masks of kernels as they are."""
        if not self._reads_text:
            return split_batch((inputs, *of_rows), self._shares)
        rows = {name: each for name, each in inputs.items() if name != "kernel_masks"}
        return [
            ({**share, "kernel_masks": inputs["kernel_masks"]}, *rest)
            for share, *rest in split_batch((rows, *of_rows), self._shares)
        ]


class LayerPasses(Passes):
    """Passes in which XLA compiles the recurrent layers only, or nothing.

    Nothing is left to it with `jit_compile=False`, and where the layers take the native operations.

    Args:
        model: see `Passes`.
        optimizer: see `Passes`.
        config: see `Passes`; `jit_compile` and `shares` are read too.
        native: whether the layers take the native operations.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        config: Config,
        native: bool,
    ):
        super().__init__(model, optimizer, config)
        self._native = native
        self._xla = None if config.jit_compile and not native else "off"
        self._shares = config.shares or None

    def losses(self, inputs: Inputs, labels: tf.Tensor) -> ExampleLosses:
        with self._execution(gradient=False):
            return self._forward(inputs, labels)

    def losses_and_gradients(
        self, inputs: Inputs, labels: tf.Tensor, *weights: tf.Tensor
    ) -> tuple[ExampleLosses, list[tf.Tensor]]:
        with self._execution():
            return self._forward_and_backward(inputs, labels, *weights)

    def _execution(self, gradient: bool | None = None) -> AbstractContextManager[None]:
        return execution(xla=self._xla, shares=self._shares, native=self._native, gradient=gradient)


def choose_passes(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, config: Config, workers: Workers
) -> Passes:
    """Returns the passes of a replica, compiled in the way that is fastest for this config.

    Where the native operations are taken, nothing is left that XLA would make faster. Whole shares
    are not compiled on a GPU, because XLA cannot compile cuDNN's kernel; nor with dropout, because
    XLA draws random numbers on a CPU at 300 ns each (TensorFlow 2.21), which made a step five times
    slower. The masks of a text are drawn before the passes instead. With one share the whole step
    is compiled, unless it draws masks: one call of a compiled function costs 0.1 ms. Several
    replicas keep that from being done: their collective operations cannot be compiled on a CPU.

    Args:
        model: gives logits `[b, C]`.
        optimizer: built for the model's trainable variables.
        config: a resolved config; `batch_size`, `jit_compile`, `label_smoothing`,
            `model.dropout`, `model.embedding_dropout`, `model.weight_drop` and `shares` are read;
            and see `trains_natively`.
        workers: the workers that divide the batch among them.

    Raises:
        ConfigError: see `trains_natively`.
    """
    native = trains_natively(config)
    gpu = tf.config.get_visible_devices("GPU")
    draws_in_passes = config.model.dropout and not is_language_model(model)
    if native or not config.jit_compile or draws_in_passes or gpu:
        return LayerPasses(model, optimizer, config, native)
    shares = config.shares or suggested_shares(config.batch_size // workers.replicas)
    options = config.model
    draws = options.dropout or options.embedding_dropout or options.weight_drop
    compiles_step = shares == 1 and workers.alone and not draws
    return SharePasses(model, optimizer, config, shares, compiles_step)


def _sums_over_steps(loss: tf.Tensor, labels: tf.Tensor, logits: tf.Tensor) -> ExampleLosses:
    """Returns the sums over the time steps that have a label.

    Args:
        loss: float32 `[b, T]`.
        labels: int32 `[b, T]`, `NO_LABEL` where there is none.
        logits: float32 `[b, T, C]`.
    """
    sums = tf.reduce_sum(tf.where(labels != NO_LABEL, loss, 0.0), axis=1)  # [b]
    correct = tf.argmax(logits, axis=-1, output_type=labels.dtype) == labels
    return ExampleLosses(sums, tf.math.count_nonzero(correct, axis=1, dtype=tf.int32))


def _concatenated(losses: Any) -> ExampleLosses:
    joined: ExampleLosses = tf.nest.map_structure(lambda *parts: tf.concat(parts, axis=0), *losses)
    return joined
