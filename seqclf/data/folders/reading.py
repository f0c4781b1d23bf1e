"""Reads the files of a folder, each of which is an example: images, `.npy` arrays or CSV files."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from seqclf.config import DataConfig
from seqclf.data.folders.layout import ARRAY_SUFFIXES, TABLE_SUFFIXES
from seqclf.data.image_files import read_image
from seqclf.data.table_layout import TableLayout, listed_names, mark
from seqclf.data.tables.columns import KNOWN, check_present
from seqclf.data.tables.opening import open_file
from seqclf.data.tables.stream import open_table
from seqclf.data.tables.table import (
    Table,
    is_number_text,
    listed,
    not_read,
    number_columns,
)
from seqclf.errors import DataError

KINDS = ("images", ".npy arrays", "CSV files")


@dataclasses.dataclass(frozen=True)
class ImageOptions:
    """How image files are read.

    Attributes:
        size: the (height, width) that images are resized to; () keeps their sizes.
        channels: 1 (grey) or 3 (RGB); 0: grey if the first training image is grey, RGB if not.
    """

    size: tuple[int, ...] = ()
    channels: int = 0


class FileReader:
    """Returns the array of a file: `[T, D]`, or an image `[H, W]` or `[H, W, C]`.

    Attributes:
        layout: the columns of CSV files; None for other files.
        notes: lines that tell people how files are read.
    """

    layout: TableLayout | None = None
    notes: tuple[str, ...] = ()

    def __call__(self, path: Path) -> np.ndarray:
        raise NotImplementedError


def file_kind(files: Iterable[Path], root: Path) -> str:
    """Returns what all files are, one of `KINDS`.

    Raises:
        DataError: they are of two kinds.
    """
    endings = {path.suffix.lower() for path in files}
    found = {_kind(ending) for ending in endings}
    if len(found) > 1:
        kinds = " and ".join(kind for kind in KINDS if kind in found)
        raise DataError(
            f"{root}: holds {kinds}. Put them into folders of their own, and take one of these."
        )
    return found.pop()


def _kind(suffix: str) -> str:
    if suffix in TABLE_SUFFIXES:
        return "CSV files"
    return ".npy arrays" if suffix in ARRAY_SUFFIXES else "images"


def file_reader(
    first: Path, kind: str, images: ImageOptions | None, config: DataConfig
) -> FileReader:
    """Returns what reads the files of a folder.

    Args:
        first: a file to train on, which decides the channels of images and the columns of CSV
            files.
        kind: what the files are, one of `KINDS`.
        images: how images are read.
        config: the columns, the separator and the decimal mark of CSV files.

    Raises:
        DataError: the first file cannot be read.
    """
    if kind == "CSV files":
        return _TableReader(first, config)
    return _ArrayReader() if kind == ".npy arrays" else _ImageReader(first, images)


class _ArrayReader(FileReader):
    def __call__(self, path: Path) -> np.ndarray:
        try:
            x = np.load(path, allow_pickle=False)
        except (OSError, EOFError, ValueError) as error:
            raise DataError(f"{path}: truncated, damaged or no .npy file ({error}).") from error
        if not isinstance(x, np.ndarray) or x.dtype.kind not in "biuf" or x.ndim not in (2, 3):
            raise DataError(
                f"{path}: must hold one array of real numbers, [T, D] (or an image [H, W] or "
                f"[H, W, C]). Received: {getattr(x, 'dtype', type(x).__name__)} "
                f"{list(getattr(x, 'shape', []))}"
            )
        return x


class _ImageReader(FileReader):
    """Reads image files, all with the same channels and size."""

    def __init__(self, first: Path, options: ImageOptions | None):
        self._options = options or ImageOptions()
        self._channels = self._options.channels or (1 if read_image(first).ndim == 2 else 3)

    def __call__(self, path: Path) -> np.ndarray:
        pixels = read_image(path, self._channels)
        if self._options.size:
            height, width = self._options.size
            image = Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS)
            pixels = np.asarray(image)
        return pixels


class _TableReader(FileReader):
    """Reads CSV files, one sequence each: a row for each time step, columns matched by name."""

    def __init__(self, first: Path, config: DataConfig):
        separator = mark(config.separator)
        table = open_file(str(first), separator, config.decimal, "CSV")
        time, notes = _time(table, config.time.strip())
        features = listed_names(config.features)
        check_present(table, [*filter(None, [time]), *features])
        if not features:
            features, said = _all_numbers(table, time)
            notes += said
        self.layout = TableLayout(
            "long", time=time, values=features, separator=separator, decimal=config.decimal
        )
        self.notes = tuple(notes)

    def __call__(self, path: Path) -> np.ndarray:
        assert self.layout is not None
        sequences = list(open_table(str(path), self.layout, labelled=False))
        if not sequences:
            raise DataError(f"{path}: has no rows behind the names of its columns.")
        return sequences[0].x


def _time(table: Table, given: str) -> tuple[str, list[str]]:
    """Returns the column by which the rows are sorted, with notes; "": there is none."""
    if given:
        return given, []
    known = [name for name in table.columns if name.lower() in KNOWN["time"]]
    if len(known) == 1:
        return known[0], [f"by the names of the columns: data.time={known[0]}"]
    return "", ["no column for `data.time`: the rows of a file are taken in their order"]


def _all_numbers(table: Table, time: str) -> tuple[tuple[str, ...], list[str]]:
    """Returns all columns of numbers but the time, with notes.

    Raises:
        DataError: there is none, or the first line holds numbers in the place of names.
    """
    if all(map(is_number_text, table.columns)):
        raise DataError(
            f"{table.where}, line 1: the first line of a CSV file must have the names of the "
            f"columns. Received: {listed(list(table.columns), 5)}"
        )
    rest = {name: kind for name, kind in table.columns.items() if name != time}
    values, others = number_columns(rest)
    if not values:
        raise DataError(
            f"{table.where}: no column of numbers that the model could read. The columns are: "
            f"{listed(others)}. Check `data.separator` and `data.decimal`."
        )
    notes = [f"data.features: all numbers are features: {listed(values)}"]
    return tuple(values), notes + not_read(others)
