"""Reads `.ts` files of the UEA and UCR archives, case by case."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqclf.config import DataConfig
from seqclf.data.archives.text_file import numbered_lines
from seqclf.data.archives.train_and_test import ArchivePart, raw_data, two_files
from seqclf.data.archives.ts_header import COMMENTS, TsHeader, read_header
from seqclf.data.archives.values import numbers
from seqclf.data.sequences import RawData
from seqclf.errors import DataError


@dataclass(frozen=True)
class TsCase:
    """One case of a `.ts` file.

    Attributes:
        x: float32 `[T, D]`; a missing value is NaN.
        label: the name of its class, one of the header's.
        line: the number of its line in the file.
    """

    x: np.ndarray
    label: str
    line: int


class TsFile:
    """A `.ts` file, which is read case by case in level memory.

    Args:
        path: the file.

    Attributes:
        header: what its header says.

    Raises:
        DataError: there is no such file, or its header cannot be used.

    While it is iterated over: DataError, with the line, for a case that cannot be read.
    """

    def __init__(self, path: str | Path):
        self._file = Path(path).expanduser()
        self.header: TsHeader = read_header(numbered_lines(self._file), self._file)

    def __iter__(self) -> Iterator[TsCase]:
        names = _NameFinder(self.header.class_names)
        shape: tuple[int, int] | None = None  # that of the first case
        for number, line in numbered_lines(self._file):
            if number <= self.header.line or line.startswith(COMMENTS):
                continue
            where = f"{self._file}, line {number}"
            *dimensions, label = line.split(":")
            label = names.find(label.strip(), where)
            self._check_dimensions(len(dimensions), shape, where)
            x = _values(dimensions, where)
            if shape and self.header.equal_length and len(x) != shape[0]:
                raise DataError(
                    f"{where}: every case must have {shape[0]} time steps, as the first has, "
                    f"because the header says @equalLength true. Received: {len(x)}"
                )
            shape = shape or (x.shape[0], x.shape[1])
            yield TsCase(x, label, number)
        if shape is None:
            raise DataError(f"{self._file}: has no cases behind the line @data.")

    def _check_dimensions(self, count: int, shape: tuple[int, int] | None, where: str) -> None:
        stated = self.header.dimensions
        wanted = stated or (shape[1] if shape else max(count, 1))
        if count != wanted:
            said = "as the header says" if stated else "as the first case has"
            raise DataError(
                f"{where}: a case must have {wanted} dimensions, {said}, each followed by ':', and "
                f"then its class. Received: {count} dimensions"
            )


def ts_data(path: str, config: DataConfig) -> RawData:
    """Returns the examples of `TRAIN,TEST` or of one `.ts` file, for `load_dataset`."""
    del config
    return raw_data([_part(file) for file in two_files(path, ".ts")], path)


def _part(path: Path) -> ArchivePart:
    file = TsFile(path)
    cases = list(file)
    labels = [case.label for case in cases]
    return ArchivePart(path, [case.x for case in cases], labels, file.header.class_names)


def _values(dimensions: list[str], where: str) -> np.ndarray:
    """Returns the values of a case, float32 `[T, D]`."""
    series = []
    for d, text in enumerate(dimensions):
        series.append(numbers(text.split(","), f"{where}, dimension {d + 1}"))
        if len(series[-1]) != len(series[0]):
            raise DataError(
                f"{where}: all dimensions of a case must have the same number of time steps. "
                f"Received: {len(series[0])} in dimension 1, {len(series[-1])} in dimension {d + 1}"
            )
    return np.stack(series, axis=1)  # D x T turned into T x D


class _NameFinder:
    """Finds the class name that a label stands for: it may be written as 1.0 for 1.

    Args:
        names: the class names.
    """

    def __init__(self, names: tuple[str, ...]):
        self._names = names
        self._found = {name: name for name in names}

    def find(self, label: str, where: str) -> str:
        """Returns the class name of a label."""
        if (found := self._found.get(label)) is not None:
            return found
        same = [name for name in self._names if _same_number(name, label)]
        if len(same) == 1:
            self._found[label] = same[0]
            return same[0]
        if not label or "," in label:
            raise DataError(
                f"{where}: the class of the case is missing: it stands behind the last ':'. "
                f"Received: {label[:20]!r} at the end of the line"
            )
        raise DataError(
            f"{where}: the class must be one of those that the header lists in @classLabel: "
            f"{', '.join(self._names[:20])}. Received: {label[:80]!r}"
        )


def _same_number(name: str, label: str) -> bool:
    try:
        return float(name) == float(label)
    except ValueError:
        return False
