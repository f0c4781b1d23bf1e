"""Measures what a search costs beyond its trainings: the same configs by Keras Tuner and by hand.

    python -m benchmarks.tuner                  # the bundled digits: about 8 min on 2 cores
    python -m benchmarks.tuner --steps=300      # shorter trainings: more overhead

Each round starts two processes. The first runs a search. The second calls
`seqclf.training.loop.fit` with the configs of its trials. The wall time from the first training to
the last is measured, without imports and data. On a noisy machine two processes differ by more than
the overhead, so the time that the search spends outside of `fit` is printed as well.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

from absl import app, flags

_ROUNDS = flags.DEFINE_integer("rounds", 2, "Number of rounds.", lower_bound=1)
_TRIALS = flags.DEFINE_integer("trials", 8, "Trainings in each process.", lower_bound=1)
_STEPS = flags.DEFINE_integer("steps", 1500, "Steps of each training.", lower_bound=1)
_WAY = flags.DEFINE_enum("way", None, ["search", "hand"], "Internal: the task of this process.")
_FOLDER = flags.DEFINE_string("folder", None, "Internal: the folder of this round.")


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument: {argv[1]}")
    if _WAY.value:
        seconds, in_fit = {"search": _search, "hand": _by_hand}[_WAY.value](Path(_FOLDER.value))
        print(json.dumps([seconds, in_fit]))
        return
    times: dict[str, list[float]] = {"search": [], "hand": []}
    outside = []
    for _ in range(_ROUNDS.value):
        with tempfile.TemporaryDirectory() as folder:
            for way in times:
                seconds, in_fit = _process(way, folder)
                times[way].append(seconds)
                if way == "search":
                    outside.append(seconds / in_fit - 1)
                print(f"{way}: {seconds:.1f} s, {in_fit:.1f} s of it in fit", flush=True)
    search, hand = (median(times[way]) for way in ("search", "hand"))
    print(
        f"\n{_TRIALS.value} trainings of {_STEPS.value:,} steps, median of {_ROUNDS.value}: by the "
        f"search {search:.1f} s, by hand {hand:.1f} s: {search / hand - 1:+.1%}; the search's time "
        f"outside of fit: {median(outside):.1%} of that in it"
    )


def _process(way: str, folder: str) -> tuple[float, float]:
    """Runs one way in a process of its own; returns its seconds, and those of them in `fit`."""
    options = [f"--way={way}", f"--folder={folder}"]
    options += [f"--trials={_TRIALS.value}", f"--steps={_STEPS.value}"]
    command = [sys.executable, "-m", "benchmarks.tuner", *options]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    seconds, in_fit = json.loads(done.stdout.splitlines()[-1])
    return seconds, in_fit


def _search(folder: Path) -> tuple[float, float]:
    from seqclf.config import nest
    from seqclf.config.recipes import load_recipe
    from seqclf.config.search_space import SearchSpace
    from seqclf.training.loop import fit
    from seqclf.tuner import hypermodel
    from seqclf.tuner.search import SearchOptions, run_search

    recipe = load_recipe("digits")
    config = nest(recipe.values | {"steps": _STEPS.value})
    space = SearchSpace(config, recipe.search_space())
    hypermodel.dataset_of(space.config)
    in_fit = []

    def timed(*arguments: Any, **keywords: Any) -> Any:
        begin = time.perf_counter()
        result = fit(*arguments, **keywords)
        in_fit.append(time.perf_counter() - begin)
        return result

    start = time.perf_counter()
    with mock.patch.object(hypermodel, "fit", timed):
        run_search(space, SearchOptions("random", max_trials=_TRIALS.value), folder / "search")
    return time.perf_counter() - start, sum(in_fit)


def _by_hand(folder: Path) -> tuple[float, float]:
    from seqclf.storage.run_directory import Run
    from seqclf.training.loop import fit
    from seqclf.tuner.hypermodel import dataset_of

    trials = sorted((folder / "search" / "trials").glob("[0-9]*"))
    configs = [Run(trial).read_config() for trial in trials]
    dataset_of(configs[0])
    start = time.perf_counter()
    for i, config in enumerate(configs):
        run = Run(folder / f"hand_{i}")
        run.prepare(config)
        fit(config, dataset_of(config), run)
    seconds = time.perf_counter() - start
    return seconds, seconds


if __name__ == "__main__":
    app.run(main)
