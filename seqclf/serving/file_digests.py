"""The digests of files that a manifest records, to tell whether files have changed since."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from seqclf.serving.file_names import MANIFEST


def file_digest(path: Path) -> str:
    """Returns the SHA-256 of a file in hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(2**20):
            digest.update(part)
    return digest.hexdigest()


def recorded_digests(folder: Path) -> dict[str, str] | None:
    """Returns the SHA-256 of each file of a version by its name, as `manifest.json` records it.

    Args:
        folder: the version's folder.

    Returns:
        The digests; None if there is no manifest.

    Raises:
        ValueError: the manifest is damaged or cannot be read.
    """
    path = folder / MANIFEST
    if not path.exists():
        return None
    try:
        recorded = json.loads(path.read_text("utf-8"))["files"]
        return {name: str(entry["sha256"]) for name, entry in recorded.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{MANIFEST} cannot be read ({type(error).__name__}: {error})") from error


def changed_files(folder: Path, digests: dict[str, str], names: Iterable[str]) -> list[str]:
    """Returns those of the named files that are not what the manifest records."""
    return [name for name in names if file_digest(folder / name) != digests[name]]
