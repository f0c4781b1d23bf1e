"""`MendedOracle`: mends the faults that all of Keras Tuner's oracles have in common.

`hyperband.py` mends those of Hyperband and `oracles.py` those of the others; no other module works
around Keras Tuner. The faults of Keras Tuner 1.4.8 (the tests show 2, 3, 5 and 6 on the original;
the others were read in its source):

1. Its files are written in place: a kill leaves half of one, and nothing can be resumed.
2. A kill between its writes of `trial.json` and `oracle.json` leaves a trial that is counted but
   never run. A kill after the end of a trial leaves a finished trial that is run again.
3. Three failed trials in a row end the search, and leave a lock held for ever
   (`max_consecutive_failed_trials` counts them over the whole search, and again after each resume).
4. A worker that dies keeps its trial for ever, and the chief waits for it for ever.
5. Grid search forgets which trials it has continued from: a resumed search stops or raises KeyError
   (keras-tuner issue 1055).
6. Hyperband counts a failed trial among those that may still finish, so that a bracket with many
   failures promotes too few trials, or none. It has no limit on the number of trials.
7. Bayesian optimisation tries the same values again and again in a space of few values. It starts
   with three random trials per dimension, however few trials are allowed.
8. `seed=0` counts as no seed.
9. It prints the traceback of every failed trial.
"""

import functools
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import keras_tuner
from keras_tuner.src.engine import oracle as keras_tuner_oracle
from keras_tuner.src.engine import stateful

from seqclf.storage.files import replacing
from seqclf.storage.plain_path import plain_path

COMPLETED, FAILED, RUNNING = "COMPLETED", "FAILED", "RUNNING"  # Keras Tuner's words


class Listener(Protocol):
    """Receives the events of a search, in the process that holds the oracle (alone or chief)."""

    def trial_began(self, oracle: Any, trial: Any) -> None:
        """Is called when a trial has been handed out."""

    def trial_ended(self, oracle: Any, trial: Any) -> None:
        """Is called when a trial has been completed or has failed."""

    def trial_lost(self, oracle: Any, trial: Any, tuner_id: str) -> None:
        """Is called when a worker is silent for too long; its trial will be handed out again."""


def _synchronized(method: Callable[..., Any]) -> Callable[..., Any]:
    """Does what `keras_tuner.synchronized` does, and releases the lock after an exception too."""

    @functools.wraps(method)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return keras_tuner.synchronized(method)(self, *args, **kwargs)
        except BaseException:
            lock = keras_tuner_oracle.LOCKS[self]
            if lock.locked():
                keras_tuner_oracle.THREADS[self] = None
                lock.release()
            raise

    return wrapped


class MendedOracle(keras_tuner.Oracle):  # type: ignore[misc]  # no types
    """A mixin for Keras Tuner's oracles that mends the faults that this module's docstring lists.

    Attributes:
        listener: receives the events of the search.
        lost_after: seconds of silence after which a worker is taken for dead.
    """

    listener: Listener
    lost_after: float
    _directory: str  # set by Keras Tuner

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._last_heard: dict[str, float] = {}  # time of the last call, by trial or tuner ID

    @_synchronized
    def create_trial(self, tuner_id: str) -> Any:
        """Returns the next trial for a tuner; its `status` says whether there is one."""
        self._last_heard[tuner_id] = time.monotonic()
        trial = super().create_trial(tuner_id)
        if trial.status == RUNNING:
            self._last_heard[trial.trial_id] = time.monotonic()
            self.listener.trial_began(self, trial)
        return trial

    def get_trial(self, trial_id: str) -> Any:
        """Returns a trial. The worker that runs the trial calls this as its heartbeat."""
        self._last_heard[trial_id] = time.monotonic()
        return super().get_trial(trial_id)

    @_synchronized
    def end_trial(self, trial: Any) -> None:
        """Records that a trial has ended."""
        if trial.trial_id in self.end_order:  # another worker was given it, and was quicker
            return
        if trial.trial_id in self._retry_queue:  # its worker was taken for dead, but was only slow
            self._retry_queue.remove(trial.trial_id)
        super().end_trial(trial)
        self.save()  # the original saves before it forgets that the trial is running
        self.listener.trial_ended(self, self.trials[trial.trial_id])

    @_synchronized
    def release_lost(self) -> None:
        """Takes the trials away from workers that have been silent for `lost_after` seconds."""
        now = time.monotonic()
        for tuner_id in list(self.tuner_ids):
            trial = self.ongoing_trials.get(tuner_id)
            heard = [self._last_heard.get(tuner_id, now)]
            heard += [self._last_heard.get(trial.trial_id, now)] if trial else []
            if now - max(heard) <= self.lost_after:
                continue
            self.tuner_ids.discard(tuner_id)
            if trial:
                del self.ongoing_trials[tuner_id]
                self._retry_queue.append(trial.trial_id)
                self.save()
                self.listener.trial_lost(self, trial, tuner_id)

    def save(self) -> None:
        """Writes `oracle.json` atomically."""
        _save(self, Path(self._get_oracle_fname()))

    def _save_trial(self, trial: Any) -> None:
        _save(trial, Path(self._get_trial_dir(trial.trial_id)) / "trial.json")

    def reload(self) -> None:
        """Reads `oracle.json` and the trials, and repairs what a kill has left between them.

        Raises:
            ValueError: the files contradict each other in another way.
        """
        directory = self._directory
        with plain_path(Path(directory)) as plain:  # Keras Tuner looks for trials with a pattern
            self._directory = str(plain)
            try:
                super().reload()
            finally:
                self._directory = directory
        self._check_trials()
        for trial_id in set(self.trials) - set(self.start_order):
            del self.trials[trial_id]
            shutil.rmtree(self._get_trial_dir(trial_id))
        for trial_id in list(self._retry_queue):
            if self.trials[trial_id].status in (COMPLETED, FAILED):
                self._retry_queue.remove(trial_id)
                if trial_id not in self.end_order:
                    self.end_order.append(trial_id)

    def _check_trials(self) -> None:
        ended = [self.trials.get(trial_id) for trial_id in self.end_order]
        if not set(self.start_order) <= set(self.trials) or None in ended:
            raise ValueError("oracle.json names trials that are not there")
        for trial_id, trial in self.trials.items():
            if trial.trial_id != trial_id or not trial_id.isdecimal():
                raise ValueError(f"trial {trial_id} calls itself {trial.trial_id!r}")
            if trial.status == COMPLETED and not isinstance(trial.score, (int, float)):
                raise ValueError(f"the score of trial {trial_id} is {trial.score!r}")
        if any(trial.status not in (COMPLETED, FAILED) for trial in ended):
            raise ValueError("oracle.json counts a trial that has not ended among those that have")


def _save(state: stateful.Stateful, path: Path) -> None:
    with replacing(path) as temporary:
        stateful.Stateful.save(state, str(temporary))
