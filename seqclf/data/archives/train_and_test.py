"""Puts a file to train on and a file to test on together."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqclf.data.sequences import RawData, Sequences, padded
from seqclf.errors import ConfigError, DataError


@dataclass(frozen=True)
class ArchivePart:
    """The cases of one file.

    Attributes:
        file: the file.
        series: the values of each case, float32 `[T_i, D]`; a missing value is NaN.
        labels: the name of the class of each case.
        class_names: the class names, in order.
    """

    file: Path
    series: list[np.ndarray]
    labels: list[str]
    class_names: tuple[str, ...]


def two_files(path: str, suffix: str) -> tuple[Path, ...]:
    """Returns the files that `TRAIN,TEST` names, or the one that `FILE` names.

    Args:
        path: what stands behind the colon of `data.source`.
        suffix: the ending of such files, for messages.

    Raises:
        ConfigError: there are more than two names, an empty one, or the same file twice.
    """
    if Path(path).expanduser().is_file():  # a name that has a comma in it
        return (Path(path).expanduser(),)
    names = path.split(",")
    if len(names) > 2 or not all(name.strip() for name in names):
        kind = suffix[1:]
        raise ConfigError(
            f"`data.source` must be {kind}:TRAIN,TEST or {kind}:FILE. Received: '{kind}:{path}'"
        )
    files = tuple(Path(name.strip()).expanduser() for name in names)
    if len(files) == 2 and files[0].resolve() == files[1].resolve():
        raise ConfigError(
            f"`data.source` names the same file to train on and to test on. Received: {files[0]} "
            f"twice. Name it once, and a test split is drawn from it: {suffix[1:]}:{files[0]}"
        )
    return files


def raw_data(parts: list[ArchivePart], where: str) -> RawData:
    """Returns the examples of one or two files: of two, the second is the test split.

    Args:
        parts: the cases of each file.
        where: the beginning of messages, and the names of the files for people.

    Raises:
        DataError: the two files have other numbers of dimensions, or other classes.
    """
    train = parts[0]
    if len(parts) == 2:
        _check_alike(train, parts[1])
    split_names = ("train", "test")
    sequences = {}
    for name, part in zip(split_names, parts, strict=False):
        x, lengths = padded(part.series, str(part.file))
        sequences[name] = Sequences(x, np.array(part.labels, object), lengths, owned=True)
    files = " and ".join(str(part.file) for part in parts)
    return RawData(
        sequences,
        f"file{'s' * (len(parts) > 1)} {files}",
        where,
        train.class_names,
        notes=_test_file_beside(train.file) if len(parts) == 1 else (),
    )


def _check_alike(train: ArchivePart, test: ArchivePart) -> None:
    dimensions = train.series[0].shape[1], test.series[0].shape[1]
    if dimensions[0] != dimensions[1]:
        raise DataError(
            f"{test.file}: must have as many dimensions as {train.file} has, {dimensions[0]}. "
            f"Received: {dimensions[1]}"
        )
    if unknown := [name for name in test.class_names if name not in train.class_names]:
        raise DataError(
            f"{test.file}: must have the classes of {train.file}: {_listed(train.class_names)}. "
            f"Received: {unknown[0]!r}, which has no example to train on"
        )


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:20]) + (", …" if len(names) > 20 else "")


def _test_file_beside(train: Path) -> tuple[str, ...]:
    """Returns a note if the test file of the archive lies beside the file to train on."""
    if "_TRAIN" not in train.name:
        return ()
    test = train.with_name(train.name.replace("_TRAIN", "_TEST"))
    if not test.is_file():
        return ()
    kind = train.suffix[1:]
    return (
        f"{test.name} lies beside {train.name} and is not read: the test split is drawn from "
        f"{train.name}. To test on it set `data.source` to {kind}:{train},{test}",
    )
