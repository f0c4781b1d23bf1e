"""The report of a run: `report.json` for machines, `report.md` and figures for people."""

from typing import Any

from seqclf.config import Config
from seqclf.config.wording import batch_in_words, distortions_in_words, model_in_words
from seqclf.console.names_in_text import code_in_markdown, in_markdown
from seqclf.console.progress import clock
from seqclf.data.dataset import Dataset
from seqclf.experiment import figures
from seqclf.experiment.score_text import class_table, score_line
from seqclf.storage.files import write_json, write_text
from seqclf.storage.run_directory import Run
from seqclf.training.evaluation import Score, class_report
from seqclf.training.metrics_log import read_metrics


def build_report(
    config: Config,
    dataset: Dataset,
    score: Score,
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
    names = dataset.spec.class_names
    return {
        "name": config.name,
        "seed": config.seed,
        "split": split,
        split: class_report(score, names),
        "training": training,
        "data": {
            "source": dataset.spec.source,
            "origin": dataset.origin,
            "reading": dataset.spec.reading,
            "steps": dataset.spec.time_steps,
            "features": dataset.spec.features,
            "classes": list(names),
            "examples": {name: len(split) for name, split in dataset.splits()},
        },
    }


def write_report(
    run: Run, config: Config, dataset: Dataset, score: Score, report: dict[str, Any]
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
    selected_step = report["training"]["selected_step"]
    drawn = {
        "learning_curves": figures.learning_curves(read_metrics(run), selected_step),
        "confusion_matrix": figures.confusion_matrix(report[split]["confusion"], names),
    }
    if split == "test":  # the mistakes of a single trial of a search interest nobody
        drawn["mistakes"] = figures.worst_mistakes(dataset.test, dataset.spec, score)
    for name, figure in drawn.items():
        figures.save_figure(figure, run.figures / f"{name}.png")
    write_text(run.report_md, _markdown(report, config))
    write_json(run.report, report)


def _markdown(report: dict[str, Any], config: Config) -> str:
    training, data, split = report["training"], report["data"], report["split"]
    lines = [f"# Run {code_in_markdown(report['name'])}", ""]
    if training.get("fallback"):
        lines += [f"> **{training['fallback']}**", ""]
    counts = ", ".join(f"{name} {count:,}" for name, count in data["examples"].items())
    source, origin = in_markdown(data["source"]), in_markdown(data["origin"])
    distortions = distortions_in_words(config)
    ended = "stopped early" if training["stopped_early"] else "ran to its end"
    lines += [
        f"**{score_line(split, report[split])}**",
        "",
        f"- data: {source} read by {data['reading']}, {data['steps']} steps of "
        f"{data['features']} features, {len(data['classes'])} classes ({counts}); {origin}",
        f"- model: {model_in_words(config)}; {training['parameters']:,} parameters",
        f"- training: {training['steps']:,} steps of {batch_in_words(config)}, {ended}, "
        f"{clock(training['train_seconds'])} min:s, {training['wait_share']:.1%} of it waiting for "
        f"data; seed {report['seed']}",
        *[f"- training images distorted: {distortions}"] * bool(distortions),
        f"- weights: those of step {training['selected_step']:,} ({config.select}); best "
        f"validation accuracy {training['validation_accuracy']:.2%}",
        "",
        "## Learning curves",
        "",
        "![loss, accuracy and learning rate by step](figures/learning_curves.png)",
        "",
        f"## {split.capitalize()} split, class by class",
        "",
        *class_table(report[split]),
        "",
        "![confusion matrix](figures/confusion_matrix.png)",
        "",
    ]
    if split == "test":
        lines += [
            "## Worst mistakes",
            "",
            "The wrong predictions with the highest confidence: true class, predicted class, "
            "confidence, index in the test split.",
            "",
            "![worst mistakes](figures/mistakes.png)",
            "",
        ]
    return "\n".join(lines)
