"""Figures of sequences: one panel for each feature, over the valid time steps."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from seqclf.console.names_in_text import in_figure
from seqclf.data.dataset import Dataset, DatasetSpec, Split

MOST_FEATURES = 6  # features of one sequence that are drawn
MOST_CLASSES = 6
COLUMNS = 3
LONGEST_NAME = 14  # characters of a feature's name beside its panel
LINE, MISSING = "#2a6fbb", "#d9641e"


def feature_labels(spec: DatasetSpec) -> list[str]:
    """Returns the names of the features that are drawn, the first `MOST_FEATURES` of all."""
    names = spec.feature_names or [f"feature {d}" for d in range(spec.raw_features)]
    return [in_figure(name, LONGEST_NAME) for name in names[:MOST_FEATURES]]


def left_out(spec: DatasetSpec) -> str:
    """Returns a line that says how many features are not drawn; "" if all are."""
    if spec.raw_features <= MOST_FEATURES:
        return ""
    return f"the first {MOST_FEATURES} of {spec.raw_features} features"


def as_read(raw: np.ndarray, spec: DatasetSpec) -> np.ndarray:
    """Returns a raw example as the sequence that the model reads, `[T, D]`, not normalised."""
    x = np.asarray(raw, np.float64)
    x = np.swapaxes(x, 0, 1) if spec.reading == "columns" else x
    values: np.ndarray = x.reshape(-1, spec.raw_features)
    return values[list(spec.order)] if spec.reading == "permuted" else values


def valid_steps(split: Split, index: int, spec: DatasetSpec) -> np.ndarray:
    """Returns an example without its padding, `[T, D]`."""
    x = split.x[index]
    return as_read(x if split.lengths is None else x[: split.lengths[index]], spec)


def sequences_figure(examples: Split, spec: DatasetSpec, titles: Sequence[str]) -> Figure:
    """Draws sequences beside each other, each with a panel for every feature.

    A feature has one scale in all sequences, unless the model scales each by itself. A missing
    value is a gap in the line; where a feature has no value at all, its panel says so.

    Args:
        examples: the sequences.
        spec: the spec of their data.
        titles: the title of each sequence.
    """
    names = feature_labels(spec)
    columns = min(COLUMNS, len(titles))
    rows = -(-len(titles) // columns)
    height = {1: 1.5, 2: 1.0, 3: 0.8}.get(len(names), 0.62)
    size = (max(3.4 * columns, 4.5), rows * (height * len(names) + 0.85) + 0.2)
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    sequences = [valid_steps(examples, i, spec)[:, : len(names)] for i in range(len(titles))]
    limits = _limits(np.concatenate(sequences))
    cells = np.atleast_2d(figure.subfigures(rows, columns, squeeze=False))
    for index, cell in enumerate(cells.flat):
        if index >= len(titles):
            continue
        panels = cell.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
        panels[0].set_title(titles[index], fontsize=8)
        x = sequences[index]
        for d, axes in enumerate(panels):
            draw_feature(axes, np.arange(1, len(x) + 1), x[:, d])
            axes.set_ylim(*(_limits(x) if spec.own_scale else limits)[d])
            axes.set_ylabel(names[d], fontsize=7, rotation=0, ha="right", va="center")
        cell.align_ylabels()
        panels[-1].set_xlabel("time step", fontsize=7)
        panels[-1].xaxis.set_major_locator(MaxNLocator(5, integer=True))
        panels[-1].set_xlim(0.5, len(x) + 0.5)
    if line := left_out(spec):
        figure.supxlabel(line, fontsize=8)
    return figure


def draw_feature(axes: Any, steps: np.ndarray, values: np.ndarray) -> None:
    """Draws the values of one feature as a line with gaps where they are missing.

    Args:
        axes: the panel.
        steps: `[T]`, the place of each time step on the horizontal axis.
        values: `[T]`, NaN where missing.
    """
    axes.plot(steps, values, color=LINE, linewidth=1.0)
    alone = isolated(values)  # a line through one point is not seen
    axes.plot(steps[alone], values[alone], ".", color=LINE, markersize=3)
    if not np.isfinite(values).any():
        place = {"transform": axes.transAxes, "ha": "center", "va": "center"}
        axes.text(0.5, 0.5, "no value", fontsize=7, color=MISSING, **place)
    axes.tick_params(labelsize=6)
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.grid(alpha=0.25)


def isolated(values: np.ndarray) -> np.ndarray:
    """Returns the indices of the values that have no neighbour, `[T]` of them at most.

    Example:
        >>> isolated(np.array([1.0, 2.0, np.nan, 3.0, np.nan])).tolist()
        [3]
    """
    known = np.concatenate([[False], np.isfinite(values), [False]])
    return np.flatnonzero(known[1:-1] & ~known[:-2] & ~known[2:])


def _limits(values: np.ndarray) -> list[tuple[float, float]]:
    """Returns the lower and upper end of the axis of each feature.

    Args:
        values: `[n, D]`, the values at all time steps of all sequences.
    """
    limits = []
    for column in values.T:
        known = column[np.isfinite(column)]
        low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
        margin = 0.06 * (high - low) or max(0.5, 0.1 * abs(high))
        limits.append((float(low - margin), float(high + margin)))
    return limits


def example_of_each_class(dataset: Dataset) -> Figure:
    """Draws the first test example of each class, of `MOST_CLASSES` classes at most.

    The title says if classes are left out.
    """
    spec, test = dataset.spec, dataset.test.take(np.arange(min(len(dataset.test), 4096)))
    first = [np.flatnonzero(test.y == y)[:1] for y in range(spec.num_classes)]
    chosen = test.take(np.concatenate(first)[:MOST_CLASSES].astype(np.int64))
    titles = [in_figure(spec.class_names[y]) for y in chosen.y]
    if chosen.ids is not None:
        titles = [
            f"{name}\n{in_figure(each)}" for name, each in zip(titles, chosen.ids, strict=True)
        ]
    figure = sequences_figure(chosen, spec, titles)
    if len(chosen) < spec.num_classes:
        figure.suptitle(f"{len(chosen)} of {spec.num_classes} classes", fontsize=8)
    return figure
