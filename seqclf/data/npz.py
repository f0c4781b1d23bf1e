"""Reads a user's own sequences from one `.npz` file, without unpickling anything."""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqclf.errors import DataError

KNOWN = ("x", "y", "lengths", "class_names")


@dataclass(frozen=True)
class Sequences:
    """The arrays of an `.npz` file, unchecked.

    Attributes:
        x: `[N, T, D]`, or images `[N, H, W]` or `[N, H, W, C]`.
        y: `[N]` integers, or None.
        lengths: `[N]` integers, or None.
        class_names: the name of each class, or None.
    """

    x: np.ndarray
    y: np.ndarray | None = None
    lengths: np.ndarray | None = None
    class_names: tuple[str, ...] | None = None


def load_npz(path: str, labelled: bool = True) -> Sequences:
    """Reads a file that `np.savez(path, x=…, y=…, lengths=…, class_names=…)` wrote.

    Args:
        path: the file. `x` is `[N, T, D]`, or images `[N, H, W]` or `[N, H, W, C]`; `y` is `[N]`
            integers; `lengths` (optional) is `[N]` integers; `class_names` (optional) is an array
            of strings.
        labelled: whether the file must hold `y`.

    Raises:
        DataError: the file is missing, truncated, not an `.npz` file, or holds Python objects; or
            an array is unknown or missing.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise DataError(f"{file}: no such file.")
    try:
        archive = np.load(file, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise DataError(f"{file}: a single array, not an .npz archive: use np.savez.")
        with archive:
            arrays = {name: archive[name] for name in archive.files}
    except DataError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise DataError(f"{file}: truncated or not an .npz file ({error}).") from error
    except ValueError as error:  # NumPy says so of object arrays, and of files that it can't tell
        raise DataError(
            f"{file}: cannot be read without unpickling, which is refused because a pickle can run "
            f"any code. Save plain arrays (no dtype=object) with np.savez. ({error})"
        ) from error
    required = ("x", "y") if labelled else ("x",)
    missing = [name for name in required if name not in arrays]
    unknown = [name for name in arrays if name not in KNOWN]
    if missing or unknown:
        raise DataError(
            f"{file}: must hold the arrays {' and '.join(required)}, and may hold "
            f"{', '.join(n for n in KNOWN if n not in required)}. Received: {', '.join(arrays)}"
        )
    names = arrays.get("class_names")
    if names is not None and (names.dtype.kind != "U" or names.ndim != 1):
        raise DataError(
            f"{file}: `class_names` must be a one-dimensional array of strings. "
            f"Received: dtype {names.dtype}, shape {list(names.shape)}"
        )
    return Sequences(
        x=arrays["x"],
        y=arrays.get("y"),
        lengths=arrays.get("lengths"),
        class_names=None if names is None else tuple(map(str, names)),
    )
