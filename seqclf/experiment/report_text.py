"""`report_in_markdown`: the text of `report.md`."""

from collections.abc import Collection
from typing import Any

from seqclf.config import Config
from seqclf.config.wording import (
    batch_in_words,
    distortions_in_words,
    model_in_words,
    selection_in_words,
)
from seqclf.console.names_in_text import code_in_markdown, in_markdown
from seqclf.console.progress import clock
from seqclf.experiment.score_text import class_table, never_predicted, score_line, score_table
from seqclf.storage.recorded import counted_in_words

LISTED = 12  # mistakes that report.md lists by name


def report_in_markdown(report: dict[str, Any], config: Config, drawn: Collection[str]) -> str:
    """Returns the text of `report.md`.

    Args:
        report: the content of `report.json`.
        config: the config of the run.
        drawn: the names of the figures.
    """
    split = report["split"]
    lines = [f"# Run {code_in_markdown(report['name'])}", ""]
    if report["training"].get("fallback"):
        lines += [f"> **{report['training']['fallback']}**", ""]
    lines += [
        f"**{score_line(split, report[split], in_markdown)}**",
        "",
        *(f"**{line}**\n" for line in never_predicted(report[split], in_markdown)),
        *_data_lines(report["data"]),
        *_training_lines(report, config),
        "",
        "## Learning curves",
        "",
        "![loss, accuracy and learning rate by step](figures/learning_curves.png)",
        "",
        f"## Scores on the {split} split",
        "",
        *score_table(report[split]),
        "",
        *_about_intervals(report[split]),
        *_probability_lines(drawn),
        f"## {split.capitalize()} split, class by class",
        "",
        *class_table(report[split]),
        "",
        "![confusion matrix](figures/confusion_matrix.png)",
        "",
    ]
    if "mistakes" in drawn and report["mistakes"]:
        lines += _mistake_lines(report)
    if "examples" in drawn:
        lines += _example_lines(report["data"].get("per_step", False))
    return "\n".join(lines)


def _about_intervals(result: dict[str, Any]) -> list[str]:
    """Returns what the report says of intervals of time steps."""
    if "sequences" not in result:
        return []
    said = (
        f"Every time step that has a label counts: {counted_in_words(result)}. Time steps of one "
        "sequence are much alike, so the intervals are of sequences drawn with replacement."
    )
    return [said, ""]


def _data_lines(data: dict[str, Any]) -> list[str]:
    counts = ", ".join(f"{name} {count:,}" for name, count in data["examples"].items())
    source, origin = in_markdown(data["source"]), in_markdown(data["origin"])
    lines = [
        f"- data: {source} read by {data['reading']}, {data['steps']} steps of "
        f"{data['features']} features, {len(data['classes'])} classes"
        f"{' of time steps' if data.get('per_step') else ''} ({counts}); {origin}"
    ]
    if data["feature_names"]:
        lines.append(f"- features: {in_markdown(', '.join(data['feature_names']))}")
    if data["division"]:
        lines.append(f"- splits: {in_markdown(data['division'])}")
    if data.get("own_scale"):
        lines.append("- scale: each sequence by itself, to mean 0 and deviation 1 of each feature")
    if data["missing"] != "error":
        lines.append(f"- missing values: {data['missing']}")
    return [*lines, *(f"- note: {in_markdown(note)}" for note in data["notes"])]


def _training_lines(report: dict[str, Any], config: Config) -> list[str]:
    training, distortions = report["training"], distortions_in_words(config)
    validated = "no validation examples"
    if training["validation_accuracy"] is not None:
        validated = f"accuracy of the best validation {training['validation_accuracy']:.2%}"
    ended = "stopped early" if training["stopped_early"] else "ran to its end"
    return [
        f"- model: {model_in_words(config)}; {training['parameters']:,} parameters",
        f"- training: {training['steps']:,} steps of {batch_in_words(config)}, {ended}, "
        f"{clock(training['train_seconds'])} min:s, {training['wait_share']:.1%} of it waiting for "
        f"data; seed {report['seed']}",
        *[f"- training images distorted: {distortions}"] * bool(distortions),
        f"- weights: those of step {training['selected_step']:,}, {selection_in_words(config)}; "
        f"{validated}",
    ]


def _probability_lines(drawn: Collection[str]) -> list[str]:
    if "probabilities" not in drawn:
        return []
    return ["![whether the probabilities are right](figures/probabilities.png)", ""]


def _example_lines(per_step: bool) -> list[str]:
    if per_step:
        said = (
            "The first test sequences. Below each: the true class of every time step, and the "
            "predicted one."
        )
        return ["## Examples", "", said, "", "![test sequences](figures/examples.png)", ""]
    said = "The first test example of each class; the title says if classes are left out."
    return ["## Examples", "", said, "", "![an example of each class](figures/examples.png)", ""]


def _mistake_lines(report: dict[str, Any]) -> list[str]:
    named = [each for each in report["mistakes"] if "id" in each][:LISTED]
    lines = [
        "## Worst mistakes",
        "",
        "The wrong predictions with the highest confidence: true class, predicted class, "
        f"confidence, {'id' if named else 'index in the test split'}.",
        "",
        "![worst mistakes](figures/mistakes.png)",
        "",
    ]
    if named:
        lines += ["| id | true class | predicted class | confidence |", "|---|---|---|---:|"]
        lines += [
            f"| {in_markdown(each['id'])} | {in_markdown(each['truth'])} "
            f"| {in_markdown(each['predicted'])} | {each['confidence']:.1%} |"
            for each in named
        ]
        lines.append("")
    return lines


def mistakes_in_words(report: dict[str, Any], most: int = 3) -> str:
    """Returns the ids of the worst mistakes, for the terminal; "" where examples have no names.

    Args:
        report: the content of `report.json`.
        most: the largest number of ids to name.
    """
    found = [each["id"] for each in report.get("mistakes", []) if "id" in each]
    named = [" ".join(name.splitlines()) for name in found]
    if not named:
        return ""
    confusion = report["test"]["confusion"]
    count = sum(map(sum, confusion)) - sum(confusion[i][i] for i in range(len(confusion)))
    more = f" and {count - most:,} more" if count > most else ""
    return f"{', '.join(named[:most])}{more}"
