"""Reads a user's own sequences from one `.npz` file, without unpickling anything."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqclf.config import DataConfig
from seqclf.data.sequences import RawData, Sequences
from seqclf.errors import DataError

ARCHIVE = b"PK"  # the first bytes of a zip file
GIT_LFS = b"version https://git-lfs"  # of the small file in the place of a large one
KNOWN = ("x", "y", "lengths", "class_names")


@dataclass(frozen=True)
class Arrays:
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


def load_npz(path: str, labelled: bool = True) -> Arrays:
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
    arrays = _read_arrays(file)
    required = ("x", "y") if labelled else ("x",)
    missing = [name for name in required if name not in arrays]
    unknown = [name for name in arrays if name not in KNOWN]
    if missing or unknown:
        raise DataError(
            f"{file}: must hold the arrays {' and '.join(required)}, and may hold "
            f"{', '.join(n for n in KNOWN if n not in required)}. Received: {', '.join(arrays)}"
        )
    return _sequences(arrays, file)


def npz_data(path: str, config: DataConfig) -> RawData:
    """Returns the examples of an `.npz` file, for `load_dataset`."""
    del config
    arrays = load_npz(path)
    part = Sequences(arrays.x, arrays.y, arrays.lengths, owned=True)
    return RawData({"train": part}, f"file {path}", path, arrays.class_names)


def _read_arrays(file: Path) -> dict[str, np.ndarray]:
    """Returns all arrays of an archive."""
    if not file.is_file():
        raise DataError(f"{file}: no such file.")
    _check_is_archive(file)
    try:
        # Opened here, because NumPy leaves a damaged file open.
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except ValueError as error:  # an array of Python objects, or a damaged header
        raise DataError(
            f"{file}: cannot be read without unpickling, which is refused because a pickle can run "
            f"any code. Save plain arrays (no dtype=object) with np.savez. ({error})"
        ) from error
    except Exception as error:  # of many types, from zipfile, zlib and NumPy, for a damaged file
        said = str(error) or type(error).__name__
        raise DataError(f"{file}: truncated or not an .npz file ({said}).") from error


def _check_is_archive(file: Path) -> None:
    """Raises DataError for a file that is no .npz archive, and says what it is instead."""
    try:
        with file.open("rb") as opened:
            start = opened.read(512)
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror}).") from error
    if start.startswith(ARCHIVE):
        return
    if start.startswith(b"\x93NUMPY"):
        raise DataError(f"{file}: a single array, not an .npz archive: use np.savez.")
    if start.startswith(GIT_LFS):
        found = "a pointer of Git LFS. Fetch the file itself with git lfs pull"
    elif start[:1] == b"\x80":
        found = "a pickle, which is refused because a pickle can run any code. Save with np.savez"
    elif start and _is_text(start):
        line = start.decode(errors="ignore").splitlines()[0][:40]
        found = f"a text file (it begins with {line!r}). Read it into arrays and save with np.savez"
    else:
        found = "empty" if not start else f"another kind of file (it begins with {start[:4]!r})"
    raise DataError(f"{file}: truncated or not an .npz file: it is {found}.")


def _is_text(start: bytes) -> bool:
    """Returns whether the first bytes of a file are text: a last letter may be cut off."""
    text = start.decode(errors="ignore")
    return (
        bool(text.strip())
        and len(start) - len(text.encode()) < 4
        and all(c.isprintable() or c in "\r\n\t" for c in text)
    )


def _sequences(arrays: dict[str, np.ndarray], file: Path) -> Arrays:
    names = arrays.get("class_names")
    if names is not None and (names.dtype.kind != "U" or names.ndim != 1):
        raise DataError(
            f"{file}: `class_names` must be a one-dimensional array of strings. "
            f"Received: dtype {names.dtype}, shape {list(names.shape)}"
        )
    return Arrays(
        x=arrays["x"],
        y=arrays.get("y"),
        lengths=arrays.get("lengths"),
        class_names=None if names is None else tuple(map(str, names)),
    )
