"""Versions in an export folder: each appears whole or not at all, and is never touched again.

TensorFlow Serving polls the folder and takes every child whose name is an integer. So a version is
written under a name that it ignores, `.tmp-…`, in the same folder, synced to disk, and renamed.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from seqclf.errors import ExportError
from seqclf.storage.files import sync_to_disk, write_text
from seqclf.storage.folders import staging_folder

LAST = ".last_version"  # so that a number is not given twice when the newest version was deleted


def versions(export_dir: Path) -> list[int]:
    """Returns the versions in a folder, lowest first, by TensorFlow Serving's rule."""
    if not export_dir.is_dir():
        return []
    return sorted(int(entry.name) for entry in export_dir.iterdir() if is_version(entry.name))


def is_version(name: str) -> bool:
    """Returns whether TensorFlow Serving takes a child of that name for a version."""
    return name.isascii() and name.isdecimal()


def version_folder(model: Path) -> Path:
    """Returns the SavedModel at `model`: a version, or the newest version in a folder of them.

    Raises:
        ExportError: there is none.
    """
    if (model / "saved_model.pb").is_file():
        return model
    found = [e for e in model.iterdir() if is_version(e.name)] if model.is_dir() else []
    found = [entry for entry in found if (entry / "saved_model.pb").is_file()]
    if not found:
        raise ExportError(
            f"{model}: no exported model there. Give EXPORT_DIR or EXPORT_DIR/<version>, as "
            "python -m seqclf.export writes it."
        )
    return max(found, key=lambda entry: int(entry.name))


@contextlib.contextmanager
def staging(export_dir: Path) -> Iterator[Path]:
    """Gives an empty folder in `export_dir` to write a version in; `publish` renames it.

    It is locked as long as it is in use, and left-overs of killed processes, which are not, are
    removed. What is not published by the end is removed.

    Raises:
        ExportError: `export_dir` cannot be written.
    """
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(staging_folder(export_dir))
        except OSError as error:
            reason = "it is a file" if export_dir.is_file() else error.strerror
            raise ExportError(f"{export_dir} cannot be written: {reason}") from error
        yield folder


def publish(folder: Path, export_dir: Path, keep: int = 0) -> Path:
    """Renames a finished folder to the next version; never onto one that exists.

    Args:
        folder: from `staging`.
        export_dir: the folder of the versions.
        keep: how many of the newest versions to keep, this one among them; 0 keeps all.

    Returns:
        The version's folder.
    """
    _sync(folder)
    while True:
        version = export_dir / str(max([_last(export_dir), *versions(export_dir)]) + 1)
        try:
            os.rename(folder, version)  # fails where a non-empty folder of that name exists
        except OSError:
            if not version.exists():
                raise
            continue  # another export took the number in between
        break
    sync_to_disk(export_dir)
    write_text(export_dir / LAST, f"{version.name}\n")
    if keep:
        _retire(export_dir, keep)
    return version


def _retire(export_dir: Path, keep: int) -> None:
    """Removes all but the newest `keep` SavedModels; a server sees each vanish at once."""
    entries = [e for e in export_dir.iterdir() if is_version(e.name)]
    models = [e for e in entries if (e / "saved_model.pb").is_file()]
    for old in sorted(models, key=lambda entry: int(entry.name))[:-keep]:
        with staging_folder(export_dir) as hidden:
            os.rename(old, hidden / old.name)


def _last(export_dir: Path) -> int:
    try:
        return int((export_dir / LAST).read_text())
    except (OSError, ValueError):
        return 0


def _sync(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        sync_to_disk(path)
