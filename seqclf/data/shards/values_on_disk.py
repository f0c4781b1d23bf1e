"""`ValuesOnDisk`: sequences in a temporary file, so that any of them can be read at any time."""

import tempfile
import weakref
from array import array
from pathlib import Path

import numpy as np

from seqclf.errors import StorageError


class ValuesOnDisk:
    """Float32 sequences `[T_i, D]` in a file without a name, which is gone when it is closed.

    In memory there are 8 bytes for each sequence.

    Args:
        folder: where the file lies; None: the folder for temporary files.

    Raises:
        StorageError: nothing can be written there.
    """

    def __init__(self, folder: Path | None = None):
        self._folder = folder or tempfile.gettempdir()
        try:
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # for as long as we live
        except OSError as error:
            raise self._unwritable(error) from error
        weakref.finalize(self, self._file.close)
        self._ends = array("Q", [0])
        self._features = 0

    def __len__(self) -> int:
        return len(self._ends) - 1

    def append(self, x: np.ndarray) -> None:
        """Appends a sequence `[T, D]`; all have the same D.

        Raises:
            StorageError: there is no space, or no permission to write.
        """
        self._features = x.shape[1]
        try:
            self._file.write(np.ascontiguousarray(x, np.float32).tobytes())
        except OSError as error:
            raise self._unwritable(error) from error
        self._ends.append(self._ends[-1] + x.size * 4)

    def __getitem__(self, i: int) -> np.ndarray:
        """Returns the sequence that was appended as the i-th, float32 `[T, D]`."""
        start, end = self._ends[i], self._ends[i + 1]
        self._file.seek(start)
        content = self._file.read(end - start)
        return np.frombuffer(content, np.float32).reshape(-1, self._features)

    def _unwritable(self, error: OSError) -> StorageError:
        return StorageError(
            f"{self._folder}: the values, which lie in a temporary file there until the shards are "
            f"written, cannot be written ({error.strerror or error}). Free some space, or choose "
            "another place for --out."
        )
