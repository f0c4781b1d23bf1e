"""`evaluate`: scores the model of a run on one of its splits."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqclf.api.runs import TrainedRun, opened
from seqclf.console.tensorflow_start import start_quietly
from seqclf.data.split_names import SPLITS
from seqclf.errors import ConfigError

if TYPE_CHECKING:
    from seqclf.data.dataset import Dataset


def evaluate(
    run: "TrainedRun | str | Path", split: str = "test", *, dataset: "Dataset | None" = None
) -> dict[str, Any]:
    """Scores the model of a run on one of its splits; every example counts once.

    Args:
        run: what `fit` or `load_run` returned, or the path of a run directory.
        split: `train`, `validation` or `test`.
        dataset: the data of the run, where it came from arrays in memory. It must be the very data
            that the run was trained on. None: what `fit` was given; otherwise it is loaded as the
            run's config says.

    Returns:
        A dictionary with `accuracy`, `accuracy_interval` (95 %), `loss` (log loss), `examples`,
        `balanced_accuracy` and `macro_f1`, each with its `…_interval`, `roc_auc`,
        `average_precision`, `calibration_error`, `majority` (the most frequent class and the
        accuracy of always answering with it), `never_predicted` (names of classes), `classes` (a
        dictionary for each class: name, precision, recall, f1, support) and `confusion` (`[C][C]`,
        rows are true classes). A number that is not defined is None.

    Raises:
        RunError: the run has no model yet, or its data has changed since.
        DataError: the data cannot be loaded, or came from arrays and is not given.
        ConfigError: there is no such split.

    Example:
        >>> seqclf.evaluate("runs/digits", "validation")["accuracy"]  # doctest: +SKIP
        0.9930555555555556
    """
    trained = opened(run)
    if split not in SPLITS:
        raise ConfigError(f"`split` must be one of {', '.join(SPLITS)}. Received: {split!r}")
    start_quietly()
    from seqclf.experiment.run_evaluation import evaluate_run

    return evaluate_run(trained.directory, split, trained.dataset if dataset is None else dataset)
