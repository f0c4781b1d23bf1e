"""`TrainStep`: the compiled training step, from a batch to updated weights."""

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from seqclf.config import Config
from seqclf.data.pipeline import Inputs
from seqclf.data.step_labels import NO_LABEL
from seqclf.layers.compiled import compiled, compiled_by_shape
from seqclf.models.classifier import classifies_steps
from seqclf.models.language_model import is_language_model
from seqclf.training.carried_state import CarriedState
from seqclf.training.distribution.workers import Workers
from seqclf.training.passes import choose_passes


class StepResult(NamedTuple):
    """The figures of a training step.

    Attributes:
        loss: mean over all examples that were read, label smoothing and weights included, for text
            over all time steps, where time steps have labels over those; float32 scalar.
        correct: number of examples (or time steps) among them whose prediction is right; scalar.
        stop: sum of the numbers that the workers gave as `stop`; float32 scalar.
        examples: number of the examples (or time steps) that the loss is the mean of; scalar.
        finite: whether loss and gradients are finite; True unless `nonfinite` is "skip", because
            only then it is looked at.
    """

    loss: tf.Tensor
    correct: tf.Tensor
    stop: tf.Tensor
    examples: tf.Tensor | int
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
        model: gives logits `[B, C]`, or `[B, T, C]` for labels of time steps; or a language model.
        optimizer: built for the model's trainable variables.
        config: a resolved config; `batch_size`, `batch_selection`, `label_smoothing`,
            `model.dropout`, `nonfinite`, `jit_compile` and `shares` are read.
        workers: the workers that divide the batch among them; None: this process trains alone.

    Attributes:
        carried: for a language model the state that is carried from step to step; otherwise None.
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
        self.carried = None
        self._per_step = not is_language_model(model) and classifies_steps(model)
        if is_language_model(model):
            self.carried = CarriedState(model, optimizer, config, self._workers)
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
            labels: int32, one for each row; of text and of time steps `[rows, T]`.
            stop: a number that is added up over the workers: not 0 asks all of them to stop.
            weights: nothing, or one tensor: the weight of each label's loss, float32. The sum of
                the weighted losses is divided by the number of labels. With batch selection there
                must be none.
        """
        batch = inputs, labels, tf.constant(stop, tf.float32), *weights
        if self._skip_nonfinite:
            return self._step_if_finite(*batch)
        result: StepResult = self._compiled_step(*batch)
        return result

    def _step_if_finite(self, *batch: Any) -> StepResult:
        gradients, state, results = self._compiled_gradients(*batch)
        result: StepResult = self._workers.first_replica(results)
        if result.finite:
            self._compiled_update(gradients, state)
        return result

    def _step_on_replicas(self, *batch: Any) -> Any:
        return self._workers.first_replica(self._workers.run(self._step, *batch))

    def _gradients_on_replicas(self, *batch: Any) -> Any:
        return self._workers.run(self._gradients, *batch)

    def _update_on_replicas(self, gradients: Any, state: Any) -> None:
        self._workers.run(self._update, gradients, state)

    # The methods below run in each replica.

    def _step(self, *batch: Any) -> StepResult:
        gradients, state, result = self._gradients(*batch)
        self._update(gradients, state)
        return result

    def _update(self, gradients: list[tf.Tensor], state: tuple[tf.Tensor, ...]) -> None:
        if self.carried:
            self.carried.keep(state)
        self._optimizer.apply(gradients, self._variables)

    def _gradients(
        self, inputs: Inputs, labels: tf.Tensor, stop: tf.Tensor, *weights: tf.Tensor
    ) -> tuple[list[tf.Tensor], tuple[tf.Tensor, ...], StepResult]:
        """Returns the mean gradients, the state after the batch, and the result of the step."""
        state: tuple[tf.Tensor, ...] = ()
        if self._batch_selection > 1:
            count = labels.shape[0] // self._batch_selection
            sums, result = self._sums_over_hardest(inputs, labels, stop, count)
        else:
            sums, state, result = self._sums_over_batch((inputs, labels, *weights), stop)
            count = result.examples
        gradients = [gradient / count for gradient in sums]
        if self._skip_nonfinite:
            finite = [tf.reduce_all(tf.math.is_finite(x)) for x in (result.loss, *gradients)]
            result = result._replace(finite=tf.reduce_all(finite))
        return gradients, state, result

    def _sums_over_batch(
        self, examples: tuple[Any, ...], stop: tf.Tensor
    ) -> tuple[list[tf.Tensor], tuple[tf.Tensor, ...], StepResult]:
        """Returns the gradients of the summed loss, the state, and the result of the step."""
        workers = self._workers
        count = examples[1].shape.num_elements() * workers.count  # of a text: its time steps
        inputs, *rest = workers.rows_of_replica(examples, of_all_workers=False)
        if self.carried:
            inputs = self.carried.inputs(inputs)
        (loss, correct, state), gradients = self._passes.losses_and_gradients(inputs, *rest)
        # One type for all: a collective adds up tensors of one type. Counts are exact in it.
        figures = [tf.reduce_sum(loss), tf.reduce_sum(tf.cast(correct, stop.dtype)), stop]
        if self._per_step:
            figures.append(tf.reduce_sum(tf.cast(rest[0] != NO_LABEL, stop.dtype)))
        totals = workers.sum_over_replicas([*gradients, *figures])
        sums, (loss, correct, stop, *counted) = totals[: len(gradients)], totals[len(gradients) :]
        if counted:  # how many time steps have a label differs from batch to batch
            count = counted[0]
        return sums, state, StepResult(loss / count, correct, stop, count)

    def _sums_over_hardest(
        self, inputs: Inputs, labels: tf.Tensor, stop: tf.Tensor, count: int
    ) -> tuple[list[tf.Tensor], StepResult]:
        """Returns the gradients of the largest losses' sum, and the result of the step."""
        workers = self._workers
        mine = workers.rows_of_replica((inputs, labels), of_all_workers=True)
        loss, correct, _ = self._passes.losses(*mine)
        loss = workers.gather_from_replicas(loss)  # [k·B]
        correct = workers.gather_from_replicas(tf.cast(correct, tf.int32))
        hardest = tf.math.top_k(loss, count).indices
        hardest = workers.rows_of_replica(hardest, of_all_workers=True)
        mine = tf.nest.map_structure(lambda x: tf.gather(x, hardest), (inputs, labels))
        _, gradients = self._passes.losses_and_gradients(*mine)
        *sums, stop = workers.sum_over_replicas([*gradients, stop])
        right, read = tf.math.count_nonzero(correct), labels.shape[0]
        return sums, StepResult(tf.reduce_mean(loss), right, stop, read)
