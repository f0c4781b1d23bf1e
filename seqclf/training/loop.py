"""`fit`: the training loop, written so that a stop at any moment loses nothing.

It is a plain loop and not `keras.Model.fit`, for three reasons. `fit` cannot go on in the middle of
an epoch. It hides the time that is spent waiting for data. And the training step is what a reader
of this project wants to see. (Under MultiWorkerMirroredStrategy `fit` has two more defects, keras
issue 20585, which this loop does not have.)
"""

import dataclasses
import math
import signal
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import nullcontext
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from seqclf.config import Config
from seqclf.console.progress import Progress, Silent
from seqclf.console.signals import StopRequest, stop_requests
from seqclf.data.augmentation import augmentation_of
from seqclf.data.dataset import Dataset, DatasetSpec
from seqclf.data.length_buckets import in_length_buckets
from seqclf.data.pipeline import steps_per_epoch, training_batches
from seqclf.errors import Interrupted
from seqclf.models.building import build_model
from seqclf.storage.files import replacing
from seqclf.storage.run_directory import Run
from seqclf.training.criteria import value_of
from seqclf.training.distribution.strategy import sum_before_clipping
from seqclf.training.distribution.workers import Workers
from seqclf.training.effective import effective_config, total_steps
from seqclf.training.example_weights import example_weights
from seqclf.training.initial_weights import fit_initial_weights
from seqclf.training.metrics_log import MetricsLog
from seqclf.training.optimizers import build_optimizer
from seqclf.training.recovery import Recovery, RecoveryInMemory
from seqclf.training.scoring import AnyScore, make_scorer
from seqclf.training.selection import WeightSelection
from seqclf.training.state import State
from seqclf.training.step import TrainStep


class FitResult(NamedTuple):
    """The result of a training.

    Attributes:
        model: the model with the selected weights.
        state: the state at the end.
        score: the score of these weights on the validation split; None if an earlier process
            computed it, or there are no validation examples.
    """

    model: keras.Model
    state: State
    score: AnyScore | None


def build(config: Config, spec: DatasetSpec) -> keras.Model:
    """Returns the model of a config, its weights drawn from the config's seed."""
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(config.seed)
    return build_model(config, spec)


def fit(
    config: Config,
    dataset: Dataset,
    run: Run | None,
    *,
    model: keras.Model | None = None,
    until: int | None = None,
    make_progress: Callable[[int, int], Progress] = Progress,
    workers: Workers | None = None,
    also_log: Collection[str] = (),
) -> FitResult:
    """Trains a classifier, or goes on from the run's last checkpoint.

    A run that was killed and resumed ends with the weights, bit for bit, of one that was not (on
    the same machine and versions): the batch of a step, the dropout masks and the optimiser are
    functions of the checkpoint alone.

    On SIGINT, SIGTERM and SIGHUP the step under way is finished and saved.

    Args:
        config: a resolved config.
        dataset: the data; the training and validation splits are used, never the test split.
        run: a prepared run directory, where checkpoints, metrics and the model are written. Of
            several workers only the chief reads and writes it. None: one process trains, in which
            no file is written and signals do what they always do.
        model: the model as `build` returns it; None builds it here.
        until: the step at which to stop; the training goes on to the next validation. A later call
            continues as if there had been no stop. None trains to the end.
        make_progress: called with the last step and the first one; returns what shows the steps
            between them.
        workers: the workers that train together; each of them calls this function. None: this
            process trains alone.
        also_log: the quantities, of `seqclf.config.CRITERIA`, that are logged at each validation
            beside accuracy, loss and what `config.select` names.

    Returns:
        The model with the weights that `config.select` asks for, the final state, and the score of
        these weights.

    Raises:
        TrainingError: the loss is no longer finite; the last checkpoint stays.
        WorkerLostError: another worker is gone; the last checkpoint stays.
        RunError: the run's checkpoints cannot be read.
        StorageError: a file cannot be written.
        Interrupted: a signal asked for it; the training so far is saved.
    """
    workers = workers or Workers()
    config = effective_config(config, dataset, workers.replicas)
    total = total_steps(config, dataset)
    with workers.scope():
        model = model or build(config, dataset.spec)
        optimizer = build_optimizer(config, total)
        optimizer.build(model.trainable_variables)
    if not workers.alone:
        sum_before_clipping(optimizer)
    step = TrainStep(model, optimizer, config, workers)
    recovery = (
        Recovery(run, workers, model, optimizer, step.carried) if run else RecoveryInMemory(model)
    )
    native = config.native != "off"
    scorer = make_scorer(model, dataset.spec, config.jit_compile, workers, native)
    selection = WeightSelection(config, dataset, scorer, recovery)
    state = recovery.resume()
    if not state.step:
        with workers.scope():
            fit_initial_weights(model, dataset, config)
    elif workers.is_chief:
        print(f"Resuming at step {state.step:,} of {total:,}.", flush=True)
    also_log = (*also_log, *(["perplexity"] if dataset.spec.is_text else []))
    logged = tuple(dict.fromkeys(("loss", "accuracy", config.criterion, *also_log)))
    loop = _Loop(
        *(config, dataset, run, workers, optimizer, step, recovery, selection, state, total, logged)
    )
    score = loop.take_steps(min(total, until or total), make_progress)
    selection.give_selected_weights(state)
    if run and workers.is_chief:
        with replacing(run.model) as temporary:
            model.save(temporary)
    return FitResult(model, state, score)


@dataclasses.dataclass
class _Loop:
    """The loop over the steps of one training; see `fit` for most of the attributes.

    Attributes:
        optimizer: the optimiser, for its learning rate.
        train_step: takes a step.
        recovery: saves checkpoints.
        selection: validates.
        state: where the training stands; the loop changes it.
        total: number of steps of the whole training.
        logged: the quantities that are logged at each validation.
    """

    config: Config
    dataset: Dataset
    run: Run | None
    workers: Workers
    optimizer: keras.optimizers.Optimizer
    train_step: TrainStep
    recovery: Recovery
    selection: WeightSelection
    state: State
    total: int
    logged: tuple[str, ...]

    def take_steps(
        self, end: int, make_progress: Callable[[int, int], Progress]
    ) -> AnyScore | None:
        """Trains to a step, or to the validation after it, and returns `FitResult.score`."""
        state, chief = self.state, self.workers.is_chief
        epoch_steps = steps_per_epoch(self.dataset.train, self.config.examples_per_step)
        validate_every = self.config.validate_every or epoch_steps
        log = MetricsLog(self.run, state.step) if chief else None
        progress = make_progress(end, state.step) if chief else Silent(end, state.step)
        # Rounded up to a validation: one in between would add a record that no whole run has.
        end = min(self.total, -(-end // validate_every) * validate_every)
        batches = self._batches()
        selected = None
        with stop_requests() if self.run else nullcontext(StopRequest()) as request:
            while state.step < end and not state.stopped_early:
                stop = self._take_step(batches, request.signal)
                progress.step(state)
                if state.step % validate_every == 0 or state.step == self.total:
                    selected = self._validate(log, progress, epoch_steps) or selected
                due = state.step % self.config.checkpoint_every == 0
                if due or stop or state.step == end or state.stopped_early:
                    self.recovery.save(state)
                if stop:
                    raise self._interrupted(request.signal)
        if any(self.workers.exchange(request.signal)):  # after the last step: all of it is saved
            raise self._interrupted(request.signal)
        return selected

    def _interrupted(self, number: int) -> Interrupted:
        other = "" if number else "Another worker was asked to stop. "
        assert self.run is not None  # without one no signal is recorded
        saved = f"Step {self.state.step:,} of {self.total:,} is saved in {self.run.path}."
        return Interrupted(number or signal.SIGTERM, other + saved)

    def _batches(self) -> Iterator[Any]:
        config, spec = self.config, self.dataset.spec
        # With batch selection every worker reads all examples: the hardest are chosen among them.
        readers = self.workers if config.batch_selection == 1 else Workers()
        return iter(
            training_batches(
                in_length_buckets(self.dataset.train, config.length_buckets),
                spec,
                config.examples_per_step,
                config.seed,
                self.state.step,
                augmentation_of(config, spec),
                worker=readers.index,
                workers=readers.count,
                weights=example_weights(config, self.dataset),
            )
        )

    def _take_step(self, batches: Iterator[Any], stop: int) -> bool:
        """Takes a step and notes its figures; returns whether some worker wants to stop."""
        state = self.state
        start = time.perf_counter()
        inputs, labels, *weights = next(batches)
        arrived = time.perf_counter()
        with self.workers.watch():
            result = self.train_step(inputs, labels, stop, *weights)
            loss = float(result.loss)
        state.step += 1
        state.train_seconds += time.perf_counter() - start
        state.wait_seconds += arrived - start
        if result.finite:
            self._note(loss, int(result.correct), int(result.examples))
        else:
            state.skipped += 1
            if self.workers.is_chief:
                print(f"step {state.step:,}: not finite, skipped ({state.skipped})", flush=True)
        return bool(result.stop)

    def _note(self, loss: float, correct: int, examples: int) -> None:
        """Adds the figures of a step to those of the interval since the last validation."""
        state = self.state
        if not math.isfinite(loss):
            raise self.recovery.diverged(f"The loss is {loss}", state.step)
        state.interval_loss += loss * examples
        state.interval_correct += correct
        state.interval_examples += examples

    def _validate(
        self, log: MetricsLog | None, progress: Progress, epoch_steps: int
    ) -> AnyScore | None:
        """Scores the validation split; returns the score if these are the weights to select."""
        state = self.state
        score, selected = self.selection.validate(state)
        if log:
            rate = float(keras.ops.convert_to_numpy(self.optimizer.learning_rate))
            values = {name: value_of(name, score) for name in self.logged} if score else {}
            record = log.add(state, state.step / epoch_steps, rate, values)
            progress.validation(record, selected and self.config.select != "last")
        state.interval_loss, state.interval_correct, state.interval_examples = 0.0, 0, 0
        return score if selected else None
