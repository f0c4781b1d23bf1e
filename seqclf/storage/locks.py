"""A lock on a folder that one process at a time may write to."""

import contextlib
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from seqclf.errors import RunError

NAME = ".lock"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds a folder's lock; the operating system releases it however the process ends.

    The file stays behind, because to remove it would let two processes hold two files of one name.

    Args:
        folder: it is made if need be.

    Raises:
        RunError: another process holds it (the message says which), or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        where = f" ({NAME} in it)" if folder.is_dir() else ""
        raise RunError(f"{folder} cannot be used as --workdir{where}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(
                f"{folder} is in use by {_holder(handle)}: two processes must not write to one "
                "folder. Wait for that one, end it, or choose another --workdir."
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps([os.getpid(), socket.gethostname()]).encode(), 0)
        yield
    finally:
        os.close(handle)


def _holder(handle: int) -> str:
    try:
        process, host = json.loads(os.pread(handle, 1000, 0))
    except (ValueError, TypeError):
        return "another process"
    return f"process {process} on {host}"
