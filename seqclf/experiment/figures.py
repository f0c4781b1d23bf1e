"""The figures of a report: learning curves, confusion matrix, the worst mistakes."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from seqclf.console.names_in_text import in_figure
from seqclf.data.dataset import DatasetSpec, ExampleStore
from seqclf.experiment.mistakes import Mistake, mistakes
from seqclf.experiment.sequence_figures import sequences_figure
from seqclf.storage.files import replacing
from seqclf.training.evaluation import Score

LONGEST_IN_TITLE = 16  # characters of a class name in the title of a small figure
BLUE, ORANGE = "#2a6fbb", "#d9641e"  # told apart in grey and by colour-blind readers


def learning_curves(
    records: list[dict[str, Any]], selected_step: int, rates: tuple[np.ndarray, np.ndarray]
) -> Figure:
    """Draws loss, error rate and learning rate against the step, with the selected step marked.

    The axes of loss and error rate are logarithmic where the values go over a factor of 10 or more
    (below the least of them linear, for a value of 0), and begin at 0 otherwise.

    Args:
        records: the records of the validations.
        selected_step: the step whose weights became the model.
        rates: steps, and the learning rate at each of them.
    """
    figure, (loss, error, rate) = panels(3, width=4.2, height=3.4)
    steps = [record["step"] for record in records]
    for split, colour in (("train", BLUE), ("validation", ORANGE)):
        if not all(f"{split}_loss" in record for record in records):
            continue  # a run without validation examples
        style = {"color": colour, "marker": ".", "markersize": 4, "label": split}
        loss.plot(steps, [record[f"{split}_loss"] for record in records], **style)
        errors = [100 * (1 - record[f"{split}_accuracy"]) for record in records]
        error.plot(steps, errors, **style)
    for axes, title in ((loss, "loss"), (error, "error rate, %")):
        _scale(axes)
        axes.set_title(title)
        axes.axvline(selected_step, color="grey", linewidth=0.9, linestyle=":", label="selected")
    error.legend(loc="upper right", frameon=False)
    rate.plot(*rates, color="black")
    rate.set_title("learning rate")
    rate.set_ylim(bottom=0)
    for axes in (loss, error, rate):
        axes.set_xlabel("step")
        axes.set_xlim(0)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=(1, 2, 5, 10)))
        axes.grid(alpha=0.25)
    return figure


def _scale(axes: Any) -> None:
    """Chooses the scale of the y axis by the values that are drawn."""
    values = np.concatenate([line.get_ydata() for line in axes.lines])
    positive = values[np.isfinite(values) & (values > 0)]
    if not len(positive) or positive.max() < 10 * positive.min():
        axes.set_ylim(bottom=0)
        return
    if (values == 0).any():
        axes.set_yscale("symlog", linthresh=positive.min(), linscale=0.3)
        axes.set_ylim(bottom=0)
    else:
        axes.set_yscale("log")
        narrow = positive.max() < 100 * positive.min()
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if narrow else (1,)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())


def confusion_matrix(confusion: list[list[int]], class_names: tuple[str, ...]) -> Figure:
    """Draws how often examples of each class were predicted as each class.

    The numbers are examples. The colour is the share of the examples of the true class: blue for
    the right predictions, on the diagonal, and orange for mistakes. So a rare class is coloured as
    a frequent one is.
    """
    counts = np.array(confusion)
    size = max(4.5, 0.42 * len(class_names) + 1.5)
    figure, (axes,) = panels(1, width=size, height=size)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    right = np.eye(len(counts), dtype=bool)
    for part, colours in ((right, "Blues"), (~right, "Oranges")):
        # Half of the colours, so that black numbers can be read on all of them.
        axes.imshow(np.where(part, shares, np.nan), cmap=colours, vmin=0, vmax=2)
    axes.set_title("colour: share of the true class", size=9)
    if len(class_names) <= 30:  # beyond that, numbers would only be specks
        for (row, column), count in np.ndenumerate(counts):
            if count:
                weight = "bold" if row == column else "normal"
                axes.text(column, row, str(count), ha="center", va="center", size=8, weight=weight)
        names = [in_figure(name) for name in class_names]
        axes.set_xticks(range(len(counts)), names, rotation=45 if _long(class_names) else 0)
        axes.set_yticks(range(len(counts)), names)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    return figure


def worst_mistakes(
    split: ExampleStore, spec: DatasetSpec, score: Score, count: int | None = None
) -> Figure:
    """Draws the wrongly classified examples with the highest confidence, highest first.

    Args:
        split: the examples that were scored.
        spec: the spec of their data.
        score: the score of the model on them.
        count: the number of examples to draw; None: 12 images, or 6 sequences.
    """
    found = mistakes(split, spec, score, count or (12 if spec.is_image else 6))
    if not found:
        figure, (axes,) = panels(1, width=4, height=1.2)
        axes.axis("off")
        axes.text(0.5, 0.5, f"No mistake in {len(split):,} examples.", ha="center", va="center")
        return figure
    examples = split.take(np.array([each.index for each in found]))
    titles = [_mistake_title(each) for each in found]
    if not spec.is_image:
        return sequences_figure(examples, spec, titles)
    figure, all_axes = panels(len(found), columns=6, width=1.55, height=1.9)
    for axes, x, title in zip(all_axes, examples.x, titles, strict=True):
        axes.imshow(x, cmap="gray")
        axes.axis("off")
        axes.set_title(title, size=8)
    return figure


def _mistake_title(mistake: Mistake) -> str:
    truth, guess = (in_figure(n, LONGEST_IN_TITLE) for n in (mistake.truth, mistake.predicted))
    name = f"#{mistake.index}" if mistake.id is None else in_figure(mistake.id)
    return f"{truth}, read as {guess}\n{mistake.confidence:.1%}, {name}"


def save_figure(figure: Figure, path: Path) -> None:
    """Writes a figure to a PNG file, atomically."""
    figure.set_dpi(130)
    figure.set_facecolor("white")
    canvas = FigureCanvasAgg(figure)
    with replacing(path) as temporary, warnings.catch_warnings():
        # The font draws boxes for characters that it lacks, for instance in class names.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        canvas.print_png(temporary)  # `Figure.savefig` would arrange and draw everything twice


def panels(
    count: int, width: float, height: float, columns: int | None = None
) -> tuple[Figure, list[Any]]:
    """Returns a figure with a grid of axes, and the first `count` of them.

    Args:
        count: number of axes to use; the rest of the grid is hidden.
        width: width of one axes in inches.
        height: height of one axes in inches.
        columns: columns of the grid; None puts all axes into one row.
    """
    columns = min(count, columns or count)
    rows = -(-count // columns)
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for spare in axes[count:]:
        spare.axis("off")
    return figure, axes[:count]


def _long(class_names: tuple[str, ...]) -> bool:
    return max(map(len, class_names)) > 3
