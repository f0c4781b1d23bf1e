"""Reads the CSV file that gives each file of a folder its class: `data.labels`."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seqclf.data.folders.layout import LeftOut
from seqclf.errors import DataError

NEEDED = ("file", "label")
OPTIONAL = ("split", "group")


@dataclass(frozen=True)
class LabelledFile:
    """One line of a labels file.

    Attributes:
        path: the file.
        label: its class.
        split: the split that it belongs to; "": the file does not say.
        group: its group; "": it has none.
    """

    path: Path
    label: str
    split: str = ""
    group: str = ""


def read_labels(
    labels: str, root: Path, separator: str
) -> tuple[list[LabelledFile], tuple[str, ...]]:
    """Returns the files that a labels file names, in its order, and notes about all others.

    Args:
        labels: the CSV file, with the columns file and label, and perhaps split and group. Names of
            files are relative to `root`.
        root: the folder.
        separator: the character between two values.

    Raises:
        DataError: the labels file cannot be read, lacks a column or a value, or names a file that
            does not exist, or twice.
    """
    table = Path(labels).expanduser()
    table = table if table.is_file() else root / labels
    if not table.is_file():
        raise DataError(f"{labels}: no such file, neither here nor in {root} (`data.labels`).")
    files: dict[Path, LabelledFile] = {}
    try:
        with table.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.DictReader(opened, delimiter=separator, skipinitialspace=True)
            _check_columns(reader.fieldnames or [], table)
            for row in reader:
                found = _labelled(row, root, f"{table}, line {reader.line_num}")
                if found.path in files:
                    raise DataError(
                        f"{table}, line {reader.line_num}: a file must be named once. Received: "
                        f"{row['file']!r} again"
                    )
                files[found.path] = found
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table}: cannot be read as CSV in UTF-8 ({error}).") from error
    if not files:
        raise DataError(f"{table}: names no file.")
    left_out = LeftOut(root)
    for path in sorted(root.rglob("*")):
        if path.is_file() and path not in files and path.resolve() != table.resolve():
            left_out.add(path, f"not named in {table.name}")
    return list(files.values()), left_out.notes()


def _check_columns(names: Sequence[str], table: Path) -> None:
    if missing := [name for name in NEEDED if name not in names]:
        raise DataError(
            f"{table}, line 1: the columns file and label are needed; split and group are allowed. "
            f"Received: {', '.join(names) or 'nothing'} (without {', '.join(missing)}). Check "
            "`data.separator` too."
        )


def _labelled(row: dict[str, str | None], root: Path, where: str) -> LabelledFile:
    values = {name: (row.get(name) or "").strip() for name in NEEDED + OPTIONAL}
    present = [name for name in OPTIONAL if name in row]
    for name in (*NEEDED, *present):
        if not values[name]:
            raise DataError(f"{where}: the column {name} must have a value.")
    path = root / values["file"]
    if not path.is_file():
        raise DataError(f"{where}: there is no file {values['file']!r} in {root}.")
    return LabelledFile(path, values["label"], values["split"], values["group"])
