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

KEPT = 2  # number of checkpoints: the newest, and the one before in case the newest is damaged
STATE = "state"  # name of the state in the archive


def save(path: Path, variables: Mapping[str, Iterable[Any]], state: Mapping[str, Any]) -> None:
    """Writes a checkpoint.

    Args:
        path: the `.npz` file.
        variables: lists of Keras variables by group, such as `{"model": …, "optimizer": …}`.
        state: the rest of what a resume needs; anything that JSON can hold.

    Raises:
        StorageError: the file cannot be written.
    """
    # Names are like "model/000/kernel": the number tells apart variables of one name.
    arrays = {name: np.asarray(variable) for name, variable in _named(variables)}
    write_npz(path, arrays | {STATE: np.array(json.dumps(state))})


def restore(path: Path, variables: Mapping[str, Iterable[Any]]) -> dict[str, Any]:
    """Assigns the values of a checkpoint to variables, and returns its state.

    Args:
        path: the `.npz` file.
        variables: the groups of variables, see `save`; groups that are left out are not restored.

    Raises:
        RunError: the file is damaged or belongs to another model. Nothing was assigned.
    """
    try:
        # Opened here, because NumPy leaves a damaged file open.
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        state: dict[str, Any] = json.loads(str(arrays.pop(STATE)))
    except Exception as error:  # a flipped bit can be in any field of the archive
        raise RunError(f"{path} is damaged: {error or type(error).__name__}") from error
    named = dict(_named(variables))
    saved = {name: array for name, array in arrays.items() if name.split("/")[0] in variables}
    if saved.keys() != named.keys() or any(
        saved[name].shape != tuple(named[name].shape) for name in named
    ):
        raise RunError(f"{path} holds other variables than this model's: it cannot be restored.")
    for name, variable in named.items():
        variable.assign(saved[name])
    return state


def save_latest(run: Run, variables: Mapping[str, Iterable[Any]], state: dict[str, Any]) -> None:
    """Writes the checkpoint of `state["step"]` and removes those that are no longer needed.

    Raises:
        StorageError: the file cannot be written.
    """
    save(run.checkpoints / f"step-{state['step']:09d}.npz", variables, state)
    for old in _saved(run)[KEPT:]:
        old.unlink(missing_ok=True)


def save_best(run: Run, variables: Mapping[str, Iterable[Any]], step: int) -> None:
    """Writes the checkpoint of the best validation so far; `drop_others` removes the one before.

    Raises:
        StorageError: the file cannot be written.
    """
    save(_best(run, step), variables, {"step": step})


def drop_others(run: Run, best_step: int) -> None:
    """Removes all best checkpoints but one.

    It is called when no checkpoint to resume from needs another one.
    """
    for path in run.checkpoints.glob("best-*.npz"):
        if path != _best(run, best_step):
            path.unlink(missing_ok=True)


def restore_best(run: Run, variables: Mapping[str, Iterable[Any]], step: int) -> None:
    """Restores the weights of the best validation, which was at `step`.

    If their file is damaged, the checkpoint of the same step may hold them as well.

    Raises:
        RunError: neither file can be read.
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
    """Restores the newest checkpoint that can be read, and returns its state.

    Returns:
        The state; None if there is no checkpoint.

    Raises:
        RunError: there are checkpoints, and none of them can be read.
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
    """Returns the step of the newest checkpoint; None if there is none."""
    return max((int(path.stem.partition("-")[2]) for path in _saved(run)), default=None)


def _saved(run: Run) -> list[Path]:
    """Returns the checkpoints, newest first."""
    return sorted(run.checkpoints.glob("step-*.npz"), reverse=True)


def _named(variables: Mapping[str, Iterable[Any]]) -> Iterable[tuple[str, Any]]:
    for group, members in variables.items():
        for index, variable in enumerate(members):
            yield f"{group}/{index:03d}/{variable.name}", variable
