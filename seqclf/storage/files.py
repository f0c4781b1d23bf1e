"""Files that are written atomically: after a crash there is the old file or the new, never half."""

import contextlib
import errno
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqclf.errors import RunError, StorageError

if TYPE_CHECKING:
    import numpy as np

TEMPORARY = ".tmp-"  # how the names of unfinished files and folders begin


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a temporary file beside `path`; on success it replaces `path`.

    A crash at any moment leaves either the old file or the new one, never half of one.

    Args:
        path: the file to write; its folder is made if it is missing.

    Raises:
        StorageError: it cannot be written: no space, read-only, no permission.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=TEMPORARY, suffix=path.suffix)
    except OSError as error:
        raise StorageError(unwritable_message(path, error)) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise StorageError(unwritable_message(path, error)) from error
    finally:
        temporary.unlink(missing_ok=True)


def unwritable_message(path: object, error: OSError) -> str:
    """Returns the message for a file that could not be written: the reason and the remedy."""
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


def read_json(path: Path, check: Callable[[Any], None] = lambda content: None) -> dict[str, Any]:
    """Returns the content of a JSON file of a run.

    Args:
        path: the file.
        check: raises ValueError for a content that is not what the file must hold.

    Raises:
        RunError: the file is damaged.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
        if not isinstance(content, dict):
            raise ValueError(f"it holds no JSON object but {type(content).__name__}")
        json.dumps(content, ensure_ascii=False).encode()  # half a surrogate pair cannot be written
        check(content)
    except (ValueError, RecursionError) as error:
        raise RunError(
            f"{path} is damaged: {error}. Bring it back from a copy, or choose another --workdir."
        ) from error
    return content


def write_text(path: Path, text: str) -> None:
    """Writes a text file atomically, in UTF-8 whatever the locale is."""
    with replacing(path) as temporary:
        temporary.write_text(text, "utf-8")


def write_json(path: Path, content: Any) -> None:
    """Writes a JSON file atomically."""
    write_text(path, json.dumps(content, indent=2) + "\n")


def write_npz(path: Path, arrays: "Mapping[str, np.ndarray]") -> None:
    """Writes arrays to an uncompressed `.npz` file atomically; nothing in it is pickled."""
    import numpy as np  # late: what a command checks before it starts should not wait for it

    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def sync_to_disk(path: Path) -> None:
    """Waits until a file, or the list of a folder's entries, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    """Removes a file or a folder with all that it holds, as far as it can be removed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


def remove_temporary(folder: Path) -> None:
    """Removes the unfinished files and folders, at any depth, that killed processes left behind.

    Args:
        folder: a folder that no other process writes to; see `seqclf.storage.locks.locked`.
    """
    for left_over in list(folder.glob(f"**/{TEMPORARY}*")):
        remove(left_over)
