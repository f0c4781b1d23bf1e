"""`TrainStep`: the compiled training step, from a batch to updated weights."""

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from seqclf.config import Config
from seqclf.data.pipeline import Inputs
from seqclf.layers.compiled import compiled, compiled_by_shape
from seqclf.training.distribution.workers import Workers
from seqclf.training.passes import choose_passes


class StepResult(NamedTuple):
    """The figures of a training step.

    Attributes:
        loss: mean over all examples that were read, label smoothing and weights included; float32
            scalar.
        correct: number of examples among them whose prediction is right; scalar.
        stop: sum of the numbers that the workers gave as `stop`; float32 scalar.
        finite: whether loss and gradients are finite; True unless `nonfinite` is "skip", because
            only then it is looked at.
    """

    loss: tf.Tensor
    correct: tf.Tensor
    stop: tf.Tensor
    finite: tf.Tensor | bool = True


class TrainStep:
    """The compiled training step: forward, backward, clip, update.

    Gradients are added in a fixed order, so that the same batch gives the same bits. Each of
    several replicas works on its part of the batch, and all of them apply the gradient of the whole
    batch.

    With `batch_selection` k above 1 the step is given k times as many examples. It reads all of
    them without dropout, and learns from those of largest loss (Kawaguchi & Lu 2020, "Ordered SGD",
    arXiv:1907.04371; Loshchilov & Hutter 2016, arXiv:1511.06343, and Jiang et al. 2019,
    arXiv:1910.00762, draw them at random).

    With `nonfinite` "skip" the gradients are looked at before they are applied. A batch whose loss
    or gradients are not finite leaves weights and optimiser as they were.

    Args:
        model: gives logits `[B, C]`.
        optimizer: built for the model's trainable variables.
        config: a resolved config; `batch_size`, `batch_selection`, `label_smoothing`,
            `model.dropout`, `nonfinite`, `jit_compile` and `shares` are read.
        workers: the workers that divide the batch among them; None: this process trains alone.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        config: Config,
        workers: Workers | None = None,
    ):
        self._variables = model.trainable_variables
        self._optimizer = optimizer
        self._batch_selection = config.batch_selection
        self._skip_nonfinite = config.nonfinite == "skip"
        self._workers = workers or Workers()
        self._passes = choose_passes(model, optimizer, config, self._workers)
        xla = self._passes.compiles_step
        self._compiled_step = compiled_by_shape(self._step_on_replicas, jit_compile=xla)
        self._compiled_gradients = compiled_by_shape(self._gradients_on_replicas, jit_compile=xla)
        self._compiled_update = compiled(self._update_on_replicas, jit_compile=xla)

    def __call__(
        self, inputs: Inputs, labels: tf.Tensor, stop: float = 0.0, *weights: tf.Tensor
    ) -> StepResult:
        """Takes a step.

        Args:
            inputs: see `training_batches`. Each of W workers gives its own B / W rows; with batch
                selection it gives all k·B, because the hardest are chosen among all of them.
            labels: int32, one for each row.
            stop: a number that is added up over the workers: not 0 asks all of them to stop.
            weights: nothing, or one tensor: the weight of each row's loss, float32. The sum of the
                weighted losses is divided by the number of rows. With batch selection there must
                be none.
        """
        batch = inputs, labels, tf.constant(stop, tf.float32), *weights
        if self._skip_nonfinite:
            return self._step_if_finite(*batch)
        result: StepResult = self._compiled_step(*batch)
        return result

    def _step_if_finite(self, *batch: Any) -> StepResult:
        gradients, results = self._compiled_gradients(*batch)
        result: StepResult = self._workers.first_replica(results)
        if result.finite:
            self._compiled_update(gradients)
        return result

    def _step_on_replicas(self, *batch: Any) -> Any:
        return self._workers.first_replica(self._workers.run(self._step, *batch))

    def _gradients_on_replicas(self, *batch: Any) -> Any:
        return self._workers.run(self._gradients, *batch)

    def _update_on_replicas(self, gradients: Any) -> None:
        self._workers.run(self._update, gradients)

    # The methods below run in each replica.

    def _step(self, *batch: Any) -> StepResult:
        gradients, result = self._gradients(*batch)
        self._update(gradients)
        return result

    def _update(self, gradients: list[tf.Tensor]) -> None:
        self._optimizer.apply(gradients, self._variables)

    def _gradients(
        self, inputs: Inputs, labels: tf.Tensor, stop: tf.Tensor, *weights: tf.Tensor
    ) -> tuple[list[tf.Tensor], StepResult]:
        """Returns the mean gradients of the batch, and the result of the step."""
        if self._batch_selection > 1:
            batch_size = labels.shape[0] // self._batch_selection
            sums, result = self._sums_over_hardest(inputs, labels, stop, batch_size)
        else:
            batch_size = labels.shape[0] * self._workers.count
            examples = (inputs, labels, *weights)
            sums, result = self._sums_over_batch(examples, stop, batch_size)
        gradients = [gradient / batch_size for gradient in sums]
        if self._skip_nonfinite:
            finite = [tf.reduce_all(tf.math.is_finite(x)) for x in (result.loss, *gradients)]
            result = result._replace(finite=tf.reduce_all(finite))
        return gradients, result

    def _sums_over_batch(
        self, examples: tuple[Any, ...], stop: tf.Tensor, batch_size: int
    ) -> tuple[list[tf.Tensor], StepResult]:
        """Returns the gradients of the batch's summed loss, and the result of the step."""
        workers = self._workers
        mine = workers.rows_of_replica(examples, of_all_workers=False)
        (loss, correct), gradients = self._passes.losses_and_gradients(*mine)
        # One type for all: a collective adds up tensors of one type. Counts are exact in it.
        figures = [tf.reduce_sum(loss), tf.reduce_sum(tf.cast(correct, stop.dtype)), stop]
        *sums, loss, correct, stop = workers.sum_over_replicas([*gradients, *figures])
        return sums, StepResult(loss / batch_size, correct, stop)

    def _sums_over_hardest(
        self, inputs: Inputs, labels: tf.Tensor, stop: tf.Tensor, batch_size: int
    ) -> tuple[list[tf.Tensor], StepResult]:
        """Returns the gradients of the largest losses' sum, and the result of the step."""
        workers = self._workers
        mine = workers.rows_of_replica((inputs, labels), of_all_workers=True)
        loss, correct = self._passes.losses(*mine)
        loss = workers.gather_from_replicas(loss)  # [k·B]
        correct = workers.gather_from_replicas(tf.cast(correct, tf.int32))
        hardest = tf.math.top_k(loss, batch_size).indices
        hardest = workers.rows_of_replica(hardest, of_all_workers=True)
        mine = tf.nest.map_structure(lambda x: tf.gather(x, hardest), (inputs, labels))
        _, gradients = self._passes.losses_and_gradients(*mine)
        *sums, stop = workers.sum_over_replicas([*gradients, stop])
        return sums, StepResult(tf.reduce_mean(loss), tf.math.count_nonzero(correct), stop)
