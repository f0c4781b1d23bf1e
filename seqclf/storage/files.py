"""Files that are written atomically: after a crash there is the old file or the new, never half."""

import contextlib
import errno
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seqclf.errors import RunError, StorageError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a temporary name beside `path`; on success what was written there replaces `path`.

    A crash at any moment leaves either the old file or the new one, never half of one.

    Raises:
        StorageError: it cannot be written: no space, read-only, not allowed.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".tmp-", suffix=path.suffix)
    except OSError as error:
        raise StorageError(unwritable(path, error)) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise StorageError(unwritable(path, error)) from error
    finally:
        temporary.unlink(missing_ok=True)


def unwritable(path: object, error: OSError) -> str:
    """Returns what to say of a file that could not be written."""
    remedies = {
        errno.ENOSPC: "Free some space",
        errno.EDQUOT: "Free some space, or ask for a larger quota",
        errno.EFBIG: "Raise the limit on the size of files",
        errno.EROFS: "Make the file system writable",
        errno.EACCES: "Get the right to write there",
        errno.EPERM: "Get the right to write there",
    }
    remedy = remedies.get(error.errno or 0, "Mend that")
    return (
        f"{path} could not be written: {error.strerror or error}. What was there before is kept. "
        f"{remedy} and run the same command again, or choose another folder."
    )


def read_json(path: Path) -> Any:
    """Returns what a JSON file of a run holds.

    Raises:
        RunError: it is damaged.
    """
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise RunError(
            f"{path} is damaged: {error}. Bring it back from a copy, or choose another --workdir."
        ) from error


def write_text(path: Path, text: str) -> None:
    """Writes a text file atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text)


def write_json(path: Path, content: Any) -> None:
    """Writes a JSON file atomically."""
    write_text(path, json.dumps(content, indent=2) + "\n")
