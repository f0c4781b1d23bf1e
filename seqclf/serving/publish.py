"""Versions in an export folder: each appears whole or not at all, and is never touched again.

TensorFlow Serving polls the folder and takes every child whose name is an integer for a version. So
a version is written in the same folder under a name that the server ignores, `.tmp-…`, then synced
to disk and renamed.
"""

import contextlib
import os
from collections.abc import Collection, Iterator
from pathlib import Path

from seqclf.errors import ExportError
from seqclf.serving.file_names import GRAPH
from seqclf.serving.labels import recorded_labels
from seqclf.serving.versions import is_version, versions
from seqclf.storage.files import sync_to_disk, write_text
from seqclf.storage.folders import staging_folder

# The last number that was given, so that it is not given again after that version was deleted.
LAST = ".last_version"


@contextlib.contextmanager
def staging(export_dir: Path) -> Iterator[Path]:
    """Yields an empty folder in `export_dir` to write a version in; `publish` renames it.

    The folder is locked while it is in use. Folders of killed processes, which are not locked, are
    removed. So is this folder in the end, unless it was published.

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


def publish(folder: Path, export_dir: Path, keep: int = 0, labelled: Collection[int] = ()) -> Path:
    """Renames a finished folder to the next version; an existing version is never replaced.

    Args:
        folder: the folder from `staging`.
        export_dir: the folder of the versions.
        keep: number of newest versions to keep, including this one; 0 keeps all.
        labelled: further versions to keep; those that `deploy/labels.py` recorded are always kept.

    Returns:
        The version's folder.

    Raises:
        ExportError: versions are to be removed, but the record of labels is damaged; nothing is
            published.
    """
    labelled = {*labelled, *recorded_labels(export_dir).values()} if keep else set()
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
        _retire(export_dir, keep, labelled)
    return version


def _retire(export_dir: Path, keep: int, labelled: Collection[int]) -> None:
    """Removes all SavedModels but the newest and the labelled ones, each by one rename."""
    entries = [e for e in export_dir.iterdir() if is_version(e.name)]
    models = [e for e in entries if (e / GRAPH).is_file()]
    for old in sorted(models, key=lambda entry: int(entry.name))[:-keep]:
        if int(old.name) in labelled:
            continue
        with staging_folder(export_dir) as hidden:
            os.rename(old, hidden / old.name)


def _last(export_dir: Path) -> int:
    try:
        return int((export_dir / LAST).read_text("utf-8"))
    except (OSError, ValueError):
        return 0


def _sync(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        sync_to_disk(path)
