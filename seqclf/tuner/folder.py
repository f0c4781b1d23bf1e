"""The folder of a search: which search it holds, and what must not change when it is resumed."""

import json
import math
import shutil
from pathlib import Path
from typing import Any

import tensorflow as tf

from seqclf.config import resolve, to_json
from seqclf.errors import RunError
from seqclf.storage.files import write_json
from seqclf.storage.folders import check_ours_or_free, remove_left_over, unusable_message
from seqclf.tuner.tuner import PROJECT

MAY_CHANGE = ("max_trials", "seconds")  # keys of search.json that a later call may change


def check_free(folder: Path) -> None:
    """Checks that a folder holds a search or nothing.

    Raises:
        RunError: the folder holds something else, or cannot be read.
    """
    if check_ours_or_free(folder, "search.json", "holds no search"):
        read_search(folder / "search.json")


def claim_folder(folder: Path, search: dict[str, Any], overwrite: bool) -> None:
    """Makes a folder that of a search, or checks that it is.

    Args:
        folder: folder of the search.
        search: what `search.json` shall hold; its `seconds` becomes the time that the search in
            the folder has taken so far.
        overwrite: whether to forget a search that the folder holds.

    Raises:
        RunError: the folder holds another search, or cannot be written.
    """
    path = folder / "search.json"
    try:
        if path.exists():
            before = read_search(path)
            if overwrite:
                _delete_search(folder)
            else:
                check_same_search(path, before, search)
        remove_left_over(folder / "trials")
        folder.mkdir(parents=True, exist_ok=True)
        write_json(path, search)
    except OSError as error:
        raise RunError(unusable_message(folder, error)) from error
    if not (folder / "trials").exists():
        _write_hparams_config(folder / "trials", search)


def _delete_search(folder: Path) -> None:
    """Deletes the files that a search writes, and nothing else in the folder."""
    for name in ("trials", "figures", PROJECT):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in ("search.json", "search.md", "results.json", "best_config.json", "best_config.py"):
        (folder / name).unlink(missing_ok=True)


def read_search(path: Path) -> dict[str, Any]:
    """Returns the content of a `search.json`, its config completed with defaults.

    Raises:
        RunError: the file is not that of a search, or is damaged.
    """
    try:
        before: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if not math.isfinite(before["seconds"]):
            raise ValueError(f"seconds is {before['seconds']}")
        if not isinstance(before["tuner"], str) or not isinstance(before["space"], dict):
            raise ValueError("it lacks tuner and space")
        # A search of an older version lacks the keys that came later.
        before["config"] = json.loads(to_json(resolve(before["config"])))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(
            f"{path} cannot be read as that of a search ({type(error).__name__}: {error}): "
            f"{path.parent} is left as it is. Choose another --workdir."
        ) from error
    return before


def check_same_search(path: Path, before: dict[str, Any], search: dict[str, Any]) -> None:
    """Checks that a search is the one that a `search.json` describes.

    Args:
        path: the file.
        before: its content.
        search: what the file would hold of the new search; `seconds` is copied to it.

    Raises:
        RunError: the two differ; the differences are listed.
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
    """Writes the columns of TensorBoard's HParams page."""
    from tensorboard.plugins.hparams import api

    with tf.summary.create_file_writer(str(folder)).as_default():
        api.hparams_config(
            hparams=[api.HParam(key) for key in search["space"]],
            metrics=[api.Metric(name) for name in ("validation_accuracy", "validation_loss")],
        )
