"""`run_search`: a whole search, begun or resumed, alone, as chief or as worker."""

import contextlib
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import keras_tuner
import tensorflow as tf

from seqclf.config import as_begun, resolve
from seqclf.config.search_space import SearchSpace
from seqclf.errors import ConfigError, RunError, SearchError
from seqclf.storage.files import write_json
from seqclf.storage.locks import locked
from seqclf.training.criteria import check_defined
from seqclf.training.distribution.strategy import require_alone
from seqclf.training.effective import (
    check_fits_data,
    choices_in_words,
    effective_config,
    total_steps,
)
from seqclf.training.text_checks import CRITERIA as CRITERIA_OF_TEXT
from seqclf.tuner import roles
from seqclf.tuner.folder import check_free, check_same_search, claim_folder, read_search
from seqclf.tuner.hypermodel import OBJECTIVES, ClassifierHyperModel, criteria_of, dataset_of
from seqclf.tuner.oracles import make_oracle
from seqclf.tuner.progress import SearchProgress, TrialProgress
from seqclf.tuner.results import write_results
from seqclf.tuner.tuner import PROJECT, ClassifierTuner


@dataclass(frozen=True)
class SearchOptions:
    """The options of a search.

    Attributes:
        tuner: name of the tuner, one of `oracles.TUNERS`.
        objective: name of the objective, one of `hypermodel.OBJECTIVES`.
        max_trials: the largest number of trials; None: as many as Hyperband or the grid has.
        max_epochs: epochs of a whole training; None: the config says how long a trial trains.
        executions_per_trial: trainings of each trial; their mean counts.
        seed: seed of the tuner's random choices.
        lost_after: seconds of silence after which a worker's trial is given to another worker.
    """

    tuner: str
    objective: str = "validation_accuracy"
    max_trials: int | None = None
    max_epochs: int | None = None
    executions_per_trial: int = 1
    seed: int = 0
    lost_after: float = 60.0


def run_search(
    space: SearchSpace, options: SearchOptions, folder: str | Path, overwrite: bool = False
) -> list[dict[str, Any]]:
    """Runs or resumes the search in a folder, and writes what it has found.

    Without Keras Tuner's environment variables this process does everything. With them it is the
    chief (its ID contains "chief"), which hands out trials, or a worker, which runs them.

    Args:
        space: the search space, with the config that trials start from.
        options: how to search.
        folder: folder of the search; a chief and its workers use the same one.
        overwrite: whether to forget the search that the folder holds.

    Returns:
        The ranking of the trials, as `results.rank_trials` gives it; `[]` in a worker.

    Raises:
        RunError: the folder holds another search or something else, or another process uses it.
        SearchError: no trial was completed, or a worker cannot reach its chief.
        SeqclfError: the data cannot be used, or a trial met an error that is not its own.
    """
    require_alone(space.config, "A search")
    folder = Path(folder).expanduser()
    role = roles.role_of_process()
    space = _as_begun(_with_epochs(space, options.max_epochs), folder, overwrite)
    search = _search_record(space, options)
    with contextlib.ExitStack() as stack:
        if role == roles.WORKER:
            _join_search(folder, search)
        else:
            for line in choices_in_words(space.config, dataset_of(space.config)):
                print(line, flush=True)
            stack.enter_context(_folder_of_search(folder, search, role, overwrite))
        tuner = _make_tuner(space, options, folder, search["max_epochs"])
        seconds = _run_trials(tuner, role)
        if role == roles.WORKER:
            return []
        return _finish_search(folder, space, tuner.oracle, search, search["seconds"] + seconds)


def _with_epochs(space: SearchSpace, max_epochs: int | None) -> SearchSpace:
    """Returns the space over a config that trains for `max_epochs`; None leaves it as it is."""
    if not max_epochs:
        return space
    changed = {"epochs": float(max_epochs), "steps": 0}
    return SearchSpace(space.config.to_dict() | changed, space.declared)


def _as_begun(space: SearchSpace, folder: Path, overwrite: bool) -> SearchSpace:
    """Returns the space over the config with which the search in a folder was begun, if any was."""
    path = folder / "search.json"
    if overwrite or not path.exists():
        return space
    config = as_begun(space.config, resolve(read_search(path)["config"]))
    return space if config == space.config else SearchSpace(config, space.declared)


def _search_record(space: SearchSpace, options: SearchOptions) -> dict[str, Any]:
    """Returns what `search.json` holds: all that must stay the same when a search is resumed.

    Raises:
        SeqclfError: the data cannot be loaded, or it does not suit the config.
    """
    dataset = dataset_of(space.config)
    check_fits_data(space.config, dataset)
    if not len(dataset.validation):
        raise ConfigError(
            "A search compares its trials on the validation split, which has no examples: set "
            f"`data.validation` above 0. Received: {space.config.data.validation:g}"
        )
    for criterion in criteria_of(options.objective):
        if dataset.spec.is_text and criterion not in CRITERIA_OF_TEXT:
            raise ConfigError(
                f"A search over language models compares them by "
                f"{' or '.join(f'validation_{name}' for name in CRITERIA_OF_TEXT)}: the others are "
                f"means over classes. Received: --objective={options.objective}"
            )
        what = f"The objective {options.objective!r}"
        check_defined(criterion, what, dataset.validation, dataset.spec.class_names)
    config = effective_config(space.config, dataset)
    examples = total_steps(config, dataset) * config.examples_per_step
    epochs = examples / len(dataset.train)
    return {
        "name": space.config.name,
        "config": json.loads(json.dumps(space.config.to_dict())),
        "space": space.in_words(),
        "tuner": options.tuner,
        "objective": options.objective,
        "max_trials": options.max_trials,
        "max_epochs": options.max_epochs or math.ceil(epochs),
        "executions_per_trial": options.executions_per_trial,
        "seed": options.seed,
        "seconds": 0.0,
    }


def _join_search(folder: Path, search: dict[str, Any]) -> None:
    """Waits for the chief, and checks that it runs the same search."""
    roles.wait_for_chief()
    path = folder / "search.json"
    if path.exists():
        check_same_search(path, read_search(path), search)


@contextlib.contextmanager
def _folder_of_search(
    folder: Path, search: dict[str, Any], role: str, overwrite: bool
) -> Iterator[None]:
    """Locks the folder and makes it this search's; releases it at the end.

    The lock comes before the port, so that a second chief learns that the search is running. It
    makes the folder, however, and a port that cannot be used must leave no new folder behind.
    """
    check_free(folder)
    is_chief = role == roles.CHIEF
    if is_chief and not folder.exists():
        roles.check_chief_port()
    with locked(folder):
        if is_chief:
            roles.check_chief_port()
        claim_folder(folder, search, overwrite)
        yield


def _make_tuner(
    space: SearchSpace, options: SearchOptions, folder: Path, max_epochs: int
) -> ClassifierTuner:
    """Returns the tuner, with the state that it had when the search in the folder stopped.

    Raises:
        RunError: Keras Tuner's files are damaged.
    """
    hyperparameters = keras_tuner.HyperParameters()
    space.declare(hyperparameters)
    progress = SearchProgress(space)
    oracle = make_oracle(
        options.tuner,
        objective=keras_tuner.Objective(options.objective, OBJECTIVES[options.objective]),
        hyperparameters=hyperparameters,
        max_trials=options.max_trials,
        max_epochs=max_epochs,
        seed=options.seed,
        listener=progress,
        lost_after=options.lost_after,
    )
    progress.plan(oracle)
    try:
        return ClassifierTuner(
            ClassifierHyperModel(space),
            oracle,
            folder,
            max_epochs=max_epochs,
            executions_per_trial=options.executions_per_trial,
            make_progress=TrialProgress,
        )
    except (ValueError, KeyError, TypeError, AttributeError, tf.errors.OpError) as error:
        raise RunError(
            f"Keras Tuner's files in {folder / PROJECT} are damaged ({type(error).__name__}: "
            f"{str(error).splitlines()[0]}): the search cannot be resumed. Its trials stay in "
            f"{folder / 'trials'}. Choose another --workdir, or give --overwrite."
        ) from error


def _run_trials(tuner: ClassifierTuner, role: str) -> float:
    """Runs the trials that are left; returns the seconds that they took.

    Raises:
        SearchError: the chief of this worker does not answer any more.
        Exception: whatever ended a trial that was not at fault.
    """
    if role != roles.WORKER:  # a worker's oracle is a client, which knows no ended trials
        ended = len(tuner.oracle.end_order)
        if ended:
            print(f"Resuming: {ended} trials have ended before.", flush=True)
    start = time.monotonic()
    try:
        tuner.search()
    except keras_tuner.errors.FatalError as error:
        raise error.__cause__ or error from None
    except grpc.RpcError as error:
        raise SearchError(
            f"The chief at {roles.chief_address()} does not answer any more. Start it again with "
            "the same command, then this worker: what has ended is kept."
        ) from error
    return time.monotonic() - start


def _finish_search(
    folder: Path, space: SearchSpace, oracle: Any, search: dict[str, Any], seconds: float
) -> list[dict[str, Any]]:
    """Writes the results; returns the ranking.

    Raises:
        SearchError: no trial was completed.
    """
    write_json(folder / "search.json", search | {"seconds": seconds})
    rows = write_results(folder, space, oracle, search, seconds)
    if not rows or rows[0]["score"] is None:
        raise SearchError(
            f"No trial was completed: {folder / 'search.md'} says why each of them failed."
        )
    return rows
