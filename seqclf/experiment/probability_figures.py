"""`probability_figure`: whether probabilities are right, and what each threshold would give."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from seqclf.console.names_in_text import in_figure
from seqclf.experiment.figures import BLUE, ORANGE, panels
from seqclf.training.scores import CALIBRATION_BINS, calibration_bins, roc_auc

MOST_POINTS = 500  # of a curve; more are not told apart
LEGEND = {"framealpha": 0.8, "edgecolor": "none"}  # its text stays readable on a curve


def probability_figure(
    labels: np.ndarray,
    probabilities: np.ndarray,
    class_names: tuple[str, ...],
    rows: str = "examples",
) -> Figure:
    """Draws a reliability diagram and, for two classes, the ROC and precision–recall curves.

    Args:
        labels: the true classes, int `[N]`.
        probabilities: float `[N, C]`, none of them NaN.
        class_names: the names of the C classes.
        rows: what the N rows are, in words.
    """
    if len(class_names) != 2 or len(np.unique(labels)) < 2:
        figure, (reliability,) = panels(1, width=4.2, height=3.8)
    else:
        figure, (reliability, roc, precision_recall) = panels(3, width=4.2, height=3.8)
        _draw_roc(roc, labels, probabilities, class_names)
        _draw_precision_recall(precision_recall, labels, probabilities, class_names)
    _draw_reliability(reliability, labels, probabilities, rows)
    return figure


def _draw_reliability(axes: Any, labels: np.ndarray, probabilities: np.ndarray, rows: str) -> None:
    count, confidence, right = calibration_bins(labels, probabilities)
    filled = count > 0
    edges = np.arange(CALIBRATION_BINS) / CALIBRATION_BINS
    bars = {"width": 1 / CALIBRATION_BINS, "align": "edge", "linewidth": 0}
    axes.bar(edges, count / count.sum(), color="black", alpha=0.12, label=rows, **bars)
    axes.plot(
        confidence[filled],
        right[filled],
        color=BLUE,
        marker=".",
        markersize=7,
        label="accuracy",
    )
    _draw_diagonal(axes, "right confidence")
    axes.set_title("reliability")
    axes.set_xlabel("confidence, the highest probability")
    axes.set_ylabel(f"accuracy; fraction of the {rows}")
    axes.legend(loc="upper left", **LEGEND)


def _draw_roc(
    axes: Any, labels: np.ndarray, probabilities: np.ndarray, class_names: tuple[str, ...]
) -> None:
    from sklearn.metrics import roc_curve

    rarer = _rarer(labels)
    false, true, _ = roc_curve(labels == rarer, probabilities[:, rarer])
    kept = _thinned(len(false))
    area = roc_auc(labels, probabilities)
    axes.plot(false[kept], true[kept], color=BLUE, label=f"area {area:.4f}")
    _draw_diagonal(axes, "by chance")
    axes.set_title("ROC")
    name = in_figure(class_names[rarer])
    axes.set_xlabel(f"fraction of the others read as {name}")
    axes.set_ylabel(f"fraction of {name} found")
    axes.legend(loc="lower right", **LEGEND)


def _draw_precision_recall(
    axes: Any, labels: np.ndarray, probabilities: np.ndarray, class_names: tuple[str, ...]
) -> None:
    from sklearn.metrics import average_precision_score, precision_recall_curve

    for index, colour in zip((_rarer(labels), 1 - _rarer(labels)), (BLUE, ORANGE), strict=True):
        of_class = labels == index
        precision, recall, _ = precision_recall_curve(of_class, probabilities[:, index])
        kept = _thinned(len(recall))
        area = average_precision_score(of_class, probabilities[:, index])
        label = f"{in_figure(class_names[index])}, average {area:.4f}"
        # The curve is a staircase: average precision is the area under its steps.
        axes.step(recall[kept], precision[kept], color=colour, where="pre", label=label)
        axes.axhline(of_class.mean(), color=colour, linewidth=0.9, linestyle=":")
    _frame(axes)
    axes.set_title("precision and recall")
    axes.set_xlabel("recall")
    axes.set_ylabel("precision")
    axes.legend(loc="lower left", **LEGEND)


def _rarer(labels: np.ndarray) -> int:
    """Returns the class, of two, with fewer examples; the second if both have as many."""
    return int((labels == 1).sum() <= (labels == 0).sum())


def _thinned(count: int) -> np.ndarray:
    """Returns the indices of the points to draw of a curve with `count` points."""
    return np.unique(np.linspace(0, count - 1, min(count, MOST_POINTS)).astype(int))


def _draw_diagonal(axes: Any, label: str) -> None:
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.9, linestyle=":", label=label)
    _frame(axes)


def _frame(axes: Any) -> None:
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.grid(alpha=0.25)
