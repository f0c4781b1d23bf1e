"""`open_input`: opens a file for predictions by its kind."""

from collections.abc import Sequence
from pathlib import Path

from seqclf.errors import ConfigError
from seqclf.serving.model_input import ModelInput
from seqclf.serving.predicting.image_file import ImageInput
from seqclf.serving.predicting.input_file import InputFile
from seqclf.serving.predicting.npz_file import open_npz
from seqclf.serving.predicting.table_options import TableOptions

TABLES = (".csv", ".tsv", ".txt", ".csv.gz", ".parquet", ".pq")
NO_OPTIONS = TableOptions()


def open_input(
    path: str,
    model: ModelInput,
    names: Sequence[str],
    invert: bool = False,
    options: TableOptions = NO_OPTIONS,
) -> InputFile:
    """Opens a file whose examples are to be predicted.

    Args:
        path: a CSV or Parquet file, an `.npz` file, a folder with one CSV or `.npy` file for each
            sequence, or an image file.
        model: description of the inputs that the model takes.
        names: the class names of the model.
        invert: whether to swap dark and bright in an image first.
        options: options of the user for the columns of tables.

    Raises:
        DataError: the file is missing, damaged, or does not fit the model.
        ConfigError: it is not known which columns of a table the model reads.
    """
    if path.lower().endswith(".npz"):
        return open_npz(path, model, names)
    # Reading tables needs pyarrow, whose start others need not wait for.
    if Path(path).expanduser().is_dir():
        from seqclf.serving.predicting.folder_input import FolderInput

        return FolderInput(path, model, names, options)
    if is_table(path):
        from seqclf.serving.predicting.table_file import TableFile

        return TableFile(path, model, options)
    return ImageInput(path, model, invert)


def is_table(path: str) -> bool:
    """Returns whether a file is a table, by the ending of its name."""
    return path.lower().endswith(TABLES)


def check_options(paths: Sequence[str], options: TableOptions) -> None:
    """Checks that there is a table if there are options for one.

    Raises:
        ConfigError: there is none.
    """
    given = options.given()
    if given and not any(is_table(path) or Path(path).expanduser().is_dir() for path in paths):
        raise ConfigError(
            f"--{given[0]} is for tables (CSV, Parquet) and folders of CSV files. Received: "
            f"{', '.join(paths[:3])}"
        )
