"""Checkpoints: every variable and the training's own state in one file, written atomically.

The format is NumPy's `.npz`: it is read without TensorFlow, never unpickled, and its CRC-32 tells a
damaged file from a good one.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from seqclf.errors import RunError
from seqclf.storage.files import write_npz
from seqclf.storage.run_directory import Run

KEPT = 2  # the newest and, should it turn out damaged, the one before
STATE = "state"


def save(path: Path, variables: Mapping[str, Iterable[Any]], state: Mapping[str, Any]) -> None:
    """Writes a checkpoint.

    Args:
        path: the `.npz` file.
        variables: lists of Keras variables by group, such as `{"model": …, "optimizer": …}`.
        state: what else a resume needs, as JSON can hold it.
    """
    arrays = {
        name: np.asarray(variable) for name, variable in _named(variables)
    }  # "model/000/kernel": the number tells apart variables of one path
    write_npz(path, arrays | {STATE: np.array(json.dumps(state))})


def restore(path: Path, variables: Mapping[str, Iterable[Any]]) -> dict[str, Any]:
    """Reads a checkpoint into the variables (of the groups that are given) and returns its state.

    Raises:
        RunError: the file is damaged or belongs to another model.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        state = json.loads(str(arrays.pop(STATE)))
    except Exception as error:  # a flipped bit may meet any field of the archive
        raise RunError(f"{path} is damaged: {error or type(error).__name__}") from error
    named = dict(_named(variables))
    wanted = {k: v for k, v in arrays.items() if k.split("/")[0] in variables}
    if wanted.keys() != named.keys() or any(
        wanted[name].shape != tuple(named[name].shape) for name in named
    ):
        raise RunError(f"{path} holds other variables than this model's: it cannot be restored.")
    for name, variable in named.items():
        variable.assign(wanted[name])
    return state


def save_latest(run: Run, variables: Mapping[str, Iterable[Any]], state: dict[str, Any]) -> None:
    """Writes the checkpoint of `state["step"]` and drops those that are no longer needed."""
    save(run.checkpoints / f"step-{state['step']:09d}.npz", variables, state)
    for old in _saved(run)[KEPT:]:
        old.unlink(missing_ok=True)


def save_best(run: Run, variables: Mapping[str, Iterable[Any]], step: int) -> None:
    """Writes the checkpoint of the best validation so far; `drop_others` removes the one before."""
    save(_best(run, step), variables, {"step": step})


def drop_others(run: Run, best_step: int) -> None:
    """Removes the best checkpoints but one, once no checkpoint to resume from needs another."""
    for path in run.checkpoints.glob("best-*.npz"):
        if path != _best(run, best_step):
            path.unlink(missing_ok=True)


def restore_best(run: Run, variables: Mapping[str, Iterable[Any]], step: int) -> None:
    """Restores the weights of the best validation, which was at `step`.

    They may stand in the checkpoint of that step as well, should the file of the best be damaged.

    Raises:
        RunError: they can be read nowhere.
    """
    path = _best(run, step)
    try:
        restore(path, variables)
    except RunError as error:
        same = run.checkpoints / f"step-{step:09d}.npz"
        if not same.exists():
            raise RunError(
                f"{error} It holds the weights of the best validation, of step {step:,}: bring it "
                "back from a copy, or train anew in another --workdir."
            ) from error
        print(f"{error}; taking {same.name}, which has the same weights.", flush=True)
        restore(same, variables)


def _best(run: Run, step: int) -> Path:
    return run.checkpoints / f"best-{step:09d}.npz"


def restore_latest(run: Run, variables: Mapping[str, Iterable[Any]]) -> dict[str, Any] | None:
    """Restores the newest checkpoint that can be read; returns its state, None without any.

    Raises:
        RunError: there are checkpoints and none can be read.
    """
    damaged = []
    for path in _saved(run):
        try:
            state = restore(path, variables)
        except RunError as error:
            damaged.append(error)
            print(f"{error}; trying the one before.", flush=True)
            continue
        return state
    if damaged:
        raise RunError(
            f"No checkpoint in {run.checkpoints} can be read, so this run cannot be resumed: "
            "choose another --workdir to train anew."
        )
    return None


def latest_step(run: Run) -> int | None:
    """Returns the step of the newest checkpoint, None without any."""
    return max((int(path.stem.partition("-")[2]) for path in _saved(run)), default=None)


def _saved(run: Run) -> list[Path]:
    """Returns the checkpoints, newest first."""
    return sorted(run.checkpoints.glob("step-*.npz"), reverse=True)


def _named(variables: Mapping[str, Iterable[Any]]) -> Iterable[tuple[str, Any]]:
    for group, members in variables.items():
        for index, variable in enumerate(members):
            yield f"{group}/{index:03d}/{variable.name}", variable
