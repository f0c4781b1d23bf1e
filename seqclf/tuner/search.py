"""`run_search`: a whole search, begun or resumed, alone, as chief or as worker."""

import contextlib
import json
import math
import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import keras_tuner
import tensorflow as tf

from seqclf.config.search_space import SearchSpace
from seqclf.errors import RunError, SearchError
from seqclf.storage.files import write_json
from seqclf.storage.locks import locked
from seqclf.training.distribution.strategy import require_alone
from seqclf.training.loop import check, total_steps
from seqclf.tuner.folder import check_free, check_same, claim, read_search
from seqclf.tuner.hypermodel import OBJECTIVES, ClassifierHyperModel, dataset_of
from seqclf.tuner.oracles import make_oracle
from seqclf.tuner.progress import SearchProgress, TrialProgress
from seqclf.tuner.results import write_results
from seqclf.tuner.tuner import PROJECT, ClassifierTuner

CHIEF_TIMEOUT = 300.0  # seconds that a worker waits for its chief to answer
ENVIRONMENT = ("KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT")


@dataclass(frozen=True)
class Settings:
    """How to search.

    Attributes:
        tuner: one of `oracles.TUNERS`.
        objective: one of `hypermodel.OBJECTIVES`.
        max_trials: None: as many as Hyperband or the grid has.
        max_epochs: of a trial; None: the config says how long a trial trains.
        executions_per_trial: trainings of each trial.
        seed: of what the tuner draws.
        lost_after: seconds after which a silent worker's trial is given to another.
    """

    tuner: str
    objective: str = "validation_accuracy"
    max_trials: int | None = None
    max_epochs: int | None = None
    executions_per_trial: int = 1
    seed: int = 0
    lost_after: float = 60.0


def run_search(
    space: SearchSpace, settings: Settings, folder: str | Path, overwrite: bool = False
) -> list[dict[str, Any]]:
    """Searches, or goes on with the search in `folder`, and writes what was found.

    Alone, or with Keras Tuner's three environment variables as the chief (an ID with "chief" in
    it), which hands out trials, or as a worker, which runs them.

    Args:
        space: what to search.
        settings: how.
        folder: of the search; chief and workers share it.
        overwrite: forget the search that is there.

    Returns:
        The ranking (`results.rank`); `[]` for a worker.

    Raises:
        RunError: the folder holds another search, or something else.
        SearchError: no trial was completed, or a worker cannot reach its chief.
        SeqclfError: the data cannot be used, or a trial met an error that is not its own.
    """
    require_alone(space.config, "A search")
    folder = Path(folder).expanduser()
    role = _role()
    if settings.max_epochs:
        changed = {"epochs": float(settings.max_epochs), "steps": 0}
        space = SearchSpace(space.config.to_dict() | changed, space.declared)
    dataset = dataset_of(space.config)
    check(space.config, dataset)
    examples = total_steps(space.config, dataset) * space.config.examples_per_step
    epochs = examples / len(dataset.train)
    max_epochs = settings.max_epochs or math.ceil(epochs)
    search = _describe(space, settings, max_epochs)
    with contextlib.ExitStack() as lock:
        if role == "worker":
            _wait_for_chief()
            path = folder / "search.json"
            if path.exists():
                check_same(path, read_search(path), search)
        else:
            if role == "chief":
                _check_port()
            check_free(folder)
            lock.enter_context(locked(folder))
            claim(folder, search, overwrite)
        return _run(space, settings, folder, search, role)


def _run(
    space: SearchSpace, settings: Settings, folder: Path, search: dict[str, Any], role: str
) -> list[dict[str, Any]]:
    max_epochs = search["max_epochs"]
    hyperparameters = keras_tuner.HyperParameters()
    space.declare(hyperparameters)
    progress = SearchProgress(space)
    oracle = make_oracle(
        settings.tuner,
        objective=keras_tuner.Objective(settings.objective, OBJECTIVES[settings.objective]),
        hyperparameters=hyperparameters,
        max_trials=settings.max_trials,
        max_epochs=max_epochs,
        seed=settings.seed,
        listener=progress,
        lost_after=settings.lost_after,
    )
    progress.plan(oracle)
    try:
        tuner = ClassifierTuner(
            ClassifierHyperModel(space),
            oracle,
            folder,
            max_epochs=max_epochs,
            executions_per_trial=settings.executions_per_trial,
            make_progress=TrialProgress,
        )
    except (ValueError, KeyError, TypeError, AttributeError, tf.errors.OpError) as error:
        raise RunError(
            f"Keras Tuner's files in {folder / PROJECT} are damaged ({type(error).__name__}: "
            f"{str(error).splitlines()[0]}): the search cannot be resumed. Its trials stay in "
            f"{folder / 'trials'}. Choose another --workdir, or give --overwrite."
        ) from error
    ended = len(oracle.end_order)
    if ended and role != "worker":
        print(f"Resuming: {ended} trials have ended before.", flush=True)
    start = time.monotonic()
    try:
        tuner.search()
    except keras_tuner.errors.FatalError as error:
        raise error.__cause__ or error from None
    except grpc.RpcError as error:
        raise SearchError(
            f"The chief at {_address()} does not answer any more. Start it again with the same "
            "command, then this worker: what has ended is kept."
        ) from error
    if role == "worker":
        return []
    seconds = time.monotonic() - start + search["seconds"]
    write_json(folder / "search.json", search | {"seconds": seconds})
    rows = write_results(folder, space, oracle, search, seconds)
    if not rows or rows[0]["score"] is None:
        raise SearchError(
            f"No trial was completed: {folder / 'search.md'} says why each of them failed."
        )
    return rows


def _role() -> str:
    """Returns `alone`, `chief` or `worker`, by Keras Tuner's environment variables."""
    given = [name for name in ENVIRONMENT if os.environ.get(name)]
    if len(given) not in (0, len(ENVIRONMENT)):
        missing = [name for name in ENVIRONMENT if name not in given]
        raise SearchError(
            f"{', '.join(given)} is set, but {', '.join(missing)} is not: chief and workers need "
            "all three, a search on its own none."
        )
    if not given:
        return "alone"
    return "chief" if "chief" in os.environ[ENVIRONMENT[0]] else "worker"


def _address() -> str:
    return ":".join(os.environ[name] for name in ENVIRONMENT[1:])


def _check_port() -> None:
    """Checks that the chief can listen where its workers will look for it."""
    ip, port = (os.environ[name] for name in ENVIRONMENT[1:])
    try:
        socket.create_server((ip, int(port))).close()
    except (OSError, ValueError, OverflowError) as error:
        raise SearchError(
            f"The chief cannot listen at {_address()} ({error}): {ENVIRONMENT[1]} must be an "
            f"address of this machine and {ENVIRONMENT[2]} a free port."
        ) from error


def _wait_for_chief() -> None:
    print(f"Waiting for the chief at {_address()} …", flush=True)
    with grpc.insecure_channel(_address()) as channel:
        try:
            grpc.channel_ready_future(channel).result(CHIEF_TIMEOUT)
        except grpc.FutureTimeoutError:
            raise SearchError(
                f"No chief answers at {_address()} after {CHIEF_TIMEOUT:g} s. Start it with "
                f"{ENVIRONMENT[0]}=chief and the same command."
            ) from None


def _describe(space: SearchSpace, settings: Settings, max_epochs: int) -> dict[str, Any]:
    """Returns what `search.json` holds: all that must be the same when a search is resumed."""
    return {
        "name": space.config.name,
        "config": json.loads(json.dumps(space.config.to_dict())),
        "space": space.describe(),
        "tuner": settings.tuner,
        "objective": settings.objective,
        "max_trials": settings.max_trials,
        "max_epochs": max_epochs,
        "executions_per_trial": settings.executions_per_trial,
        "seed": settings.seed,
        "seconds": 0.0,
    }
