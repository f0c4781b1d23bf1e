"""The compiled steps of training and prediction, the batch shared out over the cores.

Products as small as a recurrent layer's leave a second thread idle, so it is not the product that
is shared out but the batch: each share has its own compiled forward and backward pass. The result
is that of the whole batch, to rounding.
"""

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from seqclf.config import Config
from seqclf.data.pipeline import Inputs
from seqclf.layers.execution import execution, suggested_shares
from seqclf.layers.shares import cut
from seqclf.training.distribution.workers import Workers

Losses = tuple[tf.Tensor, tf.Tensor]  # each example's loss, whether its answer is right: [b] each


class StepResult(NamedTuple):
    """What a training step tells.

    Attributes:
        loss: mean over all that was read, label smoothing included; float32 scalar.
        correct: number of right answers among them; a scalar.
        stop: sum of what the workers gave as `stop`; float32 scalar.
        finite: whether loss and gradients are; only looked at with `nonfinite` "skip".
    """

    loss: tf.Tensor
    correct: tf.Tensor
    stop: tf.Tensor
    finite: tf.Tensor | bool = True


Step = Callable[..., StepResult]  # of inputs, labels and stop


def make_train_step(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    config: Config,
    workers: Workers | None = None,
) -> Step:
    """Returns the compiled training step: forward, backward, clip, update.

    Gradients are added in a fixed order, so the same batch gives the same bits. With several
    replicas each works on its part of the batch, and all of them apply the gradient of the whole.

    With `batch_selection` k above 1 the step is given k times as many examples, reads them all
    without dropout, and learns from those of largest loss (Kawaguchi & Lu 2020, "Ordered SGD",
    arXiv:1907.04371; Loshchilov & Hutter 2016, arXiv:1511.06343, and Jiang et al. 2019,
    arXiv:1910.00762, draw them by chance).

    Args:
        model: gives logits `[B, C]`.
        optimizer: built for the model's trainable variables.
        config: resolved; `batch_size`, `batch_selection`, `label_smoothing`, `model.dropout`,
            `nonfinite`, `jit_compile` and `shares` are read.
        workers: who shares the batch; None: nobody.

    Returns:
        A function of `inputs` (see `training_batches`), `labels`, int32 `[k·B]`, and `stop`, a
        number (0 if left out). Each of W workers gives it its own `B / W` rows; with selection
        all `k·B`, because the hardest are chosen among the rows of all.
    """
    workers = workers or Workers()
    variables = model.trainable_variables
    learn, look, in_one = _passes(model, optimizer, config, workers)

    def gradients_of(inputs: Inputs, labels: tf.Tensor, stop: tf.Tensor) -> Any:
        """Returns the mean gradients over all replicas, and the result; runs in each of them."""
        if config.batch_selection > 1:
            batch = labels.shape[0] // config.batch_selection
            loss, right = look(*workers.part((inputs, labels), of_all=True))
            loss, right = workers.gather(loss), workers.gather(tf.cast(right, tf.int32))  # [k·B]
            hardest = workers.part(tf.math.top_k(loss, batch).indices, of_all=True)
            mine = tf.nest.map_structure(lambda x: tf.gather(x, hardest), (inputs, labels))
            *_, gradients = learn(*mine)
            *totals, stop = workers.sum([*gradients, stop])
            result = StepResult(tf.reduce_mean(loss), tf.math.count_nonzero(right), stop)
        else:
            batch = labels.shape[0] * workers.count
            loss, right, gradients = learn(*workers.part((inputs, labels), of_all=False))
            # One type for all: a collective adds up tensors of one type. Counts are exact in it.
            figures = [tf.reduce_sum(loss), tf.reduce_sum(tf.cast(right, stop.dtype)), stop]
            *totals, loss, correct, stop = workers.sum([*gradients, *figures])
            result = StepResult(loss / batch, correct, stop)
        means = [total / batch for total in totals]
        if config.nonfinite == "skip":
            finite = [tf.reduce_all(tf.math.is_finite(value)) for value in (result.loss, *means)]
            result = result._replace(finite=tf.reduce_all(finite))
        return means, result

    def update(gradients: list[tf.Tensor]) -> None:
        optimizer.apply(gradients, variables)

    def step(*arguments: Any) -> StepResult:
        gradients, result = gradients_of(*arguments)
        update(gradients)
        return result

    # One call of a compiled function costs 0.1 ms. Collectives cannot be compiled on a CPU.
    compiled = functools.partial(tf.function, jit_compile=in_one)

    @compiled
    def step_everywhere(*arguments: Any) -> StepResult:
        return workers.any_of(workers.run(step, *arguments))

    @compiled
    def look_everywhere(*arguments: Any) -> Any:
        return workers.run(gradients_of, *arguments)

    @compiled
    def update_everywhere(gradients: Any) -> None:
        workers.run(update, gradients)

    def cautious_step(*arguments: Any) -> StepResult:
        gradients, result = look_everywhere(*arguments)
        result = workers.any_of(result)
        if result.finite:
            update_everywhere(gradients)
        return result

    chosen = cautious_step if config.nonfinite == "skip" else step_everywhere
    return lambda inputs, labels, stop=0.0: chosen(inputs, labels, tf.constant(stop, tf.float32))


def _passes(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, config: Config, workers: Workers
) -> tuple[Callable[..., Any], Callable[..., Losses], bool]:
    """Returns how one replica works on its examples, which it shares out over its cores.

    Returns:
        `learn`, which gives losses and the gradients of their sum; `look`, which gives the losses
        without dropout; and whether the step is to be compiled in one, around both.
    """
    cross_entropy = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=config.label_smoothing, reduction="none"
    )
    variables = model.trainable_variables
    whole = _compiles_whole(config)
    shares = 1
    if whole:
        shares = config.shares or suggested_shares(config.batch_size // workers.replicas)
    in_one = whole and shares == 1 and workers.alone
    apart = whole and not in_one
    compiled = functools.partial(tf.function, jit_compile=True) if apart else _as_is

    def losses_of(inputs: Inputs, labels: tf.Tensor, training: bool) -> Losses:
        logits = model(inputs, training=training)  # [b, C]
        loss = cross_entropy(tf.one_hot(labels, logits.shape[-1]), logits)
        return loss, tf.argmax(logits, axis=-1, output_type=labels.dtype) == labels

    @compiled
    def learn_share(inputs: Inputs, labels: tf.Tensor) -> Any:
        with tf.GradientTape() as tape:
            loss, right = losses_of(inputs, labels, training=True)
            scaled_loss = optimizer.scale_loss(tf.reduce_sum(loss))  # only float16 scales it
        return loss, right, tape.gradient(scaled_loss, variables)

    @compiled
    def look_share(inputs: Inputs, labels: tf.Tensor) -> Losses:
        return losses_of(inputs, labels, training=False)

    def learn(inputs: Inputs, labels: tf.Tensor) -> Any:
        with _execution(whole, config):
            results = [learn_share(*part) for part in cut((inputs, labels), shares)]
        *seen, gradients = zip(*results, strict=True)
        loss, right = (tf.concat(parts, axis=0) for parts in seen)
        return loss, right, [tf.add_n(parts) for parts in zip(*gradients, strict=True)]

    def look(inputs: Inputs, labels: tf.Tensor) -> Losses:
        with _execution(whole, config, gradient=False):
            results = [look_share(*part) for part in cut((inputs, labels), shares)]
        loss, right = (tf.concat(parts, axis=0) for parts in zip(*results, strict=True))
        return loss, right

    return learn, look, in_one


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


def _compiles_whole(config: Config) -> bool:
    """Returns whether a share is compiled as a whole, and not only the recurrent layers in it.

    Not on a GPU, whose cuDNN kernel XLA cannot compile; and not with dropout: XLA draws random
    numbers on a CPU at 300 ns each (TensorFlow 2.21), which made a step five times slower.
    """
    gpu = tf.config.get_visible_devices("GPU")
    return config.jit_compile and not config.model.dropout and not gpu


def _execution(
    whole: bool, config: Config, gradient: bool | None = None
) -> AbstractContextManager[None]:
    if whole:
        return execution(xla="around", shares=1, gradient=gradient)
    xla = None if config.jit_compile else "none"
    return execution(xla=xla, shares=config.shares or None, gradient=gradient)


def _as_is(function: Callable) -> Callable:
    return function
