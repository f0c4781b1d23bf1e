"""Folders: whether one may be used, and folders that appear whole or not at all."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from seqclf.errors import RunError
from seqclf.storage.files import TEMPORARY, remove
from seqclf.storage.locks import try_lock

UNKNOWN_USE = (
    "warning: {path} is the unfinished work of a command that still runs or was killed: which of "
    "the two cannot be told on a file system without file locks. Remove it once nothing else runs."
)


def check_ours_or_free(folder: Path, marker: str, otherwise: str) -> bool:
    """Checks that a folder is ours, empty, or not there yet; changes nothing.

    Hidden files do not count, so that a folder with a lock alone is free.

    Args:
        folder: the folder that a command shall write to.
        marker: name of the file that makes a folder ours, such as `config.json`.
        otherwise: what a folder without it is, for the message: "is no run directory".

    Returns:
        Whether the folder is ours already.

    Raises:
        RunError: it holds something else, or cannot be read.
    """
    try:
        taken = folder.is_dir() and any(entry.name[0] != "." for entry in folder.iterdir())
        ours = (folder / marker).exists()
    except OSError as error:
        raise RunError(unusable_message(folder, error)) from error
    if taken and not ours:
        raise RunError(
            f"{folder} exists and {otherwise} (it lacks {marker}): it is left as it is. "
            "Choose another --workdir."
        )
    return ours


def unusable_message(folder: Path, error: OSError) -> str:
    """Returns the message for a folder that cannot be read or written."""
    return f"{folder} cannot be used as --workdir: {error.strerror or error}"


@contextlib.contextmanager
def staging_folder(parent: Path, name: str = "") -> Iterator[Path]:
    """Gives an empty folder in `parent`, to be filled and renamed by the caller.

    Its name begins with `.tmp-` and `name`. It is locked while it is in use, so that those of
    processes that were killed can be told from those in use: they are removed first. What was not
    renamed at the end of the block is removed.

    Args:
        parent: a folder on the file system of the final place; it is made if it is missing.
        name: begins the name, after `.tmp-`; only left-overs of that beginning are removed.

    Raises:
        OSError: `parent` cannot be written.
    """
    parent.mkdir(parents=True, exist_ok=True)
    remove_left_over(parent, name)
    folder, descriptor = _locked_folder(parent, name)
    try:
        folder.chmod(0o755)  # mkdtemp makes it private, but its reader may be another user
        yield folder
    finally:
        remove(folder)
        os.close(descriptor)


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Gives an empty folder beside `path`, to be filled; on success it becomes `path`.

    A crash at any moment leaves either no `path` or a whole one.

    Args:
        path: the folder to make. It must not exist, or be empty.

    Raises:
        OSError: it cannot be written, or holds something.
    """
    with staging_folder(path.parent, f"{path.name}-") as folder:
        yield folder
        os.rename(folder, path)


def _locked_folder(parent: Path, name: str) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=f"{TEMPORARY}{name}"))
        descriptor = os.open(folder, os.O_RDONLY)
        held = try_lock(descriptor)
        if held is None or (held and folder.exists()):
            return folder, descriptor
        os.close(descriptor)  # another process took it for a left-over before it was locked


def remove_left_over(parent: Path, name: str = "") -> None:
    """Removes what `staging_folder` left in a folder when its process was killed.

    Args:
        parent: the folder that was given to `staging_folder`; it may be missing.
        name: the beginning of the name that was given to it.
    """
    for entry in list(parent.iterdir()) if parent.is_dir() else ():
        if entry.name.startswith(f"{TEMPORARY}{name}"):
            _remove_unless_in_use(entry)


def _remove_unless_in_use(left_over: Path) -> None:
    try:
        descriptor = os.open(left_over, os.O_RDONLY)
    except FileNotFoundError:
        return  # another process removed it
    try:
        held = try_lock(descriptor)
        if held:
            remove(left_over)
        elif held is None:
            print(UNKNOWN_USE.format(path=left_over), file=sys.stderr, flush=True)
    finally:
        os.close(descriptor)
