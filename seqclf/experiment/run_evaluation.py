"""`evaluate_run` and `score_run`: score the model of a finished run again."""

from typing import Any

from seqclf.console.progress import CountProgress, announce
from seqclf.data.dataset import Dataset, DatasetSpec
from seqclf.data.sources import load_dataset
from seqclf.errors import RunError
from seqclf.experiment.manifest import check_same_data
from seqclf.models.loading import load_classifier
from seqclf.storage.run_directory import Run
from seqclf.training.scoring import AnyScore, make_scorer, score_report


def evaluate_run(run: Run, split: str, dataset: Dataset | None = None) -> dict[str, Any]:
    """Scores the model of a run on one of its splits.

    Args:
        run: a trained run.
        split: `train`, `validation` or `test`.
        dataset: the data that the run was trained on; None: it is loaded as the config says.

    Returns:
        The numbers of `score_report`.

    Raises:
        RunError: the run has no model yet, its data has changed since, or the split is empty.
    """
    score, spec = score_run(run, split, dataset)
    return score_report(score, spec)


def score_run(run: Run, split: str, dataset: Dataset | None = None) -> tuple[AnyScore, DatasetSpec]:
    """Scores the model of a run on one of its splits, and returns the spec of its data too.

    The arguments and the errors are those of `evaluate_run`.
    """
    config = run.read_config()
    if not run.model.exists():
        raise RunError(f"{run.path} has no model.keras yet: finish its training first.")
    if dataset is None:
        announce(f"Loading {config.data.source}")
        dataset = load_dataset(**config.data.to_dict())
    check_same_data(run, dataset)
    if not len(dataset.split(split)):
        raise RunError(
            f"The run in {run.path} has no {split} examples. Received: data.{split}="
            f"{config.data.to_dict()[split]:g}. Train another run with `data.{split}` above 0."
        )
    model = load_classifier(run.model, dataset.spec)
    announce(f"Scoring the {split} split")
    score = make_scorer(model, dataset.spec)(dataset.split(split), CountProgress("Scored"))
    return score, dataset.spec
