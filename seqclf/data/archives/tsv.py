"""Reads `.tsv` files of the UCR archive: each line has the class, and the values of a series."""

from pathlib import Path

import numpy as np

from seqclf.config import DataConfig
from seqclf.data.archives.text_file import numbered_lines
from seqclf.data.archives.train_and_test import ArchivePart, raw_data, two_files
from seqclf.data.archives.values import numbers
from seqclf.data.labels import sorted_names
from seqclf.data.sequences import RawData
from seqclf.errors import DataError


def tsv_data(path: str, config: DataConfig) -> RawData:
    """Returns the examples of `TRAIN,TEST` or of one `.tsv` file, for `load_dataset`.

    A series has one dimension. Missing values at its end are its end; elsewhere they are missing.
    Labels that are whole numbers, such as 1.0 or -1, are named without a decimal point.
    """
    del config
    read = [(file, *_series(file)) for file in two_files(path, ".tsv")]
    whole = all(_is_whole(label) for _, _, labels, _ in read for label in labels)
    parts, shorter = [], 0
    for file, series, labels, cut in read:
        named = [str(int(float(label))) for label in labels] if whole else labels
        parts.append(ArchivePart(file, series, named, sorted_names(np.array(named))))
        shorter += cut
    raw = raw_data(parts, path)
    if not shorter:
        return raw
    count = sum(len(part.series) for part in parts)
    note = f"{shorter:,} of {count:,} series end in missing values, which are read as their end"
    return raw.changed(notes=(*raw.notes, note))


def _series(file: Path) -> tuple[list[np.ndarray], list[str], int]:
    """Returns the series `[T_i, 1]` of a file, their labels, and how many end in missing values."""
    series, labels, shorter, columns = [], [], 0, 0
    for number, line in numbered_lines(file):
        where = f"{file}, line {number}"
        label, *fields = line.split("\t")
        if not fields:
            raise DataError(
                f"{where}: a line must be a class and the values of a series, all separated by "
                f"tabs. Received: {line[:40]!r}"
            )
        columns = columns or len(fields)
        if len(fields) != columns:
            raise DataError(
                f"{where}: every line must have {columns} values behind the class, as the first "
                f"has; fill a shorter series up with NaN. Received: {len(fields)}"
            )
        if not label.strip():
            raise DataError(f"{where}: the class is missing: it is the first value of a line.")
        values = numbers(fields, where)
        known = np.flatnonzero(~np.isnan(values))
        if not known.size:
            raise DataError(f"{where}: the series has no values.")
        shorter += int(known[-1] + 1 < columns)
        series.append(values[: known[-1] + 1, np.newaxis])
        labels.append(label.strip())
    return series, labels, shorter


def _is_whole(label: str) -> bool:
    try:
        return float(label).is_integer()
    except ValueError:
        return False
