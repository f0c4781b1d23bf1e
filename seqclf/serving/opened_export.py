"""`open_export`: loads a version of an export of seqclf, without TensorFlow for Python."""

import json
from dataclasses import dataclass
from pathlib import Path

from seqclf.data.spec import DatasetSpec
from seqclf.errors import ConfigError, ExportError
from seqclf.serving.file_digests import changed_files, recorded_digests
from seqclf.serving.file_names import GRAPH, METADATA
from seqclf.serving.graph_errors import first_cause
from seqclf.serving.saved_model import SavedModel
from seqclf.serving.versions import version_folder

# The files of a version that are read, by the beginnings of their names.
NEEDED = (GRAPH, METADATA, "variables/", "assets/")


@dataclass(frozen=True)
class OpenedExport:
    """A loaded version.

    Attributes:
        path: its folder.
        spec: spec of the data that the model was trained on.
        model: the model.
    """

    path: Path
    spec: DatasetSpec
    model: SavedModel


def open_export(folder: str | Path) -> OpenedExport:
    """Loads the newest version of an export, or one version of it.

    Args:
        folder: `EXPORT_DIR` or `EXPORT_DIR/<version>`.

    Raises:
        ExportError: there is no export of seqclf in that folder, or it is damaged.
    """
    path = version_folder(Path(folder).expanduser())
    spec = exported_spec(path)
    try:
        _check_files(path)
        return OpenedExport(path, spec, SavedModel(path))
    except Exception as error:  # a damaged file may cause errors of many types
        raise not_loaded(path, error) from error


def exported_spec(path: Path) -> DatasetSpec:
    """Returns the spec of the data that the model of a version was trained on.

    Raises:
        ExportError: the version is no export of seqclf, or it is damaged.
    """
    try:
        metadata = json.loads((path / METADATA).read_text("utf-8"))
        return DatasetSpec.from_json(json.dumps(metadata["spec"]))
    except Exception as error:  # a damaged file may cause errors of many types
        raise not_loaded(path, error) from error


def check_kind(where: Path, spec: DatasetSpec, text: bool) -> None:
    """Checks that a run or an export is of the kind that a command asks for.

    Args:
        where: its folder, for the message.
        spec: spec of its data.
        text: whether a language model is asked for; False: a classifier.

    Raises:
        ConfigError: it is of the other kind.
    """
    if text and not spec.is_text:
        raise ConfigError(
            f"{where} is a classifier, which writes no text. Train a language model "
            "(`data.source` text:FILE), or classify by seqclf.predict. Received: a model of "
            f"{spec.source}"
        )
    if spec.is_text and not text:
        raise ConfigError(
            f"{where} is a language model, which classifies nothing. Write text with it by "
            f"seqclf.generate, or score texts by the command seqclf.predict. Received: a model of "
            f"{spec.source}"
        )


def not_loaded(path: Path, error: Exception) -> ExportError:
    """Returns the error of a version that cannot be loaded."""
    said = first_cause(str(error)) or type(error).__name__
    return ExportError(
        f"{path} cannot be loaded as an export of seqclf: {said}. "
        f"python -m seqclf.export --verify={path} says what is wrong with it."
    )


def _check_files(path: Path) -> None:
    """Checks that the model's files are those that were exported.

    TensorFlow may end the whole process when it loads a damaged file.

    Raises:
        ValueError: a file is missing or has changed.
    """
    digests = recorded_digests(path)
    if digests is None:
        return
    needed = [name for name in digests if name.startswith(NEEDED)]
    if missing := [name for name in needed if not (path / name).is_file()]:
        raise ValueError(f"{missing[0]} is missing")
    if changed := changed_files(path, digests, needed):
        raise ValueError(f"{changed[0]} is not the file that was exported")
