"""`fit`: the training loop, written so that a stop at any moment loses nothing.

A plain loop and not `keras.Model.fit`, for three reasons: `fit` cannot go on in the middle of an
epoch, it hides the time spent waiting for data, and its step is the thing that a reader of this
project came to see.
"""

import dataclasses
import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from seqclf import checkpoints
from seqclf.config import examples_per_step
from seqclf.data.augmentation import augmentation_of
from seqclf.data.dataset import Dataset, DatasetSpec
from seqclf.data.pipeline import steps_per_epoch, training_batches
from seqclf.errors import TrainingError
from seqclf.evaluation import Score, Scorer
from seqclf.metrics import MetricsLog
from seqclf.models import build_classifier
from seqclf.optimizers import build_optimizer
from seqclf.progress import Progress
from seqclf.runs import Run, replacing
from seqclf.steps import make_train_step


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


def check(config: Any, dataset: Dataset) -> None:
    """Checks that a config and a data set go together.

    Raises:
        ConfigError: a step would read more examples than the training split has, or `augment.*`
            asks for distortions of examples that are no images.
    """
    steps_per_epoch(dataset.train, examples_per_step(config))
    augmentation_of(config, dataset.spec)


def total_steps(config: Any, dataset: Dataset) -> int:
    """Returns the length of the training in steps, from `steps` or `epochs`.

    Raises:
        ConfigError: a step would read more examples than the training split has.
    """
    epoch_steps = steps_per_epoch(dataset.train, examples_per_step(config))
    return config.steps or max(1, round(config.epochs * epoch_steps))


def build(config: Any, spec: DatasetSpec) -> keras.Model:
    """Returns the classifier of a config, its weights drawn from the config's seed."""
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(config.seed)
    return build_classifier(config, spec)


def fit(
    config: Any,
    dataset: Dataset,
    run: Run,
    *,
    model: keras.Model | None = None,
    until: int | None = None,
    make_progress: Callable[[int, int], Progress] = Progress,
) -> Fit:
    """Trains a classifier, or goes on from the run's last checkpoint.

    A run that was killed and resumed ends with the weights, bit for bit, of one that was not (on
    the same machine and versions): the batch of a step, the dropout masks and the optimiser are
    functions of the checkpoint alone.

    Args:
        config: a resolved config.
        dataset: its training and validation splits are used, never its test split.
        run: a prepared run directory; checkpoints, metrics and the model are written there.
        model: as `build` returns it; None: it is built.
        until: stop at this step, or at the validation after it; a later call goes on from there as
            if there had been no stop. None: at the end.
        make_progress: is called with the last step and the first, and shows the rest.

    Returns:
        The model with the weights that `config.select` asks for, the final state and their score.

    Raises:
        TrainingError: the loss is no longer finite; the last checkpoint stays.
        RunError: the run's checkpoints cannot be read.
    """
    total = total_steps(config, dataset)
    model = model or build(config, dataset.spec)
    optimizer = build_optimizer(config, total)
    optimizer.build(model.trainable_variables)
    variables = {"model": model.variables, "optimizer": optimizer.variables}
    state = State(**(checkpoints.restore_latest(run, variables) or {}))
    log = MetricsLog(run, state.step)
    if state.step:
        print(f"Resuming at step {state.step:,} of {total:,}.", flush=True)
    end = min(total, until or total)
    progress = make_progress(end, state.step)
    score = _train(config, dataset, run, model, optimizer, state, log, total, end, progress)
    if config.select == "best":
        checkpoints.restore(run.checkpoints / "best.npz", {"model": model.variables})
    with replacing(run.model) as temporary:
        model.save(temporary)
    return Fit(model, state, score)


def _train(
    config: Any,
    dataset: Dataset,
    run: Run,
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    state: State,
    log: MetricsLog,
    total: int,
    end: int,
    progress: Progress,
) -> Score | None:
    """Runs the steps from `state.step` to `end`; updates `state` and writes checkpoints.

    Returns:
        What `Fit.score` is.
    """
    selected = None
    drawn = examples_per_step(config)
    epoch_steps = steps_per_epoch(dataset.train, drawn)
    validate_every = config.validate_every or epoch_steps
    end = min(total, -(-end // validate_every) * validate_every)  # a validation more would show
    variables = {"model": model.variables, "optimizer": optimizer.variables}
    train_step = make_train_step(model, optimizer, config)
    scorer = Scorer(model, dataset.spec, config.jit_compile)
    batches = iter(
        training_batches(
            dataset.train,
            dataset.spec,
            drawn,
            config.seed,
            state.step,
            augmentation_of(config, dataset.spec),
        )
    )
    while state.step < end and not state.stopped_early:
        start = time.perf_counter()
        inputs, labels = next(batches)
        arrived = time.perf_counter()
        loss, correct = train_step(inputs, labels)
        loss_value = float(loss)
        state.step += 1
        state.train_seconds += time.perf_counter() - start
        state.wait_seconds += arrived - start
        state.interval_loss += loss_value * drawn
        state.interval_correct += int(correct)
        state.interval_examples += drawn
        if not math.isfinite(loss_value):
            raise TrainingError(
                f"The loss is {loss_value} at step {state.step:,}: training has diverged. Lower "
                "`optimizer.learning_rate`, or clip gradients with `optimizer.clip_norm`. The last "
                f"checkpoint stays in {run.checkpoints}."
            )
        progress.step(state)
        if state.step % validate_every == 0 or state.step == total:
            score = scorer(dataset.validation)
            if score.accuracy > state.best_accuracy or config.select == "last":
                selected = score
            if score.accuracy > state.best_accuracy:
                state.best_accuracy, state.best_step = score.accuracy, state.step
                state.stale_validations = 0
                checkpoints.save(run.checkpoints / "best.npz", variables, {"step": state.step})
            else:
                state.stale_validations += 1
                state.stopped_early = 0 < config.early_stopping <= state.stale_validations
            record = log.add(state, score, state.step / epoch_steps, _learning_rate(optimizer))
            progress.validation(record, state)
        if state.step % config.checkpoint_every == 0 or state.step == end or state.stopped_early:
            checkpoints.save_latest(run, variables, dataclasses.asdict(state))
    return selected


def _learning_rate(optimizer: keras.optimizers.Optimizer) -> float:
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))
