"""`fit`: the training loop, written so that a stop at any moment loses nothing.

A plain loop and not `keras.Model.fit`, for three reasons: `fit` cannot go on in the middle of an
epoch, it hides the time spent waiting for data, and its step is the thing that a reader of this
project came to see. (It has two defects more under MultiWorkerMirroredStrategy, keras issue 20585,
which a loop of one's own does not meet.)
"""

import dataclasses
import math
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from seqclf.config import Config
from seqclf.console.progress import Progress, Silent
from seqclf.console.signals import stop_requests
from seqclf.data.augmentation import augmentation_of
from seqclf.data.dataset import Dataset, DatasetSpec
from seqclf.data.pipeline import steps_per_epoch, training_batches
from seqclf.errors import Interrupted, TrainingError
from seqclf.models.classifier import build_classifier
from seqclf.storage.files import replacing
from seqclf.storage.run_directory import Run
from seqclf.training import checkpoints
from seqclf.training.distribution.strategy import sum_before_clipping
from seqclf.training.distribution.workers import Workers
from seqclf.training.evaluation import Score, Scorer
from seqclf.training.metrics_log import MetricsLog
from seqclf.training.optimizers import build_optimizer
from seqclf.training.step import Step, make_train_step


@dataclasses.dataclass
class State:
    """Where a training stands; with the variables, all that a checkpoint must hold."""

    step: int = 0
    best_accuracy: float = -1.0
    best_step: int = 0
    stale_validations: int = 0
    stopped_early: bool = False
    interval_loss: float = 0.0  # sums since the last validation
    interval_correct: int = 0
    interval_examples: int = 0
    skipped: int = 0  # batches that were left out because loss or gradient was not finite
    train_seconds: float = 0.0
    wait_seconds: float = 0.0  # of these, waiting for data


class Fit(NamedTuple):
    """What a training gives.

    Attributes:
        model: with the selected weights.
        state: at its end.
        score: of these weights on the validation split; None if an earlier process took it.
    """

    model: keras.Model
    state: State
    score: Score | None


def check(config: Config, dataset: Dataset) -> None:
    """Checks that a config and a data set go together.

    Raises:
        ConfigError: a step would read more examples than the training split has, or `augment.*`
            asks for distortions of examples that are no images.
    """
    steps_per_epoch(dataset.train, config.examples_per_step)
    augmentation_of(config, dataset.spec)


def total_steps(config: Config, dataset: Dataset) -> int:
    """Returns the length of the training in steps, from `steps` or `epochs`.

    Raises:
        ConfigError: a step would read more examples than the training split has.
    """
    epoch_steps = steps_per_epoch(dataset.train, config.examples_per_step)
    return config.steps or max(1, round(config.epochs * epoch_steps))


def build(config: Config, spec: DatasetSpec) -> keras.Model:
    """Returns the classifier of a config, its weights drawn from the config's seed."""
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(config.seed)
    return build_classifier(config, spec)


def fit(
    config: Config,
    dataset: Dataset,
    run: Run,
    *,
    model: keras.Model | None = None,
    until: int | None = None,
    make_progress: Callable[[int, int], Progress] = Progress,
    workers: Workers | None = None,
) -> Fit:
    """Trains a classifier, or goes on from the run's last checkpoint.

    A run that was killed and resumed ends with the weights, bit for bit, of one that was not (on
    the same machine and versions): the batch of a step, the dropout masks and the optimiser are
    functions of the checkpoint alone.

    On SIGINT and SIGTERM the step under way is finished and saved.

    Args:
        config: a resolved config.
        dataset: its training and validation splits are used, never its test split.
        run: a prepared run directory; checkpoints, metrics and the model are written there. Of
            several workers only the chief reads and writes it.
        model: as `build` returns it; None: it is built.
        until: stop at this step, or at the validation after it; a later call goes on from there as
            if there had been no stop. None: at the end.
        make_progress: is called with the last step and the first, and shows the rest.
        workers: who shares the training; each of them calls this function. None: nobody.

    Returns:
        The model with the weights that `config.select` asks for, the final state and their score.

    Raises:
        TrainingError: the loss is no longer finite; the last checkpoint stays.
        WorkerLostError: another worker is gone; the last checkpoint stays.
        RunError: the run's checkpoints cannot be read.
        StorageError: a file cannot be written.
        Interrupted: a signal asked for it; the step before is saved.
    """
    workers = workers or Workers()
    total = total_steps(config, dataset)
    with workers.scope():
        model = model or build(config, dataset.spec)
        optimizer = build_optimizer(config, total)
        optimizer.build(model.trainable_variables)
    if not workers.alone:
        sum_before_clipping(optimizer)
    training = _Training(config, dataset, run, workers, model, optimizer, total)
    training.resume()
    score = training.take_steps(min(total, until or total), make_progress)
    if config.select == "best":
        training.select_best()
    if workers.is_chief:
        with replacing(run.model) as temporary:
            model.save(temporary)
    return Fit(model, training.state, score)


class _Training:
    """One training: what is fixed, and where it stands."""

    def __init__(
        self,
        config: Config,
        dataset: Dataset,
        run: Run,
        workers: Workers,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        total: int,
    ):
        self.config, self.dataset, self.run, self.workers = config, dataset, run, workers
        self.model, self.optimizer, self.total = model, optimizer, total
        self.variables = {"model": model.variables, "optimizer": optimizer.variables}
        self.state = State()
        self.drawn = config.examples_per_step
        self.epoch_steps = steps_per_epoch(dataset.train, self.drawn)
        self.validate_every = config.validate_every or self.epoch_steps
        self.scorer = Scorer(model, dataset.spec, config.jit_compile, workers)

    def resume(self) -> None:
        """Takes up the run's last checkpoint, which the chief reads for all."""

        def restored() -> dict[str, Any]:
            chief = self.workers.is_chief
            return (chief and checkpoints.restore_latest(self.run, self.variables)) or {}

        state = self.workers.agree(restored)
        every = [variable for group in self.variables.values() for variable in group]
        self.state = State(**self.workers.follow_chief(every, state))
        if self.state.step and self.workers.is_chief:
            print(f"Resuming at step {self.state.step:,} of {self.total:,}.", flush=True)

    def select_best(self) -> None:
        """Gives the model the weights of the best validation."""

        def restored() -> None:
            if self.workers.is_chief:
                variables = {"model": model.variables}
                checkpoints.restore_best(self.run, variables, self.state.best_step)

        model = self.model
        self.workers.agree(restored)
        self.workers.follow_chief(model.variables, None)

    def take_steps(self, end: int, make_progress: Callable[[int, int], Progress]) -> Score | None:
        """Trains up to a step, or the validation after it; returns what `Fit.score` is."""
        state, every, chief = self.state, self.validate_every, self.workers.is_chief
        log = MetricsLog(self.run, state.step) if chief else None
        progress = make_progress(end, state.step) if chief else Silent(end, state.step)
        end = min(self.total, -(-end // every) * every)  # a validation more would show
        step = make_train_step(self.model, self.optimizer, self.config, self.workers)
        batches = self._batches()
        selected = None
        with stop_requests() as request:
            while state.step < end and not state.stopped_early:
                stop = self._take_step(step, batches, request.signal)
                progress.step(state)
                if state.step % every == 0 or state.step == self.total:
                    selected = self._validate(log, progress) or selected
                due = state.step % self.config.checkpoint_every == 0
                if due or stop or state.step == end or state.stopped_early:
                    self._save()
                if stop:
                    raise self._interrupted(request.signal)
        if any(self.workers.exchange(request.signal)):  # after the last step: all of it is saved
            raise self._interrupted(request.signal)
        return selected

    def _interrupted(self, number: int) -> Interrupted:
        other = "" if number else "Another worker was asked to stop. "
        saved = f"Step {self.state.step:,} of {self.total:,} is saved in {self.run.path}."
        return Interrupted(number or signal.SIGTERM, other + saved)

    def _batches(self) -> Iterator[Any]:
        shares = self.workers if self.config.batch_selection == 1 else Workers()
        return iter(
            training_batches(
                self.dataset.train,
                self.dataset.spec,
                self.drawn,
                self.config.seed,
                self.state.step,
                augmentation_of(self.config, self.dataset.spec),
                worker=shares.index,
                workers=shares.count,
            )
        )

    def _take_step(self, step: Step, batches: Iterator[Any], stop: int) -> bool:
        """Takes a step and notes its figures; returns whether some worker wants to stop."""
        state = self.state
        start = time.perf_counter()
        inputs, labels = next(batches)
        arrived = time.perf_counter()
        with self.workers.watch():
            result = step(inputs, labels, stop)
            loss = float(result.loss)
        state.step += 1
        state.train_seconds += time.perf_counter() - start
        state.wait_seconds += arrived - start
        if not result.finite:
            state.skipped += 1
            if self.workers.is_chief:
                print(f"step {state.step:,}: not finite, skipped ({state.skipped})", flush=True)
            return bool(result.stop)
        if not math.isfinite(loss):
            raise self._diverged(f"The loss is {loss}")
        state.interval_loss += loss * self.drawn
        state.interval_correct += int(result.correct)
        state.interval_examples += self.drawn
        return bool(result.stop)

    def _validate(self, log: MetricsLog | None, progress: Progress) -> Score | None:
        """Scores the validation split; returns the score if these are the weights to choose."""
        state = self.state
        if not state.interval_examples:
            raise self._diverged("Every batch since the last validation was skipped")
        score = self.scorer(self.dataset.validation)
        best = score.accuracy > state.best_accuracy
        if best:
            state.best_accuracy, state.best_step = score.accuracy, state.step
            state.stale_validations = 0
            self._check_finite()
            if self.workers.is_chief:
                checkpoints.save_best(self.run, self.variables, state.step)
        else:
            state.stale_validations += 1
            state.stopped_early = 0 < self.config.early_stopping <= state.stale_validations
        if log:
            rate = float(keras.ops.convert_to_numpy(self.optimizer.learning_rate))
            progress.validation(log.add(state, score, state.step / self.epoch_steps, rate), state)
        state.interval_loss, state.interval_correct, state.interval_examples = 0.0, 0, 0
        return score if best or self.config.select == "last" else None

    def _save(self) -> None:
        self._check_finite()
        if self.workers.is_chief:
            checkpoints.save_latest(self.run, self.variables, dataclasses.asdict(self.state))
            checkpoints.drop_others(self.run, self.state.best_step)

    def _check_finite(self) -> None:
        """Lets no checkpoint replace a good one whose weights a gradient has spoilt since."""
        for variable in self.model.trainable_variables:
            if not np.isfinite(np.asarray(variable)).all():
                raise self._diverged(f"{variable.path} holds numbers that are not finite")

    def _diverged(self, what: str) -> TrainingError:
        kept = checkpoints.latest_step(self.run) if self.workers.is_chief else None
        return TrainingError(
            f"{what} at step {self.state.step:,}: training has diverged. Lower "
            "`optimizer.learning_rate`, clip gradients with `optimizer.clip_norm`, or leave out "
            f"such batches with `nonfinite` 'skip'. The last checkpoint, of step {kept or 0:,}, "
            f"stays in {self.run.checkpoints}."
        )
