"""`read_arrays`: all arrays of an `.npz` file, without unpickling anything."""

from pathlib import Path

import numpy as np

from seqclf.errors import DataError

ARCHIVE = b"PK"  # the first bytes of a zip file
GIT_LFS = b"version https://git-lfs"  # of the small file in the place of a large one


def read_arrays(file: Path) -> dict[str, np.ndarray]:
    """Returns all arrays of an archive by their names.

    Raises:
        DataError: the file is missing, truncated, not an `.npz` file, or holds Python objects.
    """
    if not file.is_file():
        raise DataError(f"{file}: no such file.")
    _check_is_archive(file)
    name = ""
    try:
        # Opened here, because NumPy leaves a damaged file open.
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as archive:
            arrays = {}
            for name in archive.files:
                arrays[name] = archive[name]
            return arrays
    except ValueError as error:  # an array of Python objects, or a damaged header
        if "Object arrays" not in str(error):
            raise DataError(f"{file}: truncated or not an .npz file ({error}).") from error
        raise DataError(
            f"{file}: `{name}` is an array of Python objects, which is refused because a pickle "
            f"can run any code. {_as_plain_array(name)}"
        ) from error
    except Exception as error:  # of many types, from zipfile, zlib and NumPy, for a damaged file
        said = str(error) or type(error).__name__
        raise DataError(f"{file}: truncated or not an .npz file ({said}).") from error


def _as_plain_array(name: str) -> str:
    """Returns how an array of Python objects is saved as a plain one, by what it is for."""
    if name.split("_")[0] != "x":
        return f"Save it as a plain array: {name}={name}.astype(str), or .astype(int) for numbers."
    lengths = name.replace("x", "lengths", 1)
    padding = f"((0, {lengths}.max() - len(s)), (0, 0))"
    return (
        "Sequences of different lengths are padded and saved with their lengths; three lines of "
        f"NumPy do it (sequences is a list of arrays [T_i, D]):\n"
        f"  {lengths} = np.array([len(s) for s in sequences])\n"
        f"  {name} = np.stack([np.pad(s, {padding}) for s in sequences])\n"
        f"  np.savez(FILE, {name}={name}, {lengths}={lengths}, …)"
    )


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
