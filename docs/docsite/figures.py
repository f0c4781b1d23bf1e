"""What the drawn figures of the docs share: colours, panels, and how a file is written."""

from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

BLUE, ORANGE, PURPLE, GREY = "#2a6fbb", "#d9641e", "#7a4fa3", "#c4c4c4"


def panels(count: int, width: float, height: float) -> tuple[Figure, Any]:
    """Returns a figure and its panels, side by side, each of a size in inches."""
    figure = Figure(figsize=(count * width, height), layout="constrained")
    FigureCanvasSVG(figure)
    return figure, figure.subplots(1, count, squeeze=False)[0]


def save(figure: Figure, path: Path) -> None:
    """Writes a figure as SVG. The same figure gives the same file, whenever it is drawn."""
    with matplotlib.rc_context({"svg.hashsalt": "seqclf", "svg.fonttype": "path"}):
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
