"""Checks and opens a run that is to write text. It imports TensorFlow only to load the model."""

from pathlib import Path
from typing import TYPE_CHECKING

from seqclf.data.spec import DatasetSpec
from seqclf.serving.opened_export import check_kind
from seqclf.serving.text.options import WritingOptions
from seqclf.storage.run_directory import Run

if TYPE_CHECKING:
    from seqclf.serving.text.trained_model import TrainedTextModel


def check_text(where: Path, spec: DatasetSpec, options: WritingOptions) -> None:
    """Checks that a model writes text, and that the options fit its vocabulary.

    Args:
        where: the folder of the run or the export, for messages.
        spec: spec of its data.
        options: how a text is to be written.

    Raises:
        ConfigError: it is a classifier, or an option does not fit.
    """
    check_kind(where, spec, text=True)
    options.check_vocabulary(spec.num_classes)


def check_run(path: Path, options: WritingOptions) -> None:
    """Checks a run, as far as this needs no TensorFlow; `open_run` does the rest.

    Raises:
        RunError: the folder is no run directory.
        ConfigError: see `check_text`.
    """
    run = Run(path)
    run.read_config()
    try:
        spec = DatasetSpec.from_json(run.dataset.read_text("utf-8"))
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return  # `open_run` says what is wrong
    check_text(run.path, spec, options)


def open_run(run: Run) -> "TrainedTextModel":
    """Returns the language model of a run.

    Raises:
        RunError: the run has no model yet, or one that is damaged.
        ConfigError: it is a classifier.
    """
    from seqclf.models.loading import load_trained
    from seqclf.serving.text.trained_model import TrainedTextModel

    model, spec = load_trained(run)
    check_kind(run.path, spec, text=True)
    return TrainedTextModel(model, spec)
