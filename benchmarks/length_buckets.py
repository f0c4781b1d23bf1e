"""Measures what `length_buckets` saves: steps per second, and the time that compiling takes.

    python -m benchmarks.length_buckets --config.data.source=ts:X_TRAIN.ts,X_TEST.ts
    python -m benchmarks.length_buckets --config=RECIPE --buckets=0,4 --rounds=5

Trains the model of the config on the training split of its data. The numbers of buckets take turns
in one process, each for whole epochs, because the batches of an epoch have different lengths. The
first epoch, in which each length is compiled, is measured by itself. Prints a table, and writes
`length_buckets.json`. Nothing is scored: only the order and the padding differ.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from absl import app, flags

from seqclf.config import Config, resolve
from seqclf.console.config_flag import ConfigFlag
from seqclf.data.dataset import Dataset
from seqclf.data.length_buckets import BucketedSplit, in_length_buckets
from seqclf.data.pipeline import steps_per_epoch, training_batches
from seqclf.data.sources import load_dataset
from seqclf.errors import SeqclfError
from seqclf.storage.environment import describe_environment
from seqclf.storage.files import write_json
from seqclf.training.effective import check_fits_data, effective_config
from seqclf.training.loop import build
from seqclf.training.optimizers import build_optimizer
from seqclf.training.step import TrainStep

_CONFIG = ConfigFlag()
_BUCKETS = flags.DEFINE_list("buckets", ["0", "2", "4", "8"], "Numbers of buckets; 0: none.")
_ROUNDS = flags.DEFINE_integer("rounds", 3, "Turns of each number of buckets.", lower_bound=1)
_STEPS = flags.DEFINE_integer("steps", 100, "Least steps of a turn; whole epochs are taken.", 1)
_OUT = flags.DEFINE_string("out", "runs/benchmarks", "Folder for the results.")


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument: {argv[1]}")
    counts = [int(count) if count.isdecimal() else -1 for count in _BUCKETS.value]
    if min(counts, default=-1) < 0:
        raise app.UsageError(f"--buckets must be whole numbers. Received: {_BUCKETS.value}")
    try:
        base = resolve(_CONFIG.value)
        configs = [base.changed({"length_buckets": count}) for count in counts]
        dataset = load_dataset(**base.data.to_dict())
        for config in configs:
            check_fits_data(config, dataset)
        trainings = [Training(effective_config(config, dataset), dataset) for config in configs]
    except SeqclfError as error:
        sys.exit(f"Error: {error}")
    for turn in range(_ROUNDS.value):
        first = turn % len(trainings)
        for training in (*trainings[first:], *trainings[:first]):
            training.take_turn(_STEPS.value)
    results = [training.result() for training in trainings]
    folder = Path(_OUT.value)
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "environment": describe_environment(),
        "dataset": dataset.origin,
        "config": base.to_dict(),
        "results": results,
    }
    write_json(folder / "length_buckets.json", content)
    print(f"{table(results)}\nresults in {folder / 'length_buckets.json'}")


class Training:
    """A training with one number of buckets, whose steps are timed.

    Args:
        config: a config as `effective_config` returns it.
        dataset: its data.
    """

    def __init__(self, config: Config, dataset: Dataset):
        self._config = config
        self._split = in_length_buckets(dataset.train, config.length_buckets)
        model = build(config, dataset.spec)
        optimizer = build_optimizer(config, 1_000_000)
        optimizer.build(model.trainable_variables)
        self._step = TrainStep(model, optimizer, config)
        self._epoch_steps = steps_per_epoch(self._split, config.examples_per_step)
        self._batches: Iterator[Any] = iter(
            training_batches(self._split, dataset.spec, config.examples_per_step, config.seed)
        )
        self._first_epoch = self._seconds(self._epoch_steps)
        self._turns: list[float] = []  # seconds per step

    def take_turn(self, least_steps: int) -> None:
        """Trains for whole epochs of so many steps at least."""
        steps = -(-least_steps // self._epoch_steps) * self._epoch_steps
        self._turns.append(self._seconds(steps) / steps)
        buckets = self._config.length_buckets
        print(f"{buckets} buckets: {1 / self._turns[-1]:.1f} steps/s", flush=True)

    def result(self) -> dict[str, Any]:
        """Returns the figures of all turns."""
        result: dict[str, Any] = {"buckets": self._config.length_buckets, "bounds": []}
        if isinstance(self._split, BucketedSplit):
            examples, seed = self._config.examples_per_step, self._config.seed
            without, padding = self._split.padding(examples, seed)
            result |= {"bounds": list(self._split.bounds), "padding": [without, padding]}
        step = median(self._turns)
        return result | {
            "steps_per_second": 1 / step,
            "steps_per_second_of_turns": [1 / seconds for seconds in self._turns],
            "compiling_seconds": max(self._first_epoch - self._epoch_steps * step, 0.0),
        }

    def _seconds(self, steps: int) -> float:
        begun = time.perf_counter()
        for _ in range(steps):
            loss, *_ = self._step(*next(self._batches))
            float(loss)  # waits until the step is done
        return time.perf_counter() - begun


def table(results: list[dict[str, Any]]) -> str:
    """Returns the results as a table in Markdown.

    "Pays after" is the number of steps after which they have saved the time that compiling for
    more lengths took.
    """
    plain = next((result for result in results if not result["buckets"]), None)
    lines = [
        "| buckets | lengths | padding | steps/s | times as fast | compiling, s | pays after |",
        "|--:|---|--:|--:|--:|--:|--:|",
    ]
    for result in results:
        padding = f"{result['padding'][1]:.0%}" if "padding" in result else "–"
        faster, pays = _compared(result, plain)
        lines.append(
            f"| {result['buckets']} | {', '.join(map(str, result['bounds'])) or '–'} | {padding} "
            f"| {result['steps_per_second']:.1f} | {faster} "
            f"| {result['compiling_seconds']:.1f} | {pays} |"
        )
    without = [result["padding"][0] for result in results if "padding" in result]
    note = f"\nPadding without buckets: {without[0]:.0%}" if without else ""
    return "\n".join(lines) + note


def _compared(result: dict[str, Any], plain: dict[str, Any] | None) -> tuple[str, str]:
    """Returns how many times as fast as without buckets, and the steps after which that pays."""
    if plain is None:
        return "–", "–"
    saved = 1 / plain["steps_per_second"] - 1 / result["steps_per_second"]
    extra = result["compiling_seconds"] - plain["compiling_seconds"]
    faster = f"{result['steps_per_second'] / plain['steps_per_second']:.2f}"
    if result is plain:
        return faster, "–"
    return faster, f"{max(extra / saved, 0):,.0f} steps" if saved > 0 else "never"


if __name__ == "__main__":
    app.run(main)
