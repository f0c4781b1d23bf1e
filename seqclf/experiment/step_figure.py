"""`labelled_sequences`: sequences with the true and the predicted class of each time step."""

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from seqclf.console.names_in_text import in_figure
from seqclf.data.dataset import DatasetSpec, ExampleStore
from seqclf.data.step_labels import NO_LABEL
from seqclf.experiment.sequence_figures import (
    draw_feature,
    feature_labels,
    left_out,
    valid_steps,
)
from seqclf.training.evaluation import Score

SHOWN = 4  # sequences
COLUMNS = 2
MOST_NAMED = 10  # classes in the legend
LONGEST_NAME = 20  # characters of a class name in the legend
WITHOUT_LABEL = (1.0, 1.0, 1.0)


def labelled_sequences(split: ExampleStore, spec: DatasetSpec, score: Score) -> Figure:
    """Draws the first sequences of a split, with two bands of colours under each.

    The upper band has the true class of each time step, the lower one the predicted class. Where a
    time step has no label, both are white.

    Args:
        split: the sequences that were scored.
        spec: the spec of their data.
        score: the score of the model on them.
    """
    examples = split.take(np.arange(min(SHOWN, len(split))))
    predicted = _predicted(examples.y, score)
    names = feature_labels(spec)
    columns = min(COLUMNS, len(examples))
    rows = -(-len(examples) // columns)
    height = {1: 1.4, 2: 0.9}.get(len(names), 0.6) * len(names) + 1.2
    figure = Figure(figsize=(5.6 * columns, rows * height + 0.6), layout="constrained")
    FigureCanvasAgg(figure)
    cells = np.atleast_2d(figure.subfigures(rows, columns, squeeze=False))
    for i, cell in enumerate(cells.flat):
        if i < len(examples):
            x = valid_steps(examples, i, spec)[:, : len(names)]
            panels = _panels(cell, x, names)
            truth, guess = examples.y[i, : len(x)], predicted[i, : len(x)]
            _draw_bands(panels[-1], truth, guess)
            right = (truth == guess)[truth != NO_LABEL].mean()
            name = f"#{i}" if examples.ids is None else in_figure(str(examples.ids[i]))
            panels[0].set_title(f"{name}: {right:.1%} of the time steps right", fontsize=8)
    _legend(figure, spec)
    return figure


def _predicted(y: np.ndarray, score: Score) -> np.ndarray:
    """Returns the predicted class at each time step of the first sequences that has a label.

    Args:
        y: their labels, int `[n, T]`.
        score: the score of all sequences.
    """
    predicted = np.full(y.shape, NO_LABEL)
    known = y != NO_LABEL
    predicted[known] = score.probabilities[: known.sum()].argmax(-1)
    return predicted


def _panels(cell: Any, x: np.ndarray, names: list[str]) -> Any:
    """Draws the features of a sequence, and returns all panels; the last one is for the bands."""
    ratios = [*[1.0] * len(names), 0.55 if len(names) > 1 else 0.35]
    panels = cell.subplots(
        len(names) + 1, 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": ratios}
    )[:, 0]
    for d, name in enumerate(names):
        draw_feature(panels[d], np.arange(1, len(x) + 1), x[:, d])
        panels[d].set_ylabel(name, fontsize=7, rotation=0, ha="right", va="center")
    panels[-1].set_xlabel("time step", fontsize=7)
    panels[-1].xaxis.set_major_locator(MaxNLocator(6, integer=True))
    panels[-1].set_xlim(0.5, len(x) + 0.5)
    cell.align_ylabels()
    return panels


def _draw_bands(axes: Any, truth: np.ndarray, guess: np.ndarray) -> None:
    bands = np.stack([truth, guess])  # [2, T]
    colours = np.array([_colour(int(i)) for i in np.unique(bands)])
    image = colours[np.searchsorted(np.unique(bands), bands)]
    axes.imshow(image, aspect="auto", interpolation="nearest", extent=(0.5, len(truth) + 0.5, 2, 0))
    axes.set_yticks([0.5, 1.5], ["true", "predicted"], fontsize=7)
    axes.tick_params(axis="x", labelsize=6)


def _colour(index: int) -> tuple[float, ...]:
    """Returns the colour of a class; after twenty classes they come again."""
    if index == NO_LABEL:
        return WITHOUT_LABEL
    palette = colormaps["tab20"]  # pairs of a dark and a light colour: the dark ones first
    place = 2 * (index % 10) + (index // 10) % 2
    return tuple(palette(place)[:3])


def _legend(figure: Figure, spec: DatasetSpec) -> None:
    shown = spec.class_names[:MOST_NAMED]
    patches = [
        Patch(color=_colour(i), label=in_figure(name, LONGEST_NAME)) for i, name in enumerate(shown)
    ]
    notes = [left_out(spec)]
    if len(shown) < spec.num_classes:
        notes.append(f"the first {len(shown)} of {spec.num_classes} classes are named")
    figure.legend(
        handles=patches,
        loc="outside lower center",
        ncols=5,
        fontsize=8,
        frameon=False,
        title="; ".join(filter(None, notes)) or None,
        title_fontsize=8,
    )
