"""Does one job of the records in a process of its own: `python -m benchmarks.records.worker`.

    python -m benchmarks.records.worker FOLDER BORN

FOLDER holds `job.json`, and gets `result.json`. BORN is when the process was started, as
`time.monotonic()` gives it. The process stops by itself when the one that started it is gone.

Training and reading of a test split are different jobs: a training is not given the test split.
"""

import dataclasses
import importlib.metadata
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.records.clock import Clock
from benchmarks.records.process import JOB, RESULT
from benchmarks.records.tasks import SPOKEN_DIGITS
from seqclf.config import Config, resolve
from seqclf.console import app
from seqclf.console.tensorflow_start import start_quietly
from seqclf.storage.files import read_json, write_json
from seqclf.storage.run_directory import Run

Job = dict[str, Any]
RUN = "run"  # the run directory, in the job's folder
PACKAGES = ("tensorflow", "keras", "numpy", "scikit-learn")
SCORED_AT_ONCE = 1000
WITH_TENSORFLOW = ("", "seqclf", "Keras, classic")  # contenders; "": the config itself


def train(job: Job, folder: Path, clock: Clock) -> Job:
    """Trains a config, or goes on; returns its length, its time and its score on validation."""
    from seqclf.experiment.manifest import record_start
    from seqclf.training.loop import fit
    from seqclf.training.scoring import make_scorer

    config, run = resolve(job["config"]), Run(folder / RUN)
    whole = load(config)
    dataset = dataclasses.replace(whole, test=whole.test.take(np.zeros(0, np.int64)))
    with run.locked():
        run.prepare(config)
        record_start(run, config, whole)  # it hashes all examples, and looks at none
        clock.write()
        try:
            model, state, _ = fit(config, dataset, run, make_progress=clock.progress)
        finally:
            clock.write()
    spent = clock.stop()
    score = make_scorer(model, dataset.spec)(dataset.validation)
    return {
        "steps": state.step,
        "examples": {"train": len(dataset.train), "validation": len(dataset.validation)},
        "validation": {"accuracy": score.accuracy, "loss": score.loss},
        **spent,
        "environment": environment(),
    }


def score(job: Job, folder: Path, clock: Clock) -> Job:
    """Scores the models of finished runs on the test split, each once."""
    from seqclf.models.loading import load_classifier
    from seqclf.training.scoring import make_scorer

    del folder, clock
    dataset = load(resolve(job["config"]))
    results = []
    for each in job["runs"]:
        model = load_classifier(Run(each).model, dataset.spec)
        scored = make_scorer(model, dataset.spec)(dataset.test)
        right = int((scored.probabilities.argmax(-1) == scored.labels).sum())
        results.append({**counted(right, len(scored.labels)), "loss": scored.loss})
    return {"test": results}


def beside(job: Job, folder: Path, clock: Clock) -> Job:
    """Trains a contender of `benchmarks.time_to_accuracy`; the test split is read when it is over.

    The clock stands from the end of the last step on.
    """
    from benchmarks.learners import LEARNERS, Data, seqclf_learner

    del folder
    with np.load(job["data"]) as arrays:
        train_data = Data(arrays["train_x"], arrays["train_y"])
    models: list[Callable[[np.ndarray], np.ndarray]] = []

    def begun() -> None: ...

    def report(step: int, predict: Callable[[np.ndarray], np.ndarray]) -> None:
        del step
        models[:] = [predict]

    if job["contender"]:
        LEARNERS[job["contender"]](train_data, job["seed"], report, begun)
    else:
        config = resolve(job["config"])
        seqclf_learner(train_data, job["seed"], report, begun, lambda: config)
    spent = clock.stop()
    with np.load(job["data"]) as arrays:
        test = Data(arrays["test_x"], arrays["test_y"])
    parts = range(0, len(test.y), SCORED_AT_ONCE)
    predicted = np.concatenate([models[0](test.x[i : i + SCORED_AT_ONCE]) for i in parts])
    right = int((predicted == test.y).sum())
    return {"test": counted(right, len(test.y)), **spent, "environment": environment()}


def data(job: Job, folder: Path, clock: Clock) -> Job:
    """Writes the training and the test split of a source into one file, for `beside`."""
    del clock
    dataset = load(resolve(job["config"]))
    arrays: dict[str, np.ndarray] = {}
    for name, split in dataset.splits():
        arrays |= {f"{name}_x": split.x, f"{name}_y": split.y}
    np.savez(folder / "data.npz", allow_pickle=False, **arrays)
    return {"data": str(folder / "data.npz")}


def fold(job: Job, folder: Path, clock: Clock) -> Job:
    """Trains a contender on the training part of a fold, and scores the other part."""
    from benchmarks.records.folds import CONTENDERS, parts_of

    del folder
    train_part, test_part = parts_of(job["repetition"], job["fold"], job["folds"])
    predict, more = CONTENDERS[job["contender"]](train_part, job)
    spent = clock.stop()
    right = int((predict(test_part.x) == test_part.y).sum())
    return {"test": counted(right, len(test_part.y)), **more, **spent, "environment": environment()}


def counted(right: int, examples: int) -> dict[str, Any]:
    """Returns an accuracy with its numerator and its denominator."""
    return {"accuracy": right / examples, "correct": right, "examples": examples}


def load(config: Config) -> Any:
    """Returns the data of a config; `SPOKEN_DIGITS` is a source here, too."""
    from seqclf.data.dataset import Dataset
    from seqclf.data.sources import load_dataset

    if config.data.source != SPOKEN_DIGITS:
        return load_dataset(**config.data.to_dict())
    from benchmarks.series.sets import archive_set

    spoken = archive_set(SPOKEN_DIGITS.partition(":")[2])
    train_part, test_part = spoken.train(), spoken.test()
    return Dataset.from_arrays(
        [*train_part.x, *test_part.x],
        np.concatenate([train_part.y, test_part.y]),
        splits=["train"] * len(train_part.y) + ["test"] * len(test_part.y),
        validation=config.data.validation,
        normalize=config.data.normalize,
        split_seed=config.data.split_seed,
    )


def environment() -> dict[str, Any]:
    """Returns versions and hardware, as far as they can change a figure."""
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    cores = len(os.sched_getaffinity(0))
    facts: dict[str, Any] = {"python": sys.version.split()[0], **versions, "cores": cores}
    if "tensorflow" in sys.modules:
        from seqclf.layers import native

        facts["native_operations"] = native.instruction_set() or "none"
    return facts


MODES = {"train": train, "score": score, "beside": beside, "data": data, "fold": fold}


def main(argv: Sequence[str]) -> None:
    folder, born = Path(argv[1]), float(argv[2])
    job = read_json(folder / JOB)
    threading.Thread(target=_end_with_starter, daemon=True).start()
    clock = Clock(folder / "clock.json", born)
    if job.get("contender", "") in WITH_TENSORFLOW:
        start_quietly()
    write_json(folder / RESULT, MODES[job["mode"]](job, folder, clock))


def _end_with_starter() -> None:
    """Waits until the process that started this one is gone, and then asks for the end."""
    os.read(0, 1)  # nothing is ever written there
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    app.run(main, arguments=True, tensorflow=lambda: False)
