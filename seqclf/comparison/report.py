"""The report of a comparison: `report.md`, `results.json`, figures."""

from collections.abc import Sequence
from math import isnan
from pathlib import Path
from statistics import median
from typing import Any

from seqclf.comparison.figures import learning_curves
from seqclf.comparison.trainings import Outcome
from seqclf.comparison.variants import with_variant
from seqclf.config import Config
from seqclf.console.names_in_text import code_in_markdown, in_markdown
from seqclf.data.dataset import Dataset
from seqclf.experiment.figures import save_figure
from seqclf.inspection.report import gradient_flows_of, write_gradient_flows
from seqclf.models.loading import load_classifier
from seqclf.storage.environment import describe_environment
from seqclf.storage.files import write_json, write_text
from seqclf.storage.run_directory import Run
from seqclf.training.effective import effective_config
from seqclf.training.loop import build


def write_report(config: Config, dataset: Dataset, outcomes: list[Outcome], workdir: Path) -> None:
    """Writes figures, `results.json` and `report.md` of a finished comparison to its folder."""
    figures = workdir / "figures"
    save_figure(learning_curves(outcomes), figures / "curves.png")
    _draw_gradient_flows(config, dataset, outcomes, figures)
    results = {
        "config": config.to_dict(),
        "environment": describe_environment(),
        "outcomes": [_as_json(outcome, workdir) for outcome in outcomes],
    }
    write_json(workdir / "results.json", results)
    write_text(workdir / "report.md", _markdown(config, dataset, outcomes))


def _as_json(outcome: Outcome, workdir: Path) -> dict[str, Any]:
    return {
        "cell": outcome.variant.cell,
        "budget": outcome.variant.budget,
        "units": outcome.variant.units,
        "parameters": outcome.variant.parameters,
        "seed": outcome.seed,
        "run": str(outcome.run.relative_to(workdir)),
        "test_accuracy": outcome.accuracy,
        "test_loss": outcome.loss,
        "step_ms": outcome.step_ms,
        "records": outcome.records,
    }


def _has_gradient_flows(config: Config, dataset: Dataset) -> bool:
    """Returns whether the loss depends on a last state alone, from which gradients flow back."""
    spec = dataset.spec
    return not (config.model.bidirectional or spec.per_step or spec.is_text)


def _draw_gradient_flows(
    config: Config, dataset: Dataset, outcomes: list[Outcome], figures: Path
) -> None:
    """Draws the gradient flow of each cell of the first budget, before and after training.

    Of each cell the training with the first seed is taken, unless it diverged.
    """
    if not _has_gradient_flows(config, dataset):
        return
    budget = outcomes[0].variant.budget
    first = [o for o in outcomes if o.variant.budget == budget and o.seed == config.seed]
    trained = [outcome for outcome in first if outcome.accuracy is not None]
    stages: dict[str, dict[str, Any]] = {
        "initialisation": {
            o.variant.cell: build(with_variant(config, o.variant, o.seed), dataset.spec)
            for o in first
        },
        "training": {
            o.variant.cell: load_classifier(Run(o.run).model, dataset.spec) for o in trained
        },
    }
    for stage, models in stages.items():
        if models:
            flows = gradient_flows_of(models, dataset)
            title = f"at {stage}" if stage == "initialisation" else f"after {stage}"
            path = figures / f"gradient_flow_{stage}.png"
            write_gradient_flows(flows, config.optimizer.clip_norm, path, title)


def outcome_table(outcomes: Sequence[Outcome]) -> list[str]:
    """Returns the lines of a Markdown table with the medians over the seeds and their spread."""
    lines = [
        "| equal | cell | units | parameters | test accuracy, % | test loss | step, ms |",
        "|---|---|---|--:|--:|--:|--:|",
    ]
    for variant in dict.fromkeys(outcome.variant for outcome in outcomes):
        same = [outcome for outcome in outcomes if outcome.variant == variant]
        accuracies = [100 * o.accuracy for o in same if o.accuracy is not None]
        accuracy = _spread(accuracies, 2, "**")
        loss = _spread([o.loss for o in same if o.loss is not None], 4)
        times = _spread([o.step_ms for o in same if not isnan(o.step_ms)], 1)
        if not accuracies:
            accuracy = "diverged"
        elif len(accuracies) < len(same):
            accuracy += f", {len(same) - len(accuracies)} of {len(same)} diverged"
        units = ", ".join(map(str, variant.units))
        lines.append(
            f"| {variant.budget} | {variant.cell} | [{units}] | {variant.parameters:,} "
            f"| {accuracy} | {loss} | {times} |"
        )
    return lines


def _spread(values: list[float], digits: int, mark: str = "") -> str:
    """Returns `median (smallest – largest)`, a single value alone, and "" for no values.

    Args:
        values: the values.
        digits: number of decimal places.
        mark: Markdown mark around the median, such as `**`.
    """
    if not values:
        return ""
    middle = f"{mark}{median(values):.{digits}f}{mark}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):.{digits}f} – {max(values):.{digits}f})"


def _markdown(config: Config, dataset: Dataset, outcomes: list[Outcome]) -> str:
    """Returns the text of `report.md`."""
    lines = [
        f"# Comparison {code_in_markdown(config.name)}",
        "",
        _conditions(config, dataset, outcomes),
        "",
        *outcome_table(outcomes),
        "",
        "Medians over the seeds (least – most). The time of a step is as seqclf runs it: the "
        "gradient of the GRU is derived by hand and its batch divided among the cores; the "
        "gradients of the others are TensorFlow's. It depends on the machine and on what else ran "
        "there.",
        "",
        "![training loss and validation error by step](figures/curves.png)",
        "",
    ]
    if _has_gradient_flows(config, dataset):
        for stage, when in (
            ("initialisation", "at initialisation"),
            ("training", "after training"),
        ):
            figure = f"![gradient flow](figures/gradient_flow_{stage}.png)"
            lines += [f"## Gradient flow {when}", "", figure, ""]
    return "\n".join(lines)


def _conditions(config: Config, dataset: Dataset, outcomes: list[Outcome]) -> str:
    """Returns what all trainings have in common: data, length, optimiser and seeds."""
    spec, optimizer = dataset.spec, config.optimizer
    config = effective_config(config, dataset)
    seeds = sorted({outcome.seed for outcome in outcomes})
    length = f"{config.steps:,} steps" if config.steps else f"{config.epochs:g} epochs"
    clipping = f"clipped to {optimizer.clip_norm:g}" if optimizer.clip_norm else "not clipped"
    read = f"{spec.time_steps} steps of {spec.features} features ({spec.reading})"
    if spec.tokens:
        read = (
            f"windows of {spec.time_steps} {spec.tokens.kind}, {spec.num_classes} in the "
            "vocabulary; accuracy and loss, in nats, are those of the next token"
        )
    return (
        f"{in_markdown(dataset.origin)}; {read}. {length} of {config.batch_size}, "
        f"{optimizer.name}, learning rate up to {optimizer.learning_rate:g}, {clipping}; "
        f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}. "
        "One recipe for all cells: another may suit one of them better."
    )
