"""`Recovery`: what a training saves and restores, by the chief for all workers.

`RecoveryInMemory` takes its place in a training that writes no files.
"""

import dataclasses
from typing import Any

import keras
import numpy as np

from seqclf.errors import TrainingError
from seqclf.storage.run_directory import Run
from seqclf.training import checkpoints
from seqclf.training.carried_state import CarriedState
from seqclf.training.distribution.workers import Workers
from seqclf.training.state import State


class Recovery:
    """Saves and restores one training. The chief alone reads and writes files.

    Every worker calls each method at the same step.

    Args:
        run: a prepared run directory.
        workers: the workers of the training.
        model: the model that is trained.
        optimizer: its optimiser.
        carried: the state that a training on text carries from step to step; None: there is none.
    """

    def __init__(
        self,
        run: Run,
        workers: Workers,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        carried: CarriedState | None = None,
    ):
        self._run, self._workers, self._model, self._carried = run, workers, model, carried
        self._variables = {"model": model.variables, "optimizer": optimizer.variables}
        if carried and carried.variables:
            self._variables["carried"] = carried.variables

    def resume(self) -> State:
        """Restores the run's last checkpoint on all workers, and returns its state.

        Returns:
            The state, that of step 0 if there is no checkpoint.

        Raises:
            RunError: there are checkpoints, and none of them can be read.
        """

        def restore_on_chief() -> dict[str, Any]:
            if not self._workers.is_chief:
                return {}
            return checkpoints.restore_latest(self._run, self._variables) or {}

        state = self._workers.agree(restore_on_chief)
        variables = [variable for group in self._variables.values() for variable in group]
        return State(**self._workers.follow_chief(variables, state))

    def save(self, state: State) -> None:
        """Writes the checkpoint of a step.

        Raises:
            TrainingError: the weights are not finite: the checkpoint before stays.
        """
        self._check_finite(state.step)
        if self._carried:
            self._carried.gather()
        if self._workers.is_chief:
            checkpoints.save_latest(self._run, self._variables, dataclasses.asdict(state))
            checkpoints.drop_others(self._run, state.best_step)

    def save_best(self, step: int) -> None:
        """Writes the weights of a step as the best ones so far.

        Raises:
            TrainingError: they are not finite: the best ones before stay.
        """
        self._check_finite(step)
        if self._workers.is_chief:
            checkpoints.save_best(self._run, self._variables, step)

    def restore_best(self, step: int) -> None:
        """Gives the model, on all workers, the best weights.

        Args:
            step: the step at which they were saved.

        Raises:
            RunError: they cannot be read.
        """

        def restore_on_chief() -> None:
            if self._workers.is_chief:
                checkpoints.restore_best(self._run, {"model": self._model.variables}, step)

        self._workers.agree(restore_on_chief)
        self._workers.follow_chief(self._model.variables, None)

    def diverged(self, what: str, step: int) -> TrainingError:
        """Returns the error that ends a training which has diverged.

        Args:
            what: what is wrong, as the beginning of a sentence.
            step: the step at which it was found.
        """
        return TrainingError(
            f"{what} at step {step:,}: training has diverged. Lower `optimizer.learning_rate`, "
            "clip gradients with `optimizer.clip_norm`, or leave out such batches with `nonfinite` "
            f"'skip'.{self._what_stays()}"
        )

    def _what_stays(self) -> str:
        """Returns a sentence about what a training that has diverged leaves, after a space."""
        kept = checkpoints.latest_step(self._run) if self._workers.is_chief else None
        return f" The last checkpoint, of step {kept or 0:,}, stays in {self._run.checkpoints}."

    def _check_finite(self, step: int) -> None:
        """Keeps weights that a gradient has spoilt from replacing those of a good checkpoint."""
        for variable in self._model.trainable_variables:
            if not np.isfinite(np.asarray(variable)).all():
                raise self.diverged(f"{variable.path} holds numbers that are not finite", step)


class RecoveryInMemory(Recovery):
    """Keeps the best weights of one training in memory. It cannot be resumed by another process.

    Args:
        model: the model that is trained.
    """

    def __init__(self, model: keras.Model):
        self._model = model
        self._best: list[np.ndarray] = []

    def resume(self) -> State:
        """Returns the state of step 0."""
        return State()

    def save(self, state: State) -> None:
        """Checks that the weights are finite, and saves nothing.

        Raises:
            TrainingError: they are not.
        """
        self._check_finite(state.step)

    def save_best(self, step: int) -> None:
        self._check_finite(step)
        self._best = self._model.get_weights()

    def restore_best(self, step: int) -> None:
        del step
        self._model.set_weights(self._best)

    def _what_stays(self) -> str:
        return ""
