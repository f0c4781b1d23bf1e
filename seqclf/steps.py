"""The compiled steps of training and prediction, the batch shared out over the cores.

Products as small as a recurrent layer's leave a second thread idle, so it is not the product that
is shared out but the batch: each share has its own compiled forward and backward pass. The result
is that of the whole batch, to rounding.
"""

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import keras
import tensorflow as tf

from seqclf.data.pipeline import Inputs
from seqclf.layers.execution import execution, suggested_shares
from seqclf.layers.shares import cut

Step = Callable[[Inputs, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


def make_train_step(model: keras.Model, optimizer: keras.optimizers.Optimizer, config: Any) -> Step:
    """Returns the compiled training step: forward, backward, clip, update.

    Gradients are added in a fixed order, so the same batch gives the same bits.

    With `batch_selection` k above 1 the step is given k times as many examples, reads them all
    without dropout, and learns from those of largest loss (Kawaguchi & Lu 2020, "Ordered SGD",
    arXiv:1907.04371; Loshchilov & Hutter 2016, arXiv:1511.06343, and Jiang et al. 2019,
    arXiv:1910.00762, draw them by chance).

    Args:
        model: gives logits `[B, C]`.
        optimizer: built for the model's trainable variables.
        config: resolved; `batch_size`, `batch_selection`, `label_smoothing`, `model.dropout`,
            `jit_compile` and `shares` are read.

    Returns:
        A function of `inputs` (see `training_batches`) and `labels`, int32 `[k·B]`, which returns
        the mean loss (float32 scalar, label smoothing included) and the number of right answers,
        both over all that it was given.
    """
    cross_entropy = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=config.label_smoothing, reduction="none"
    )
    variables = model.trainable_variables
    whole = _compiles_whole(config)
    shares = (config.shares or suggested_shares(config.batch_size)) if whole else 1
    compiled = functools.partial(tf.function, jit_compile=True) if whole and shares > 1 else _as_is

    def losses_of(inputs: Inputs, labels: tf.Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns each example's loss and whether the answer to it is right, `[b]` each."""
        logits = model(inputs, training=training)  # [b, C]
        loss = cross_entropy(tf.one_hot(labels, logits.shape[-1]), logits)
        return loss, tf.argmax(logits, axis=-1, output_type=labels.dtype) == labels

    @compiled
    def learn(inputs: Inputs, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
        """Returns `losses_of` a share and the gradients of the losses' sum."""
        with tf.GradientTape() as tape:
            loss, right = losses_of(inputs, labels, training=True)
            scaled_loss = optimizer.scale_loss(tf.reduce_sum(loss))  # only float16 scales it
        return loss, right, tape.gradient(scaled_loss, variables)

    @compiled
    def look(inputs: Inputs, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns `losses_of` a share, for the choice of what to learn from."""
        return losses_of(inputs, labels, training=False)

    @tf.function(jit_compile=whole and shares == 1)  # one call of a compiled function costs 0.1 ms
    def train_step(inputs: Inputs, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        batch = labels.shape[0] // config.batch_selection
        selected = (inputs, labels)
        if config.batch_selection > 1:
            with _execution(whole, config, gradient=False):
                looks = [look(*part) for part in cut((inputs, labels), shares)]
            loss, right = (tf.concat(parts, axis=0) for parts in zip(*looks, strict=True))
            hardest = tf.math.top_k(loss, batch).indices
            selected = tf.nest.map_structure(lambda each: tf.gather(each, hardest), selected)
        with _execution(whole, config):
            results = [learn(*part) for part in cut(selected, shares)]
        *seen, gradients = zip(*results, strict=True)
        means = [tf.add_n(parts) / batch for parts in zip(*gradients, strict=True)]
        optimizer.apply(means, variables)
        if config.batch_selection == 1:
            loss, right = (tf.concat(parts, axis=0) for parts in seen)
        return tf.reduce_mean(loss), tf.math.count_nonzero(right)

    return train_step


def make_prediction_step(model: keras.Model, jit_compile: bool) -> Callable[[Inputs], tf.Tensor]:
    """Returns a function of `inputs` (see `training_batches`) that gives logits, `[B, C]`.

    Args:
        model: gives logits.
        jit_compile: compile with XLA: pays from some twenty batches of one size on.
    """
    if not jit_compile or tf.config.get_visible_devices("GPU"):
        specs = {i.name: tf.TensorSpec(i.shape, i.dtype) for i in model.inputs}
        signature = specs if len(specs) > 1 else next(iter(specs.values()))
        return tf.function(lambda inputs: model(inputs, training=False), [signature])

    @tf.function(jit_compile=True)
    def run_share(inputs: Inputs) -> tf.Tensor:
        with execution(xla="around", shares=1, gradient=False):
            return model(inputs, training=False)

    @tf.function
    def run_shares(inputs: Inputs, shares: int) -> tf.Tensor:
        return tf.concat([run_share(part) for part in cut(inputs, shares)], axis=0)

    shares_of = functools.cache(suggested_shares)

    def predict(inputs: Inputs) -> tf.Tensor:
        shares = shares_of(tf.nest.flatten(inputs)[0].shape[0])
        return run_share(inputs) if shares == 1 else run_shares(inputs, shares)

    return predict


def _compiles_whole(config: Any) -> bool:
    """Returns whether a share is compiled as a whole, and not only the recurrent layers in it.

    Not on a GPU, whose cuDNN kernel XLA cannot compile; and not with dropout: XLA draws random
    numbers on a CPU at 300 ns each (TensorFlow 2.21), which made a step five times slower.
    """
    gpu = tf.config.get_visible_devices("GPU")
    return config.jit_compile and not config.model.dropout and not gpu


def _execution(
    whole: bool, config: Any, gradient: bool | None = None
) -> AbstractContextManager[None]:
    if whole:
        return execution(xla="around", shares=1, gradient=gradient)
    xla = None if config.jit_compile else "none"
    return execution(xla=xla, shares=config.shares or None, gradient=gradient)


def _as_is(function: Callable) -> Callable:
    return function
