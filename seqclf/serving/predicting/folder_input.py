"""A folder with one CSV or `.npy` file for each sequence that is to be predicted."""

import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from seqclf.data.tables.stream import open_table
from seqclf.errors import DataError
from seqclf.serving.model_input import ModelInput
from seqclf.serving.predicting.batches import InputSequence
from seqclf.serving.predicting.fitting import fitted
from seqclf.serving.predicting.input_file import SequenceFile
from seqclf.serving.predicting.table_options import TableOptions, features_layout

ENDINGS = (".csv", ".npy")


class FolderInput(SequenceFile):
    """A folder, and all folders in it, with one file for each sequence.

    The id of a sequence is the path of its file. If each file lies in a folder that is called as a
    class of the model is, that is its label.

    Args:
        folder: the folder.
        model: description of the inputs that the model takes.
        names: the class names of the model.
        options: options of the user for the columns of the CSV files.

    Raises:
        DataError: there is no such file, or files of other kinds alone.
        ConfigError: it is not known which columns the model reads.
    """

    def __init__(self, folder: str, model: ModelInput, names: Sequence[str], options: TableOptions):
        root = Path(folder).expanduser()
        files = sorted(path for path in root.rglob("*") if path.is_file() and not _hidden(path))
        taken = [path for path in files if path.suffix.lower() in ENDINGS]
        if not taken:
            found = f", but {len(files)} others, such as {files[0].name}" if files else ""
            raise DataError(
                f"{folder}: holds no CSV or .npy file{found}. A folder has one such file for each "
                "sequence; images are named one by one: FOLDER/*.png."
            )
        self._left_out = len(files) - len(taken)
        self._labels = all(path.parent != root and path.parent.name in names for path in taken)
        if any(path.suffix.lower() == ".csv" for path in taken):
            features_layout(model, options, folder)  # an error about columns comes at once
        super().__init__(
            folder,
            model,
            self._read(taken, model, options),
            labelled=self._labels,
            count=len(taken),
        )

    def notes(self) -> tuple[str, ...]:
        notes = []
        if self._labels:
            notes.append("the label of each sequence is the name of its folder")
        if self._left_out:
            notes.append(f"{self._left_out:,} files that are neither CSV nor .npy are left out")
        return tuple(notes)

    def _read(
        self, files: list[Path], model: ModelInput, options: TableOptions
    ) -> Iterator[InputSequence]:
        for path in files:
            name = os.fsencode(path).decode(errors="backslashreplace")
            x = _array(path) if path.suffix.lower() == ".npy" else _table(path, model, options)
            label = path.parent.name if self._labels else None
            yield InputSequence(name, fitted(x, model, name), label)


def _hidden(path: Path) -> bool:
    return path.name.startswith(".")


def _table(path: Path, model: ModelInput, options: TableOptions) -> np.ndarray:
    """Returns the only sequence of a CSV file."""
    layout = features_layout(model, options, str(path))
    one = dataclasses.replace(layout, form="long", id="", label="", group="", split="", window=0)
    sequences = list(open_table(str(path), one, labelled=False))
    if not sequences:
        raise DataError(f"{path}: has no rows.")
    return sequences[0].x


def _array(path: Path) -> np.ndarray:
    try:
        x = np.load(path, allow_pickle=False)
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"{path}: truncated, damaged or no .npy file ({error}).") from error
    if not isinstance(x, np.ndarray) or x.dtype.kind not in "biuf":
        raise DataError(f"{path}: must hold one array of real numbers, [T, D].")
    return x[:, None] if x.ndim == 1 else x
