"""The report of a comparison: `report.md`, `results.json`, figures."""

from collections.abc import Sequence
from math import isnan
from pathlib import Path
from statistics import median
from typing import Any

from seqclf.comparison.figures import curves
from seqclf.comparison.trainings import Outcome, with_cell
from seqclf.config import Config
from seqclf.data.dataset import Dataset
from seqclf.experiment.figures import save_figure
from seqclf.inspection.report import flows_of, write_flows
from seqclf.models.loading import load_classifier
from seqclf.storage.environment import describe_environment
from seqclf.storage.files import write_json, write_text
from seqclf.storage.run_directory import Run
from seqclf.training.loop import build


def write_report(config: Config, dataset: Dataset, outcomes: list[Outcome], workdir: Path) -> None:
    """Writes figures, `results.json` and `report.md` of a finished comparison to its folder."""
    figures = workdir / "figures"
    save_figure(curves(outcomes), figures / "curves.png")
    write_gradient_flows(config, dataset, outcomes, figures)
    write_json(
        workdir / "results.json",
        {
            "config": config.to_dict(),
            "environment": describe_environment(),
            "outcomes": [
                {
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
                for outcome in outcomes
            ],
        },
    )
    write_text(workdir / "report.md", _markdown(config, dataset, outcomes))


def write_gradient_flows(
    config: Config, dataset: Dataset, outcomes: list[Outcome], figures: Path
) -> None:
    """Draws the gradient flow of each cell of the first budget, before and after training.

    The first seed's trainings are taken, those that diverged left out.
    """
    budget = outcomes[0].variant.budget
    first = [o for o in outcomes if o.variant.budget == budget and o.seed == config.seed]
    trained = [outcome for outcome in first if outcome.accuracy is not None]
    stages: dict[str, dict[str, Any]] = {
        "initialisation": {
            o.variant.cell: build(with_cell(config, o.variant, o.seed), dataset.spec) for o in first
        },
        "training": {
            o.variant.cell: load_classifier(Run(o.run).model, dataset.spec) for o in trained
        },
    }
    for stage, models in stages.items():
        if models and not config.model.bidirectional:
            flows = flows_of(models, dataset)
            title = f"at {stage}" if stage == "initialisation" else f"after {stage}"
            path = figures / f"gradient_flow_{stage}.png"
            write_flows(flows, config.optimizer.clip_norm, path, title)


def table(outcomes: Sequence[Outcome]) -> list[str]:
    """Returns the lines of a Markdown table: medians over the seeds, and their spread."""
    lines = [
        "| equal | cell | units | parameters | test accuracy, % | test loss | step, ms |",
        "|---|---|---|--:|--:|--:|--:|",
    ]
    for variant in dict.fromkeys(outcome.variant for outcome in outcomes):
        of = [outcome for outcome in outcomes if outcome.variant == variant]
        whole = [outcome for outcome in of if outcome.accuracy is not None]
        accuracy = _spread([100 * o.accuracy for o in whole if o.accuracy is not None], 2, "**")
        loss = _spread([o.loss for o in whole if o.loss is not None], 4)
        times = _spread([o.step_ms for o in of if not isnan(o.step_ms)], 1)
        if not whole:
            accuracy = "diverged"
        elif len(whole) < len(of):
            accuracy += f", {len(of) - len(whole)} of {len(of)} diverged"
        units = ", ".join(map(str, variant.units))
        lines.append(
            f"| {variant.budget} | {variant.cell} | [{units}] | {variant.parameters:,} "
            f"| {accuracy} | {loss} | {times} |"
        )
    return lines


def _spread(values: list[float], digits: int, mark: str = "") -> str:
    """Returns median (least – most); the value alone if there is but one, "" if there is none."""
    if not values:
        return ""
    middle = f"{mark}{median(values):.{digits}f}{mark}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):.{digits}f} – {max(values):.{digits}f})"


def _markdown(config: Config, dataset: Dataset, outcomes: list[Outcome]) -> str:
    spec = dataset.spec
    seeds = sorted({outcome.seed for outcome in outcomes})
    clip = config.optimizer.clip_norm
    length = f"{config.steps:,} steps" if config.steps else f"{config.epochs:g} epochs"
    flows = [
        ("initialisation", "## Gradient flow at initialisation"),
        ("training", "## Gradient flow after training"),
    ]
    if config.model.bidirectional:
        flows = []  # there is no last state to go back from
    lines = [
        f"# Comparison `{config.name}`",
        "",
        f"{dataset.origin}; {spec.time_steps} steps of {spec.features} features ({spec.reading}). "
        f"{length} of {config.batch_size}, {config.optimizer.name}, "
        f"learning rate up to {config.optimizer.learning_rate:g}, "
        f"{f'clipped to {clip:g}' if clip else 'not clipped'}; seed{'s' * (len(seeds) > 1)} "
        f"{', '.join(map(str, seeds))}. One recipe for all cells: another may suit one of them "
        "better.",
        "",
        *table(outcomes),
        "",
        "Medians over the seeds (least – most). The time of a step is as seqclf runs it: the GRU's "
        "gradient is derived by hand and its batch shared out over the cores, the others' is "
        "TensorFlow's. It holds for the machine and for what else ran on it.",
        "",
        "![training loss and validation error by step](figures/curves.png)",
        "",
    ]
    for stage, heading in flows:
        lines += [heading, "", f"![gradient flow](figures/gradient_flow_{stage}.png)", ""]
    return "\n".join(lines)
