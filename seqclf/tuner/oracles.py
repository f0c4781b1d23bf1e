"""The oracles, one for each tuner: an oracle chooses the values of the next trial of a search."""

import functools
import warnings
from typing import Any

import keras_tuner
from keras_tuner.src import config as keras_tuner_config
from keras_tuner.src.tuners import gridsearch
from sklearn.exceptions import ConvergenceWarning

from seqclf.tuner.hyperband import MendedHyperband
from seqclf.tuner.mended import RUNNING, Listener, MendedOracle

NEVER = 10**9
TUNERS = ("hyperband", "bayesian", "random", "grid")


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
    """Returns the oracle of a tuner.

    Args:
        tuner: name of the tuner, one of `TUNERS`.
        objective: name and direction of what is improved.
        hyperparameters: the whole search space.
        max_trials: the largest number of trials; None: as many as Hyperband or the grid has.
        max_epochs: epochs of a whole training; only Hyperband uses it.
        seed: seed of the random choices, 0 or more.
        listener: receives the events of the search.
        lost_after: seconds of silence after which a worker is taken for dead.
    """
    common = {
        "objective": objective,
        "hyperparameters": hyperparameters,
        "seed": seed + 1,  # Keras Tuner takes 0 for no seed
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
    keras_tuner_config.DEBUG = False  # it prints the traceback of every failed trial
    oracle.verbose = 0
    oracle.listener = listener
    oracle.lost_after = lost_after
    return oracle


class MendedRandom(MendedOracle, keras_tuner.oracles.RandomSearchOracle):  # type: ignore[misc]  # no types
    """Draws values at random."""


class MendedBayesian(MendedOracle, keras_tuner.oracles.BayesianOptimizationOracle):  # type: ignore[misc]  # no types
    """Chooses values where a Gaussian process expects the best score."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Chooses the values of the next trial, at random if the choice was tried before."""
        with warnings.catch_warnings():  # a Gaussian process of a few points often warns of this
            warnings.simplefilter("ignore", ConvergenceWarning)
            response: dict[str, Any] = super().populate_space(trial_id)
        if response["status"] == RUNNING and self._duplicate(response["values"]):
            response = self._random_populate_space()
        return response


class MendedGrid(MendedOracle, keras_tuner.oracles.GridSearchOracle):  # type: ignore[misc]  # no types
    """Goes through all combinations, one after another."""

    def reload(self) -> None:
        """Reads the state, and restores the order of the trials, which is not saved."""
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
