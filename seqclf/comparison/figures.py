"""The figures of a comparison: loss and error by step of each cell, with their spread."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from seqclf.comparison.trainings import Outcome
from seqclf.experiment.figures import panels
from seqclf.inspection.figures import COLOURS

CELL_COLOURS = dict(zip(("gru", "lstm", "rnn", "mgu"), COLOURS, strict=True))


def curves(outcomes: list[Outcome]) -> Figure:
    """Draws each cell's training loss and validation error by step, a row for each budget.

    Lines are medians over the seeds, bands reach from the least to the most.
    """
    budgets = list(dict.fromkeys(outcome.variant.budget for outcome in outcomes))
    figure, axes = panels(2 * len(budgets), columns=2, width=5.2, height=3.4)
    for i, budget in enumerate(budgets):
        loss, error = axes[2 * i : 2 * i + 2]
        of = [outcome for outcome in outcomes if outcome.variant.budget == budget]
        for cell in dict.fromkeys(outcome.variant.cell for outcome in of):
            runs = [outcome for outcome in of if outcome.variant.cell == cell and outcome.records]
            if runs:
                _band(loss, cell, runs, lambda record: record["train_loss"])
                _band(error, cell, runs, lambda r: 100 * (1 - r["validation_accuracy"]))
        loss.set_title(f"training loss, equal {budget}")
        error.set_title(f"validation error, %, equal {budget}")
        for each in (loss, error):
            each.set_yscale("log")
            each.yaxis.set_major_formatter("{x:g}")
            each.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1.5, 0.5)))
            each.set_xlabel("step")
            each.grid(alpha=0.25, which="both")
    if any(outcome.records for outcome in outcomes):  # none, if every training diverged
        axes[0].legend(frameon=False)
    return figure


def _band(axes: Any, cell: str, runs: list[Outcome], value: Any) -> None:
    shortest = min(len(run.records) for run in runs)  # one that diverged has fewer
    steps = [record["step"] for record in runs[0].records[:shortest]]
    values = np.array([[value(record) for record in run.records[:shortest]] for run in runs])
    values = np.maximum(values, 1e-4)
    colour = CELL_COLOURS[cell]
    axes.plot(steps, np.median(values, axis=0), color=colour, label=cell)
    axes.fill_between(steps, values.min(0), values.max(0), color=colour, alpha=0.18, linewidth=0)
