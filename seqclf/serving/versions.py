"""The versions in an export folder, found by TensorFlow Serving's rule.

The server takes every child whose name is an integer for a version, whatever is in it
(`sources/storage_path/file_system_storage_path_source.cc`).
"""

from pathlib import Path

from seqclf.errors import ExportError
from seqclf.serving.file_names import GRAPH


def is_version(name: str) -> bool:
    """Returns whether TensorFlow Serving takes a child with this name for a version."""
    return name.isascii() and name.isdecimal()


def versions(export_dir: Path) -> list[int]:
    """Returns the version numbers in a folder, lowest first; none if there is no such folder."""
    if not export_dir.is_dir():
        return []
    return sorted(int(entry.name) for entry in export_dir.iterdir() if is_version(entry.name))


def version_folder(path: Path) -> Path:
    """Returns the folder of a SavedModel: `path` itself, or the newest version in it.

    The newest version counts even if it holds no SavedModel, because a server would try to load it.

    Raises:
        ExportError: there is no SavedModel in `path`, or none in its newest version.
    """
    if (path / GRAPH).is_file():
        return path
    numbered = [e for e in path.iterdir() if is_version(e.name)] if path.is_dir() else []
    if not numbered:
        problem = "it has no version" if path.is_dir() else "it is not a folder"
        raise ExportError(
            f"{path}: no exported model there ({problem}). Give EXPORT_DIR or "
            f"EXPORT_DIR/<version>, the folder that holds {GRAPH}."
        )
    newest = max(numbered, key=lambda entry: int(entry.name))
    if not (newest / GRAPH).is_file():
        raise ExportError(
            f"{newest}, the newest version in {path}, has no {GRAPH}. A server would try to load "
            "it; remove it or export again."
        )
    return newest
