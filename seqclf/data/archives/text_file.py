"""Opens the text files of the archives, and says what a file is that is none of them."""

from collections.abc import Iterator
from pathlib import Path

from seqclf.errors import DataError

# What a file begins with -> what it is, and what to do.
OTHER_FILES = {
    b"\x1f\x8b": "compressed (gzip). Unpack it first, with gunzip",
    b"PK": "a zip file. Unpack it first, with unzip, and name the files TRAIN and TEST in it",
    b"\x93NUMPY": "a NumPy array. Save it with its labels by np.savez and read it as npz:FILE",
    b"version https://git-lfs": "a pointer of Git LFS. Fetch the file itself with git lfs pull",
    b"PAR1": "a Parquet file. Read it as parquet:FILE",
}


def numbered_lines(file: Path) -> Iterator[tuple[int, str]]:
    """Yields the lines of a text file that are not blank, each with its number from 1.

    Bytes that are no UTF-8 become surrogates: comments may hold anything, and the checks of names
    refuse them elsewhere.

    Raises:
        DataError: the file is missing, empty, or obviously of another kind.
    """
    _check_is_text(file)
    try:
        with file.open(encoding="utf-8-sig", errors="surrogateescape", newline=None) as opened:
            for number, line in enumerate(opened, 1):
                if text := line.strip(" \r\n"):
                    yield number, text
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror}).") from error


def _check_is_text(file: Path) -> None:
    if not file.is_file():
        found = "is a folder, not a file" if file.is_dir() else "no such file"
        raise DataError(f"{file}: {found}.")
    try:
        with file.open("rb") as opened:
            start = opened.read(4096)
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror}).") from error
    if not start.strip():
        raise DataError(f"{file}: the file is empty.")
    for signature, found in OTHER_FILES.items():
        if start.startswith(signature):
            raise DataError(f"{file}: is no text file: it is {found}.")
    if b"\0" in start:
        raise DataError(f"{file}: is no text file in UTF-8. Received: {start[:8]!r} at its start")
