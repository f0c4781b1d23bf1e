"""The lines that are printed while a search runs."""

import time
from typing import Any

from seqclf.config.search_space import SearchSpace, shown
from seqclf.console.progress import Progress, clock


class SearchProgress:
    """A `mended.Listener` that prints a line when a trial begins and one when it ends.

    Args:
        space: the search space, which says which values a trial has.
    """

    def __init__(self, space: SearchSpace):
        self._space = space
        self._total: int | None = None  # number of trials that are planned; None: not known
        self._epochs: list[int] = []  # that each of them adds; empty: all take about as long
        self._start = time.monotonic()
        self._ended_before: int | None = None  # trials that ended before this process began
        self._began: dict[str, float] = {}

    def plan(self, oracle: Any) -> None:
        """Notes how many trials an oracle plans, and how long they are relative to each other."""
        self._total = oracle.max_trials
        if hasattr(oracle, "planned_epochs"):
            self._epochs = oracle.planned_epochs()[: oracle.max_trials]
            self._total = len(self._epochs)

    def trial_began(self, oracle: Any, trial: Any) -> None:
        """Prints the number and the values of a trial."""
        if self._ended_before is None:
            self._ended_before = len(oracle.end_order)
        self._began[trial.trial_id] = time.monotonic()
        total = f" of {self._total}" if self._total else ""
        print(f"\ntrial {trial_in_words(self._space, trial, total)}", flush=True)

    def trial_ended(self, oracle: Any, trial: Any) -> None:
        """Prints the score of a trial, the best score so far and the time left."""
        name = oracle.objective.name
        if trial.status == "COMPLETED":
            best = oracle.get_best_trials(1)[0]
            text = (
                f"{name} {trial.score:.4f} (best so far {best.score:.4f}, "
                f"trial {trial_number(best.trial_id)})"
            )
        else:
            text = f"failed{_reason(trial)}"
        seconds = time.monotonic() - self._began.get(trial.trial_id, self._start)
        print(
            f"    trial {trial_number(trial.trial_id)}: {text}; took {clock(seconds)}"
            f"{self._time_left(oracle)}",
            flush=True,
        )

    def trial_lost(self, oracle: Any, trial: Any, tuner_id: str) -> None:
        """Prints that a worker is silent, and that another will have its trial."""
        number = trial_number(trial.trial_id)
        print(
            f"    worker {tuner_id} is not heard of any more: trial {number} goes to another",
            flush=True,
        )

    def _time_left(self, oracle: Any) -> str:
        ended, before = len(oracle.end_order), self._ended_before or 0
        if not self._total or ended <= before:
            return ""
        done, to_come = ended - before, max(0, self._total - ended)
        if self._epochs:
            done, to_come = sum(self._epochs[before:ended]), sum(self._epochs[ended:])
        if not done:
            return ""
        return f"; about {clock((time.monotonic() - self._start) / done * to_come)} left"


class TrialProgress(Progress):
    """The progress of one trial: indented, and with fewer lines than a training's own."""

    interval = 10.0
    indent = "    "

    def validation(self, record: dict[str, Any], best: bool) -> None:
        """Prints nothing: a search has many validations."""


def trial_number(trial_id: str) -> int:
    """Returns the number that people see of a trial; it counts from 1."""
    return int(trial_id) + 1


def trial_in_words(space: SearchSpace, trial: Any, total: str = "") -> str:
    """Returns the number and the values of a trial and, with Hyperband, its epochs.

    Args:
        space: the search space.
        trial: Keras Tuner's trial.
        total: text that follows the number, such as " of 20".
    """
    values = short_names(space.declare(trial.hyperparameters.copy()))
    text = ", ".join(f"{name} {shown(value)}" for name, value in values.items())
    epochs = trial.hyperparameters.values.get("tuner/epochs")
    parent = trial.hyperparameters.values.get("tuner/trial_id")
    upto = f"\n    to epoch {epochs}" if epochs else ""
    goes_on = f", goes on from trial {trial_number(parent)}" if parent else ""
    return f"{trial_number(trial.trial_id)}{total}: {text}{upto}{goes_on}"


def short_names(values: dict[str, Any]) -> dict[str, Any]:
    """Returns the values by the last part of their keys, where no two keys share that part.

    `name` is an exception: the last part alone does not say what it names.
    """
    last = [key.rpartition(".")[2] for key in values]
    return {
        name if last.count(name) == 1 and name != "name" else key: value
        for name, (key, value) in zip(last, values.items(), strict=True)
    }


def _reason(trial: Any) -> str:
    """Returns why a trial has failed; "" if it ran in a worker, which sends no traceback."""
    lines = (trial.message or "").strip().splitlines()
    return f": {lines[-1].partition(': ')[2] or lines[-1]}" if lines else ""
