"""The folder of a search: whose it is, and what must be the same when the search is resumed."""

import json
import shutil
from pathlib import Path
from typing import Any

import tensorflow as tf

from seqclf.config import resolve, to_json
from seqclf.errors import RunError
from seqclf.storage.files import write_json
from seqclf.tuner.tuner import PROJECT

MAY_CHANGE = ("max_trials", "seconds")


def check_free(folder: Path) -> None:
    """Checks that a folder is a search's, or free.

    Raises:
        RunError: it holds something else, or cannot be read.
    """
    try:
        taken = folder.is_dir() and any(entry.name[0] != "." for entry in folder.iterdir())
        known = (folder / "search.json").exists()
    except OSError as error:
        raise RunError(f"{folder} cannot be used as --workdir: {error.strerror}") from error
    if taken and not known:
        raise RunError(
            f"{folder} exists and holds no search (it lacks search.json): it is left as it is. "
            "Choose another --workdir."
        )
    if known:
        read_search(folder / "search.json")


def claim(folder: Path, search: dict[str, Any], overwrite: bool) -> None:
    """Makes the folder this search's; `search["seconds"]` becomes what it has taken so far.

    Raises:
        RunError: it is another's, or holds something else, or cannot be written.
    """
    path = folder / "search.json"
    try:
        if path.exists():
            before = read_search(path)
            if overwrite:
                _forget(folder)
            else:
                check_same(path, before, search)
        for left_over in folder.glob("trials/.tmp-*"):  # of a process that was killed
            shutil.rmtree(left_over, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        write_json(path, search)
    except OSError as error:
        raise RunError(
            f"{folder} cannot be used as --workdir: {error.strerror or error}"
        ) from error
    if not (folder / "trials").exists():
        _write_hparams_config(folder / "trials", search)


def _forget(folder: Path) -> None:
    """Deletes what searches write, and nothing else that may lie there."""
    for name in ("trials", "figures", PROJECT):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in ("search.json", "search.md", "results.json", "best_config.json", "best_config.py"):
        (folder / name).unlink(missing_ok=True)


def read_search(path: Path) -> dict[str, Any]:
    """Returns what a `search.json` holds.

    Raises:
        RunError: it is not one of ours.
    """
    try:
        before = json.loads(path.read_text())
        float(before["seconds"])
        if not isinstance(before["tuner"], str) or not isinstance(before["space"], dict):
            raise ValueError("it lacks tuner and space")
        # Keys that an older version lacked get their defaults.
        before["config"] = json.loads(to_json(resolve(before["config"])))
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"{path} cannot be read as that of a search ({type(error).__name__}: {error}): "
            f"{path.parent} is left as it is. Choose another --workdir."
        ) from error
    return before


def check_same(path: Path, before: dict[str, Any], search: dict[str, Any]) -> None:
    """Checks that a search is the one that its `search.json` describes; takes up its `seconds`.

    Raises:
        RunError: it is another one; the differences are listed.
    """
    search["seconds"] = before["seconds"]
    changes = [
        f"  {key}: {before.get(key)!r} -> {search[key]!r}"
        for key in search
        if key not in MAY_CHANGE and before.get(key) != search[key]
    ]
    if changes:
        raise RunError(
            f"{path.parent} holds another search, left as it is. It differs in\n"
            + "\n".join(changes)
            + "\nChoose another --workdir, or give --overwrite to forget that search."
        )


def _write_hparams_config(folder: Path, search: dict[str, Any]) -> None:
    """Tells TensorBoard's HParams page which columns there are."""
    from tensorboard.plugins.hparams import api

    with tf.summary.create_file_writer(str(folder)).as_default():
        api.hparams_config(
            hparams=[api.HParam(key) for key in search["space"]],
            metrics=[api.Metric(name) for name in ("validation_accuracy", "validation_loss")],
        )
