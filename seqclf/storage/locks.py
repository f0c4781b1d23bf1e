"""Locks that keep a second process out of a folder; they end with the process that holds them.

Some network file systems have no such locks. There a command goes on without them, and says so.
"""

import contextlib
import errno
import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from filelock import lock_descriptor

from seqclf.errors import RunError

NAME = ".lock"
# Lustre without its option flock, some NFS and FUSE mounts.
UNSUPPORTED = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP)
NO_LOCKS = (
    "warning: {folder} is on a file system without file locks: nothing keeps a second command from "
    "writing to it at the same time, which would damage what is there. Start one at a time."
)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds a folder's lock inside the block.

    The operating system releases the lock however the process ends. The lock file stays behind:
    if it were removed, two processes could hold two files of one name.

    Args:
        folder: it is made if it is missing.

    Raises:
        RunError: another process holds the lock (the message says which), or the folder cannot be
            written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        where = f" ({NAME} in it)" if folder.is_dir() else ""
        raise RunError(f"{folder} cannot be used as --workdir{where}: {error.strerror}") from error
    try:
        held = try_lock(descriptor)
        if held is None:
            print(NO_LOCKS.format(folder=folder), file=sys.stderr, flush=True)
        elif not held:
            raise RunError(
                f"{folder} is in use by {_holder(descriptor)}: two processes must not write to one "
                "folder. Wait for that one, end it, or choose another --workdir."
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps([os.getpid(), socket.gethostname()]).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def try_lock(descriptor: int) -> bool | None:
    """Locks an open file or folder without waiting; closing the descriptor releases the lock.

    Returns:
        True if the lock is held now, False if another process holds it, None if its file system has
        no locks.
    """
    try:
        return lock_descriptor(descriptor, blocking=False)
    except OSError as error:
        if error.errno in UNSUPPORTED:
            return None
        raise


def _holder(descriptor: int) -> str:
    try:
        process, host = json.loads(os.pread(descriptor, 1000, 0))
    except (ValueError, TypeError):
        return "another process"
    return f"process {process} on {host}"
