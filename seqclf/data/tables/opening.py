"""Opens a table: a CSV or Parquet file, known by its first bytes, or a data frame."""

import difflib
import os
from pathlib import Path
from typing import Any

from seqclf.data.tables.arrow_tables import FrameTable, ParquetTable
from seqclf.data.tables.csv_table import CsvTable
from seqclf.data.tables.frames import is_frame
from seqclf.data.tables.table import Table
from seqclf.errors import DataError

GZIP = b"\x1f\x8b"
PARQUET = b"PAR1"
# First bytes -> what such a file is, and what to do with it.
OTHERS = {
    b"PK\x03\x04": (
        "an Excel file (.xlsx) or another zip archive",
        "In Excel, save the sheet as CSV UTF-8; unpack an archive",
    ),
    b"\xd0\xcf\x11\xe0": ("an old Excel file (.xls)", "In Excel, save the sheet as CSV UTF-8"),
    b"BZh": ("packed with bzip2", "Unpack it, or pack it with gzip"),
    b"\x28\xb5\x2f\xfd": ("packed with zstd", "Unpack it, or pack it with gzip"),
    b"\xfd7zXZ": ("packed with xz", "Unpack it, or pack it with gzip"),
    b"ARROW1": ("an Arrow (Feather) file", "Write it as Parquet"),
    b"\x89HDF": ("an HDF5 file", "Write it as Parquet"),
    b"\x93NUMPY": ("a NumPy array", "Save it with np.savez and use npz:FILE"),
    b"version https://git-lfs": ("a pointer of Git LFS", "Fetch the file with git lfs pull"),
}


def open_file(path: str, separator: str, decimal: str, kind: str = "") -> Table:
    """Opens a CSV or Parquet file.

    Args:
        path: the file; `~` stands for the home folder.
        separator: the character between two values of a CSV file.
        decimal: the decimal mark of a CSV file.
        kind: "CSV" or "Parquet", what the user says that it is; "": either.

    Raises:
        DataError: there is no such file, or it is of another kind.
    """
    file = Path(path).expanduser()
    if file.is_dir():
        raise DataError(f"{file}: a folder. Name one file.")
    if not file.is_file():
        raise DataError(f"{file}: no such file in {file.parent.resolve()}.{_alike(file)}")
    with file.open("rb") as opened:
        start = opened.read(32)
    for magic, (what, remedy) in OTHERS.items():
        if start.startswith(magic):
            raise DataError(f"{file}: no {kind or 'CSV or Parquet'} file: it is {what}. {remedy}.")
    parquet = start.startswith(PARQUET)
    if kind == "CSV" and parquet:
        raise DataError(f"{file}: it is a Parquet file: use parquet:{path}.")
    if kind == "Parquet" and not parquet:
        what = repr(start[:20].decode("utf-8", "replace")) if start else "nothing"
        raise DataError(
            f"{file}: no Parquet file: it begins with {what}. If it is text, use csv:{path}."
        )
    if parquet:
        return ParquetTable(file)
    return CsvTable(file, separator, decimal, packed=start.startswith(GZIP))


def _alike(file: Path) -> str:
    """Returns a sentence that names files of the same folder with similar names; "" without any."""
    names = os.listdir(file.parent) if file.parent.is_dir() else []
    near = difflib.get_close_matches(file.name, names)
    return f" There is {' and '.join(map(repr, near))}." if near else ""


def open_any(source: Any, separator: str, decimal: str) -> Table:
    """Opens a file by its path, or takes a data frame."""
    if is_frame(source):
        return FrameTable(source)
    return open_file(str(source), separator, decimal)
