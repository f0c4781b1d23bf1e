"""Keras Tuner's oracles, mended: every workaround for Keras Tuner is in this file.

What is mended, in Keras Tuner 1.4.8 (the tests show 2, 3, 5 and 6 on the original; the others were
read in its source):

1. Its files are written in place: a kill leaves half of one, and nothing can be resumed.
2. A kill between its writes of `trial.json` and `oracle.json` leaves a trial that is counted but
   never run; one after a trial's end, a finished trial that is run again.
3. Three failed trials in a row end the search, with a lock held for ever
   (`max_consecutive_failed_trials` counts them over the whole search, again after each resume).
4. A worker that dies keeps its trial for ever, and the chief waits for it for ever.
5. Grid search forgets from which trials it has gone on: a resumed search stops or raises KeyError
   (keras-tuner issue 1055).
6. Hyperband counts a failed trial among those that may yet finish, so that a bracket with many
   promotes too few, or none; and it has no limit on the number of trials.
7. Bayesian optimisation tries the same values again and again in a space of few values, and starts
   with three random trials per dimension, however few trials there are to be.
8. `seed=0` is no seed.
9. It prints the traceback of every failed trial.
"""

import functools
import shutil
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import keras_tuner
from keras_tuner.src import config as keras_tuner_config
from keras_tuner.src.engine import oracle as keras_tuner_oracle
from keras_tuner.src.engine import stateful
from keras_tuner.src.tuners import gridsearch
from sklearn.exceptions import ConvergenceWarning

from seqclf.storage.files import replacing

COMPLETED, FAILED = "COMPLETED", "FAILED"
NEVER = 10**9
TUNERS = ("hyperband", "bayesian", "random", "grid")


class Listener(Protocol):
    """Is told how the search goes on, where the oracle is (the chief, if there are workers)."""

    def trial_began(self, oracle: Any, trial: Any) -> None:
        """A trial was handed out."""

    def trial_ended(self, oracle: Any, trial: Any) -> None:
        """A trial was completed or has failed."""

    def trial_lost(self, oracle: Any, trial: Any, tuner_id: str) -> None:
        """A worker has not been heard of, and its trial will be handed out again."""


def make_oracle(
    tuner: str,
    *,
    objective: keras_tuner.Objective,
    hyperparameters: keras_tuner.HyperParameters,
    max_trials: int | None,
    max_epochs: int,
    seed: int,
    listener: Listener,
    lost_after: float,
) -> keras_tuner.Oracle:
    """Returns the oracle of one of `TUNERS`.

    Args:
        tuner: which.
        objective: name and direction.
        hyperparameters: the whole space.
        max_trials: None: as many as hyperband or the grid has.
        max_epochs: of a trial; only hyperband asks.
        seed: of the random choices, 0 or more.
        listener: is told of each trial.
        lost_after: seconds after which a silent worker is taken for dead.
    """
    common = {
        "objective": objective,
        "hyperparameters": hyperparameters,
        "seed": seed + 1,
        "max_consecutive_failed_trials": NEVER,
    }
    oracle: Any
    if tuner == "hyperband":
        oracle = MendedHyperband(max_epochs=max_epochs, **common)
        oracle.max_trials = max_trials
    elif tuner == "bayesian":
        dimensions = len(hyperparameters.space)
        initial = min(3 * dimensions, max(3, (max_trials or NEVER) // 3))
        oracle = MendedBayesian(max_trials=max_trials, num_initial_points=initial, **common)
    else:
        oracle = {"random": MendedRandom, "grid": MendedGrid}[tuner](
            max_trials=max_trials, **common
        )
    keras_tuner_config.DEBUG = False
    oracle.verbose = 0
    oracle.listener = listener
    oracle.lost_after = lost_after
    return oracle


def _synchronized(method: Callable) -> Callable:
    """Does what `keras_tuner.synchronized` does, and lets go of the lock after an exception too."""

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


class _Mended(keras_tuner.Oracle):
    """Mixed into an oracle; see the head of this file."""

    listener: Listener
    lost_after: float

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._heard: dict[str, float] = {}  # of a trial or a worker, when

    @_synchronized
    def create_trial(self, tuner_id: str) -> Any:
        self._heard[tuner_id] = time.monotonic()
        trial = super().create_trial(tuner_id)
        if trial.status == "RUNNING":
            self._heard[trial.trial_id] = time.monotonic()
            self.listener.trial_began(self, trial)
        return trial

    def get_trial(self, trial_id: str) -> Any:
        """Returns a trial; from the worker that runs it, this is the sign of life."""
        self._heard[trial_id] = time.monotonic()
        return super().get_trial(trial_id)

    @_synchronized
    def end_trial(self, trial: Any) -> None:
        if trial.trial_id in self.end_order:  # was given to another worker, who was quicker
            return
        if trial.trial_id in self._retry_queue:  # was taken for lost and is not
            self._retry_queue.remove(trial.trial_id)
        super().end_trial(trial)
        self.save()  # theirs saves before it forgets that the trial is running
        self.listener.trial_ended(self, self.trials[trial.trial_id])

    @_synchronized
    def release_lost(self) -> None:
        """Takes their trials from workers that have not been heard of for `lost_after` seconds."""
        now = time.monotonic()
        for tuner_id in list(self.tuner_ids):
            trial = self.ongoing_trials.get(tuner_id)
            heard = [self._heard.get(tuner_id, now)]
            heard += [self._heard.get(trial.trial_id, now)] if trial else []
            if now - max(heard) <= self.lost_after:
                continue
            self.tuner_ids.discard(tuner_id)
            if trial:
                del self.ongoing_trials[tuner_id]
                self._retry_queue.append(trial.trial_id)
                self.save()
                self.listener.trial_lost(self, trial, tuner_id)

    def save(self) -> None:
        _save(self, Path(self._get_oracle_fname()))

    def _save_trial(self, trial: Any) -> None:
        _save(trial, Path(self._get_trial_dir(trial.trial_id)) / "trial.json")

    def reload(self) -> None:
        super().reload()
        for trial_id in set(self.trials) - set(self.start_order):
            del self.trials[trial_id]
            shutil.rmtree(self._get_trial_dir(trial_id))
        for trial_id in list(self._retry_queue):
            if self.trials[trial_id].status in (COMPLETED, FAILED):
                self._retry_queue.remove(trial_id)
                if trial_id not in self.end_order:
                    self.end_order.append(trial_id)


class MendedRandom(_Mended, keras_tuner.oracles.RandomSearchOracle):
    """Values drawn at random."""


class MendedBayesian(_Mended, keras_tuner.oracles.BayesianOptimizationOracle):
    """Values where a Gaussian process expects most."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        with warnings.catch_warnings():  # of a Gaussian process with a handful of points: no news
            warnings.simplefilter("ignore", ConvergenceWarning)
            response = super().populate_space(trial_id)
        if response["status"] == "RUNNING" and self._duplicate(response["values"]):
            return self._random_populate_space()
        return response


class MendedGrid(_Mended, keras_tuner.oracles.GridSearchOracle):
    """All combinations, one after another."""

    def reload(self) -> None:
        super().reload()
        values = {
            trial_id: self.trials[trial_id].hyperparameters.values for trial_id in self.trials
        }
        in_order = sorted(
            values, key=functools.cmp_to_key(lambda a, b: self._compare(values[a], values[b]))
        )
        self._ordered_ids = gridsearch.LinkedList()
        for trial_id in in_order:
            self._ordered_ids.insert(trial_id)
        self._populate_next = in_order


class MendedHyperband(_Mended, keras_tuner.oracles.HyperbandOracle):
    """Many trials for a few epochs, the best of them for more (Li et al. 2018, JMLR 18:185)."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        for bracket in self._brackets:
            number, rounds = bracket["bracket_num"], bracket["rounds"]
            if len(rounds[0]) < self._expected(bracket, 0):
                response = self._random_trial(trial_id, bracket)
                if response["status"] == "RUNNING":
                    return response
                bracket["no_more_values"] = True
            for round_num in range(1, len(rounds)):
                best = self._promotable(bracket, round_num)
                if best is not None:
                    rounds[round_num].append({"past_id": best.trial_id, "id": trial_id})
                    values = best.hyperparameters.values | {
                        "tuner/trial_id": best.trial_id,
                        "tuner/epochs": self._get_epochs(number, round_num),
                        "tuner/initial_epoch": self._get_epochs(number, round_num - 1),
                        "tuner/bracket": number,
                        "tuner/round": round_num,
                    }
                    return {"status": "RUNNING", "values": values}
        if self._current_bracket == 0 and self._current_iteration + 1 == self.hyperband_iterations:
            return {"status": "IDLE" if self.ongoing_trials else "STOPPED"}
        self._increment_bracket_num()
        self._start_new_bracket()
        return self.populate_space(trial_id)

    def planned_epochs(self) -> list[int]:
        """Returns the epochs that each trial adds, if none fails, in the order of brackets."""
        epochs = []
        for bracket in reversed(range(self._get_num_brackets())):
            before = 0
            for round_num in range(self._get_num_rounds(bracket)):
                upto = self._get_epochs(bracket, round_num)
                epochs += [upto - before] * self._get_size(bracket, round_num)
                before = upto
        return epochs

    def _promotable(self, bracket: dict[str, Any], round_num: int) -> Any:
        """Returns the trial that goes on from the round before to this one; None: none yet.

        It is the best of those completed, once it is sure to be among those that go on, however
        well the others of its round will do.
        """
        rounds = bracket["rounds"]
        places = self._expected(bracket, round_num)
        gone_on = {info["past_id"] for info in rounds[round_num]}
        before = [self.trials[info["id"]] for info in rounds[round_num - 1]]
        waiting = [t for t in before if t.status == COMPLETED and t.trial_id not in gone_on]
        failed = sum(t.status == FAILED for t in before)
        thrown_out = self._expected(bracket, round_num - 1) - places
        if not waiting or len(gone_on) >= places or len(waiting) + failed <= thrown_out:
            return None
        choose = max if self.objective.direction == "max" else min
        return choose(waiting, key=lambda t: t.score)

    def _expected(self, bracket: dict[str, Any], round_num: int) -> int:
        """Returns how many trials a round will have: less than planned where too many failed."""
        rounds = bracket["rounds"]
        if round_num == 0 and bracket.get("no_more_values"):
            return len(rounds[0])
        planned = self._get_size(bracket["bracket_num"], round_num)
        if round_num == 0:
            return planned
        failed = sum(self.trials[i["id"]].status == FAILED for i in rounds[round_num - 1])
        return min(planned, self._expected(bracket, round_num - 1) - failed)


def _save(state: stateful.Stateful, path: Path) -> None:
    with replacing(path) as temporary:
        stateful.Stateful.save(state, str(temporary))
