"""The report of a run: `report.json` for machines, `report.md` and figures for people."""

from typing import Any

from matplotlib.figure import Figure

from seqclf.config import Config
from seqclf.data.dataset import Dataset
from seqclf.experiment import figures
from seqclf.experiment.mistakes import mistakes
from seqclf.experiment.probability_figures import probability_figure
from seqclf.experiment.report_text import report_in_markdown
from seqclf.experiment.sequence_figures import example_of_each_class
from seqclf.experiment.step_figure import labelled_sequences
from seqclf.experiment.text_report import text_data, text_figures, text_report_in_markdown
from seqclf.storage.files import write_json, write_text
from seqclf.storage.run_directory import Run
from seqclf.training.effective import total_steps
from seqclf.training.evaluation import Score
from seqclf.training.metrics_log import read_metrics
from seqclf.training.optimizers import learning_rates
from seqclf.training.scoring import AnyScore, score_report
from seqclf.training.text_evaluation import TextScore

MOST_MISTAKES = 100  # that report.json lists


def build_report(
    config: Config,
    dataset: Dataset,
    score: AnyScore,
    training: dict[str, Any],
    split: str = "test",
) -> dict[str, Any]:
    """Returns the content of `report.json`.

    Args:
        config: the resolved config of a run.
        dataset: its data.
        score: the score of the selected model on `split`.
        training: facts about the training that go into the report unchanged: `parameters`, `steps`,
            `selected_step`, `validation_accuracy`, `train_seconds`, `wait_share`, `fallback`, …
        split: the split that was scored: `test`, or `validation` for a trial of a search.
    """
    report = {
        "name": config.name,
        "seed": config.seed,
        "split": split,
        split: score_report(score, dataset.spec),
        "training": training,
        "data": text_data(dataset) if dataset.spec.is_text else _data(dataset),
    }
    if isinstance(score, TextScore) or dataset.spec.per_step:
        return report
    if split == "test":  # a trial of a search, which is scored on validation, lists no mistakes
        worst = mistakes(dataset.test, dataset.spec, score, MOST_MISTAKES)
        report["mistakes"] = [each.to_dict() for each in worst]
    return report


def write_report(
    run: Run, config: Config, dataset: Dataset, score: AnyScore, report: dict[str, Any]
) -> None:
    """Writes the figures, `report.md` and, as the last file, `report.json`.

    Args:
        run: the run directory.
        config: its resolved config.
        dataset: its data.
        score: the score of the selected model on the report's split.
        report: the result of `build_report`.

    Raises:
        StorageError: a file cannot be written.
    """
    names, split = dataset.spec.class_names, report["split"]
    training = report["training"]
    rates = learning_rates(config, total_steps(config, dataset), training["steps"])
    curves = figures.learning_curves(read_metrics(run), training["selected_step"], rates)
    drawn = {"learning_curves": curves}
    if isinstance(score, TextScore):
        drawn |= text_figures(dataset, split, score)
    else:
        drawn["confusion_matrix"] = figures.confusion_matrix(report[split]["confusion"], names)
    if split == "test" and not isinstance(score, TextScore):
        drawn |= _figures_of_test(dataset, score)
    for name, figure in drawn.items():
        figures.save_figure(figure, run.figures / f"{name}.png")
    if dataset.spec.is_text:
        write_text(run.report_md, text_report_in_markdown(report, config))
    else:
        write_text(run.report_md, report_in_markdown(report, config, drawn))
    write_json(run.report, report)


def _figures_of_test(dataset: Dataset, score: Score) -> dict[str, Figure]:
    """Returns the figures of a classifier that show test examples, by name."""
    spec, test = dataset.spec, dataset.test
    rows = "time steps" if spec.per_step else "examples"
    probabilities = probability_figure(score.labels, score.probabilities, spec.class_names, rows)
    drawn = {"probabilities": probabilities}
    if spec.per_step:
        return drawn | {"examples": labelled_sequences(test, spec, score)}
    drawn["mistakes"] = figures.worst_mistakes(test, spec, score)
    if not spec.is_image:
        drawn["examples"] = example_of_each_class(dataset)
    return drawn


def _data(dataset: Dataset) -> dict[str, Any]:
    """Returns what the report says of the data of a classifier."""
    return {
        "source": dataset.spec.source,
        "origin": dataset.origin,
        "reading": dataset.spec.reading,
        "steps": dataset.spec.time_steps,
        "features": dataset.spec.features,
        "classes": list(dataset.spec.class_names),
        "examples": {name: len(split) for name, split in dataset.splits()},
        "feature_names": list(dataset.spec.feature_names),
        "missing": dataset.spec.missing,
        "division": dataset.division,
        "notes": list(dataset.notes),
        **({"per_step": True} if dataset.spec.per_step else {}),
        **({"own_scale": True} if dataset.spec.own_scale else {}),
    }
