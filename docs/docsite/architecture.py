"""The figure of docs/architecture.md: the stations of the flow, and who imports whom.

The rows of the second part are read from the import contract in pyproject.toml, which
`make check` holds the code to. So the figure cannot say something else than the code does.
"""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from docsite.figures import BLUE, ORANGE, panels

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
FLOW = (
    ("data", "examples\nand splits"),
    ("layers", "cells,\ngradients"),
    ("model", "classifier,\nlanguage model"),
    ("training", "steps,\ncheckpoints"),
    ("run", "folder with\nall results"),
    ("export", "SavedModel,\nchecked"),
    ("server", "REST\nand gRPC"),
    ("client", "asks for\npredictions"),
)
ABOUT = {
    "commands": "flags in, one call, a report out",
    "tuner": "searches",
    "comparison": "cells side by side",
    "api": "the same in Python",
    "inspection": "what a model does at each time step",
    "experiment": "from config to export, with report",
    "training": "step, loop, checkpoints",
    "serving": "export, server, client",
    "models": "classifier, language model",
    "data": "sources, splits, pipeline",
    "storage": "files, locks, run directory",
    "console": "flags, messages, signals",
    "config": "every number of a run",
    "client": "REST, by itself",
    "version": "of the package",
    "errors": "messages",
    "layers": "recurrent cells and layers",
}


def import_rows() -> list[list[str]]:
    """Returns the packages of seqclf from the top to the ground; a row is of equal rank."""
    tools = tomllib.loads(PYPROJECT.read_text("utf-8"))["tool"]
    (contract,) = (each for each in tools["importlinter"]["contracts"] if each["type"] == "layers")
    rows = [[name.strip() for name in row.split("|")] for row in contract["layers"]]
    return [["commands"], *rows[1:]]  # the first row has the modules of the commands


def stations() -> Figure:
    """Draws the flow from data to client, and below it the packages by who imports whom."""
    figure, (axes,) = panels(1, width=11.5, height=8.4)
    axes.set(xlim=(0, 23), ylim=(0, 16.6))
    axes.axis("off")
    axes.text(0.2, 16.1, "The way of the data", fontsize=13, weight="bold", va="center")
    for i, (name, about) in enumerate(FLOW):
        x = 0.2 + 2.86 * i
        _box(axes, x, 13.4, 2.3, 2.0, name, about, ORANGE)
        if i:
            arrow = {"arrowstyle": "-|>", "color": "black", "lw": 1.5}
            axes.annotate("", (x - 0.02, 14.4), (x - 0.54, 14.4), arrowprops=arrow)
    title = "Who imports whom: each row only those below it"
    axes.text(0.2, 12.5, title, fontsize=13, weight="bold", va="center")
    rows = import_rows()
    height = 11.8 / len(rows)
    for i, row in enumerate(rows):
        width = 21.6 / len(row)
        for j, name in enumerate(row):
            y = 11.9 - (i + 1) * height
            _box(axes, 1.2 + j * width, y, width - 0.2, height - 0.18, name, ABOUT[name], BLUE)
    arrow = {"arrowstyle": "-|>", "color": "black", "lw": 1.5}
    axes.annotate("", (0.6, 0.2), (0.6, 11.8), arrowprops=arrow)
    return figure


def _box(
    axes: Any, x: float, y: float, width: float, height: float, name: str, about: str, colour: str
) -> None:
    """Draws a box with a name and what it is about: below each other, or beside if it is flat."""
    shape = FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0,rounding_size=0.15")
    shape.set(facecolor="white", edgecolor=colour, linewidth=1.5)
    axes.add_patch(shape)
    middle = {"va": "center", "ha": "center"}
    if height > 1.5:
        axes.text(x + width / 2, y + 0.72 * height, name, weight="bold", fontsize=11, **middle)
        axes.text(x + width / 2, y + 0.33 * height, about, fontsize=9, **middle)
    else:
        text = f"{name}: {about}"
        axes.text(x + width / 2, y + height / 2, text, fontsize=10, **middle)
