"""`TrainedRun` and `load_run`: a run directory, opened."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqclf.console.tensorflow_start import start_quietly
from seqclf.errors import RunError
from seqclf.storage.run_directory import Run

if TYPE_CHECKING:
    import keras

    from seqclf.config import Config
    from seqclf.data.dataset import Dataset
    from seqclf.data.spec import DatasetSpec


class TrainedRun:
    """A finished training: what `seqclf.fit` and `seqclf.load_run` return.

    The attributes are read from the run directory when they are first used, and then kept.

    Args:
        path: the run directory.
        dataset: the data of the run, where it is in memory already; None: `evaluate` loads it.

    Attributes:
        path: the run directory.
        dataset: the dataset that was given; None: none was given.
    """

    def __init__(self, path: str | Path, dataset: "Dataset | None" = None):
        self.directory = Run(path)
        self.path = self.directory.path
        self.dataset = dataset

    @cached_property
    def config(self) -> "Config":
        """The config of the run."""
        return self.directory.read_config()

    @cached_property
    def report(self) -> dict[str, Any]:
        """The content of `report.json`: the scores on the test split, and facts of the training.

        Raises:
            RunError: the run has no report, because its training is not finished.
        """
        if not self.directory.report.exists():
            raise RunError(
                f"{self.path} has no report.json yet: finish its training first, with the same "
                "call of seqclf.fit or the same command."
            )
        return self.directory.read_report()

    @property
    def model(self) -> "keras.Model":
        """The trained classifier, a Keras model. It gives logits `[B, C]` for normalised sequences.

        `seqclf.predict` takes raw sequences and gives probabilities.
        """
        return self._trained[0]

    @property
    def spec(self) -> "DatasetSpec":
        """The description of the data: shapes, dtype, class names, normalisation."""
        return self._trained[1]

    @property
    def export_dir(self) -> Path:
        """The folder of the export that training writes into the run directory."""
        return self.directory.export

    @cached_property
    def _trained(self) -> "tuple[keras.Model, DatasetSpec]":
        start_quietly()
        from seqclf.models.loading import load_trained

        return load_trained(self.directory)

    def __repr__(self) -> str:
        return f"TrainedRun({str(self.path)!r})"


def load_run(workdir: str | Path) -> TrainedRun:
    """Opens the run directory of a finished training.

    Args:
        workdir: the folder that `seqclf.fit` or `python -m seqclf.train` wrote.

    Returns:
        The run. Its model is loaded when it is first used.

    Raises:
        RunError: the folder is no run directory, or its training has not written a model yet.
    """
    run = TrainedRun(workdir)
    _ = run.config
    if not run.directory.model.is_file():
        raise RunError(f"{run.path} has no model.keras yet: finish its training first.")
    return run


def opened(run: "TrainedRun | str | Path") -> TrainedRun:
    """Returns the run, opened if its folder is given.

    Args:
        run: a run, or the path of a run directory.

    Raises:
        RunError: the folder is no run directory, or its training has not written a model yet.
    """
    if isinstance(run, TrainedRun):
        return run
    if not isinstance(run, (str, Path)):
        raise RunError(
            "A run must be what seqclf.fit or seqclf.load_run returns, or the path of a run "
            f"directory. Received: {run!r:.100}"
        )
    return load_run(run)
