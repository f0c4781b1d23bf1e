"""The protocol of the records: choices by validation alone, then one reading of the test split.

1. Every change of a recipe is trained with a short schedule and the seeds 0 to 4.
2. The best few by their mean validation accuracy are trained with the whole schedule and the seeds
   0 to 2. The best of them by the same figure is chosen.
3. The chosen config is trained with fresh seeds, from 100 on, with which no choice was made.
   When all are trained, their models are scored on the test split, each once. From the moment
   before, the record holds the config; another one for the same task is refused.

Where there is one config alone, nothing is chosen, and the first two steps are left out.
"""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.fingerprints import fingerprint, numbers
from benchmarks.records.attempts import READING, TRAINING, Attempts, Line
from benchmarks.records.beside import read_beside
from benchmarks.records.counting import Count, read_in_words
from benchmarks.records.cross_validation import read_folds
from benchmarks.records.process import in_own_process
from benchmarks.records.side_by_side import side_by_side
from benchmarks.records.tasks import BESIDE, FIRST_FRESH, FOLDS, Task, shortened
from benchmarks.records.worker import RUN
from benchmarks.test_reads import Record
from seqclf.config import Config
from seqclf.errors import ConfigError, DataError
from seqclf.storage.files import remove
from seqclf.storage.run_directory import Run

SHORT, WHOLE, FRESH = "short", "whole", "fresh"


@dataclasses.dataclass(frozen=True)
class Limits:
    """How much is tried.

    Attributes:
        short_seeds: trainings of each change with the short schedule.
        finalists: changes that are trained with the whole schedule.
        whole_seeds: trainings of each of these.
    """

    short_seeds: int = 5
    finalists: int = 3
    whole_seeds: int = 3


@dataclasses.dataclass
class Records:
    """Trains and reads tasks by the protocol, and keeps each result in files that all tasks share.

    Attributes:
        attempts: the file of all trainings and readings.
        record: path of the record of the test splits that were read.
        folder: where the runs lie.
        limits: how much is tried.
        again: whether a test split may be read for a config that is not the first one.
        job: does a job of `benchmarks.records.worker` in a process of its own.
        at_once: number of trainings at a time, of those for choosing.
    """

    attempts: Attempts
    record: Path
    folder: Path
    limits: Limits = Limits()
    again: bool = False
    job: Callable[..., dict[str, Any]] = in_own_process
    at_once: int = 1

    def run(self, task: Task, choose_only: bool = False) -> None:
        """Does all of a task that is not done yet.

        Args:
            task: the task.
            choose_only: whether to end before the test split is read.

        Raises:
            ConfigError: a change does not suit the recipe.
            DataError: the test split was read for another config; or a file is damaged.
            TrainingError: a training failed.
        """
        if task.kind == FOLDS:
            if not choose_only:
                read_folds(self, task)
            return
        name, config = self.choose(task)
        print(f"{task.name}: chosen is {name!r}, config {fingerprint(config)}", flush=True)
        if not choose_only:
            self.read(task, name, config)

    def choose(self, task: Task) -> tuple[str, Config]:
        """Returns the name and the config of the change that is best on validation."""
        configs = task.configs()
        if task.kind == BESIDE:  # nothing validates there on the way
            configs = {name: shortened(config, 1.0) for name, config in configs.items()}
        if len(configs) == 1:
            return next(iter(configs.items()))
        short = {name: shortened(config, task.short) for name, config in configs.items()}
        lines = self._trained(task, SHORT, short, range(self.limits.short_seeds))
        finalists = ranked(lines)[: self.limits.finalists]
        whole = {name: configs[name] for name in finalists}
        lines = self._trained(task, WHOLE, whole, range(self.limits.whole_seeds))
        best = ranked(lines)[0]
        return best, configs[best]

    def read(self, task: Task, name: str, config: Config) -> None:
        """Trains a config with fresh seeds, and reads the test split for them, if it was not.

        Raises:
            DataError: the test split was read for another config, or a seed has been chosen with.
        """
        used, seeds = fingerprint(config), task.fresh_seeds
        record = Record(self.record)
        first = record.check(task.name, used, self.again)  # before hours of training
        self.check_fresh(task, seeds)
        if task.kind == BESIDE:
            read_beside(self, task, name, config, record, first)
            return
        record.begin(task.name, used)  # before a fresh seed tells anything, by validation either
        lines = self._trained(task, FRESH, {name: config}, seeds)[name]
        if not all(self._reading(task, used, seed) for seed in seeds):
            folders = [self.folder_of(task, used, seed) for seed in seeds]
            runs = [str(folder / RUN) for folder in folders]
            scored = self.folder / task.name / f"{used}_test"
            for folder, seed in zip(folders, seeds, strict=True):
                if not Run(folder / RUN).model.exists():  # it was trained elsewhere
                    remove(folder)
                    remove(scored)  # its scores are those of another training
                    self.job(self._training_job(config.changed({"seed": seed})), folder)
            job = {"mode": "score", "config": config.to_dict(), "runs": runs}
            scores = self.job(job, scored)["test"]
            for line, test in zip(lines, scores, strict=True):
                self._add_reading(task, line, {"test": test, "first": first, "change": name})
        for seed in seeds:
            if read := self._reading(task, used, seed):
                record.end(task.name, used, seed, read["test"]["accuracy"])

    def check_fresh(self, task: Task, seeds: range) -> None:
        """Checks that no choice was made with these seeds.

        Raises:
            DataError: one was.
        """
        tried = {
            line["seed"]
            for line in self.attempts.lines()
            if line["task"] == task.name and line.get("stage") in (SHORT, WHOLE)
        }
        if wrong := sorted(tried & set(seeds)) or [s for s in seeds if s < FIRST_FRESH]:
            raise DataError(
                f"{task.name}: a test split is read for seeds that no choice was made with, from "
                f"{FIRST_FRESH} on. Received: {wrong[0]}"
            )

    def folder_of(self, task: Task, config: str, seed: int) -> Path:
        """Returns the folder of the training of a config with a seed."""
        return self.folder / task.name / f"{config}_{seed}"

    def _trained(
        self, task: Task, stage: str, configs: Mapping[str, Config], seeds: range
    ) -> dict[str, list[Line]]:
        """Returns the trainings of each change; runs those that the file of attempts has not."""
        if stage != FRESH and seeds.stop > FIRST_FRESH:
            raise ConfigError(
                f"At most {FIRST_FRESH} seeds are for choosing. Received: {seeds.stop}"
            )
        progress = Count(f"{task.name}, {stage}", len(configs) * len(seeds))
        wanted = [
            (name, config.changed({"seed": seed}))
            for seed in seeds
            for name, config in configs.items()
        ]
        missing: dict[Path, tuple[str, Config]] = {}  # two changes can come to the same config
        for name, config in wanted:
            folder = self.folder_of(task, fingerprint(config), config.seed)
            if self._training(task, config) is None and folder not in missing:
                missing[folder] = name, config
            else:
                progress.known()
        planned = list(missing.items())
        jobs = [(self._training_job(config), folder) for folder, (_, config) in planned]
        at_once = 1 if stage == FRESH else self.at_once  # the times of fresh seeds are reported
        for index, result in side_by_side(self.job, jobs, at_once):
            folder, (name, config) = planned[index]
            key = {"task": task.name, "config": fingerprint(config), "seed": config.seed}
            names = {"stage": stage, "change": name, "values": numbers(config)}
            line = self.attempts.add({"kind": TRAINING, **key, **names, **result})
            if stage != FRESH:
                remove(folder)  # the line has all that is asked of it; models take much space
            progress.done(f"{name}, seed {config.seed}: {_in_words(line)}")
        found: dict[str, list[Line]] = {name: [] for name in configs}
        for name, config in wanted:
            if known := self._training(task, config):
                found[name].append(known)
        return found

    def _training(self, task: Task, config: Config) -> Line | None:
        key = {"task": task.name, "config": fingerprint(config), "seed": config.seed}
        return self.attempts.find(kind=TRAINING, **key)

    def _training_job(self, config: Config) -> dict[str, Any]:
        return {"mode": "train", "config": config.to_dict()}

    def _reading(self, task: Task, config: str, seed: int) -> Line | None:
        return self.attempts.find(kind=READING, task=task.name, config=config, seed=seed)

    def _add_reading(self, task: Task, training: Line, more: Mapping[str, Any]) -> None:
        if self._reading(task, training["config"], training["seed"]) is None:
            key = {name: training[name] for name in ("task", "config", "seed")}
            times = {name: training[name] for name in ("seconds", "cpu_seconds")}
            line = self.attempts.add({"kind": READING, **key, **times, **more})
            print(f"{task.name}, seed {line['seed']}: {read_in_words(line['test'])}", flush=True)


def ranked(lines: Mapping[str, list[Line]]) -> list[str]:
    """Returns the names of changes, the best first: by mean validation accuracy, then by loss.

    Args:
        lines: the trainings of each change.
    """

    def key(name: str) -> tuple[float, float]:
        scores = [line["validation"] for line in lines[name]]
        return -mean(s["accuracy"] for s in scores), mean(s["loss"] for s in scores)

    return sorted(lines, key=key)


def _in_words(line: Line) -> str:
    score = line["validation"]
    return (
        f"validation {score['accuracy']:.2%}, loss {score['loss']:.4f}, {line['steps']:,} steps, "
        f"{line['seconds']:.0f} s"
    )
