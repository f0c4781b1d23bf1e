"""`plain_path`: another path to a folder, for libraries that take a path for a pattern."""

import contextlib
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from seqclf.errors import StorageError

SPECIAL = re.compile(r"[\[\]{}*?\\]")
FALLBACK = "/tmp"


@contextlib.contextmanager
def plain_path(folder: Path) -> Iterator[Path]:
    r"""Gives a path of a folder that has none of the characters `[ ] { } * ? \`.

    TensorFlow looks for a checkpoint, and Keras Tuner for its trials, with the path as a pattern.
    There `run [1]` stands for `run 1`, so that they do not find what is in the folder `run [1]`.
    For such a folder a symbolic link is made among the temporary files; it is removed at the end.

    Args:
        folder: an existing folder.

    Raises:
        StorageError: the link cannot be made.
    """
    if not SPECIAL.search(str(folder)):
        yield folder
        return
    temporary = tempfile.gettempdir()
    place = FALLBACK if SPECIAL.search(temporary) else temporary
    try:
        links = tempfile.TemporaryDirectory(prefix="seqclf-path-", dir=place)
        link = Path(links.name) / "folder"
        link.symlink_to(folder.resolve(), target_is_directory=True)
    except OSError as error:
        raise StorageError(
            rf"{folder}: TensorFlow reads [ ] {{ }} * ? \ in a path as a pattern, and no symbolic "
            f"link to this folder can be made in {place} ({error.strerror}). Name another folder, "
            "or set TMPDIR to one in which links can be made."
        ) from error
    with links:
        yield link
