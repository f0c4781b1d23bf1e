"""The example on the left of a figure of `explain`: an image, or a panel for each feature."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from seqclf.experiment.sequence_figures import (
    LINE,
    as_read,
    feature_labels,
    isolated,
    left_out,
)
from seqclf.inspection.stepwise import Inspection

UNIT = 3.1  # inches that a width of 1 stands for
HEIGHT = 4.4
FEATURE_WIDTH = 0.3  # of the panel of one feature among several, as a fraction of `UNIT`
WIDE_NAMES = 22  # characters of all names together that fit above their panels
SIDE_LABELS = {"columns": "column", "permuted": "row of pixels, in the order of reading"}


def beside_example(
    inspection: Inspection, title: str, width: float, widths: list[float]
) -> tuple[Figure, list[Any]]:
    """Returns a figure with the example drawn on its left, and the axes to its right.

    Time goes from top to bottom, alike in all axes.

    Args:
        inspection: what the classifier did with the example.
        title: the title of the example; the panels of features have the features' names instead.
        width: the width of an image or of a single feature; several features have panels of a fixed
            width.
        widths: the width of each of the axes to the right of the example.
    """
    spec = inspection.spec
    names = [] if spec.is_image else feature_labels(spec)
    panels = [width] if len(names) < 2 else [FEATURE_WIDTH] * len(names)
    figure = Figure(figsize=(UNIT * sum(panels + widths), HEIGHT), layout="constrained")
    ratios = panels + widths
    axes = list(figure.subplots(1, len(ratios), sharey=True, width_ratios=ratios, squeeze=False)[0])
    example = axes[: len(panels)]
    if spec.is_image:
        _draw_image(example[0], inspection)
        example[0].set_title(title)
        example[0].set_ylabel(SIDE_LABELS.get(spec.reading, "row"))
    else:
        _draw_features(example, inspection, names)
        example[0].set_ylabel("time step")
    example[0].set_ylim(*image_place(inspection, 1)["extent"][2:])
    return figure, axes[len(panels) :]


def _draw_image(axes: Any, inspection: Inspection) -> None:
    x = np.asarray(inspection.raw, np.float64)
    if inspection.spec.reading == "permuted":
        x = as_read(x, inspection.spec).reshape(x.shape)  # so that time goes downwards here, too
    if x.ndim == 3:
        x = x.mean(-1)
    x = x.T if inspection.spec.reading == "columns" else x
    extent = (-0.5, x.shape[1] - 0.5, *image_place(inspection, 1)["extent"][2:])
    axes.imshow(x, cmap="gray", aspect="auto", extent=extent, interpolation="nearest")
    axes.set_xticks([])


def _draw_features(panels: list[Any], inspection: Inspection, names: list[str]) -> None:
    """Draws one line for each feature, from top to bottom; a missing value is a gap."""
    x = as_read(inspection.raw, inspection.spec)
    steps = step_places(inspection)
    rotated = sum(map(len, names)) > WIDE_NAMES
    for axes, name, values in zip(panels, names, x.T, strict=False):
        axes.plot(values, steps, color=LINE, linewidth=1.0)
        alone = isolated(values)
        axes.plot(values[alone], steps[alone], ".", color=LINE, markersize=3)
        axes.set_title(name, fontsize=9, rotation=90 if rotated else 0)
        axes.xaxis.set_major_locator(MaxNLocator(2))
        axes.tick_params(axis="x", labelsize=7, rotation=90 if len(panels) > 1 else 0)
        axes.grid(alpha=0.25)
    panels[0].yaxis.set_major_locator(MaxNLocator(8, integer=True))
    if line := left_out(inspection.spec):
        panels[len(panels) // 2].set_xlabel(line, fontsize=8)


def step_places(inspection: Inspection) -> np.ndarray:
    """Returns the height of each time step, in rows of the example counted from 1, `[T]`."""
    T = len(inspection.probabilities)
    places: np.ndarray = (np.arange(T) + 0.5) / _steps_per_row(inspection) + 0.5
    return places


def image_place(inspection: Inspection, width: int) -> dict[str, Any]:
    """Returns the arguments of `imshow` that put a matrix `[T, width]` beside the example."""
    rows = len(inspection.probabilities) / _steps_per_row(inspection)
    extent = (-0.5, width - 0.5, rows + 0.5, 0.5)
    return {"aspect": "auto", "interpolation": "nearest", "extent": extent}


def _steps_per_row(inspection: Inspection) -> int:
    spec = inspection.spec
    return spec.raw_shape[1] if spec.is_image and spec.reading in ("pixels", "permuted") else 1
