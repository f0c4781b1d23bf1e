"""The figure of a comparison: loss and error of each cell by step, with their spread."""

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from seqclf.comparison.trainings import Outcome
from seqclf.experiment.figures import panels
from seqclf.inspection.figures import COLOURS

CELL_COLOURS = dict(zip(("gru", "lstm", "rnn", "mgu"), COLOURS, strict=True))


def learning_curves(outcomes: list[Outcome]) -> Figure:
    """Draws the training loss and validation error of each cell by step, a row for each budget.

    Without validation examples it is the training error.

    The lines are medians over the seeds. The bands reach from the smallest value to the largest.
    """
    budgets = list(dict.fromkeys(outcome.variant.budget for outcome in outcomes))
    figure, axes = panels(2 * len(budgets), columns=2, width=5.2, height=3.4)
    for i, budget in enumerate(budgets):
        loss, error = axes[2 * i : 2 * i + 2]
        chosen = [outcome for outcome in outcomes if outcome.variant.budget == budget]
        for cell in dict.fromkeys(outcome.variant.cell for outcome in chosen):
            runs = [o for o in chosen if o.variant.cell == cell and o.records]
            if runs:
                _draw_band(loss, cell, runs, lambda record: record["train_loss"])
                _draw_band(error, cell, runs, _error)
        loss.set_title(f"training loss, equal {budget}")
        error.set_title(f"{_split(chosen)} error, %, equal {budget}")
        for each in (loss, error):
            each.set_yscale("log")
            each.yaxis.set_major_formatter("{x:g}")
            each.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1.5, 0.5)))
            each.set_xlabel("step")
            each.grid(alpha=0.25, which="both")
    if any(outcome.records for outcome in outcomes):  # there are none if all trainings diverged
        axes[0].legend(frameon=False)
    return figure


def _split(outcomes: list[Outcome]) -> str:
    """Returns the split whose error is drawn: that of training if none is validated on."""
    records = [record for outcome in outcomes for record in outcome.records]
    validated = all("validation_accuracy" in record for record in records)
    return "validation" if validated else "training"


def _error(record: dict[str, Any]) -> float:
    accuracy: float = record.get("validation_accuracy", record["train_accuracy"])
    return 100 * (1 - accuracy)


def _draw_band(
    axes: Any, cell: str, runs: list[Outcome], value_of: Callable[[dict[str, Any]], float]
) -> None:
    """Draws median and range over the runs of a cell, by step."""
    shortest = min(len(run.records) for run in runs)  # a run that diverged has fewer records
    steps = [record["step"] for record in runs[0].records[:shortest]]
    values = np.array([[value_of(record) for record in run.records[:shortest]] for run in runs])
    values = np.maximum(values, 1e-4)
    colour = CELL_COLOURS[cell]
    axes.plot(steps, np.median(values, axis=0), color=colour, label=cell)
    axes.fill_between(steps, values.min(0), values.max(0), color=colour, alpha=0.18, linewidth=0)
