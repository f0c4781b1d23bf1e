"""The cells as circuits: a gate is a switch, and wires carry the past, the input, or nothing."""

from typing import Any

from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch

from docsite.figures import BLUE, GREY, ORANGE, PURPLE
from docsite.switches import SETTINGS, Outcome, Setting, outcome

COLOURS = {(0, 0): GREY, (1, 0): BLUE, (0, 1): ORANGE, (1, 1): PURPLE}  # (the past, the input)
NOTHING, PAST, INPUT = (0, 0), (1, 0), (0, 1)


def circuit(cell: str) -> Figure:
    """Draws a cell once for each of its settings, with the numbers that seqclf's cell gives."""
    settings = [each for each in SETTINGS if each.cell == cell]
    top = 4.8 if cell == "rnn" else 6.6
    figure = Figure(figsize=(3.3 * len(settings), 0.33 * (top + 3.6)))
    FigureCanvasSVG(figure)
    for i, setting in enumerate(settings):
        axes = figure.add_axes((i / len(settings), 0, 1 / len(settings), 1))
        axes.set(xlim=(-0.4, 10.3), ylim=(-2, top + 1.6))
        axes.axis("off")
        board = Board(axes)
        DRAWN[cell](board, setting.gates)
        board.text(5, top + 0.9, setting.name, weight="bold")
        board.text(5, top + 0.1, setting.becomes)
        board.text(5, -1.1, _numbers(setting, outcome(setting)), linespacing=1.5)
    return figure


def _numbers(setting: Setting, found: Outcome) -> str:
    letter = "c" if setting.cell == "lstm" else "h"
    memory = "  ".join(f"{value:.2f}" for value in found.memory)
    lines = [f"{letter}₁ … {letter}₅ =  {memory}", f"∂{letter}₅/∂{letter}₀ = {found.gradient:.3f}"]
    return "\n".join(lines)


class Board:
    """Axes on which parts of a circuit are drawn. Points are (x, y)."""

    def __init__(self, axes: Any):
        self.axes = axes

    def wire(
        self, carries: tuple[int, int], *points: tuple[float, float], end: bool = False
    ) -> None:
        """Draws a wire through points, with an arrow head at its end."""
        colour, live = COLOURS[carries], carries != NOTHING
        style = {"color": colour, "linewidth": 2.6 if live else 1.4, "zorder": 2 if live else 1}
        self.axes.plot(*zip(*points, strict=True), solid_capstyle="round", **style)
        if end:
            arrow = {"arrowstyle": "-|>", "color": colour, "lw": style["linewidth"]}
            self.axes.annotate("", points[-1], points[-2], arrowprops=arrow, zorder=style["zorder"])

    def box(self, x: float, y: float, text: str, live: bool = True) -> None:
        """Draws a box with a function in it."""
        edge = "black" if live else GREY
        shape = FancyBboxPatch(
            (x - 0.72, y - 0.42), 1.44, 0.84, boxstyle="round,pad=0,rounding_size=0.15"
        )
        shape.set(facecolor="white", edgecolor=edge, zorder=4)
        self.axes.add_patch(shape)
        self.text(x, y, text, edge)

    def plus(self, x: float, y: float, live: bool = True) -> None:
        """Draws a place where two wires are added."""
        edge = "black" if live else GREY
        self.axes.add_patch(Circle((x, y), 0.34, facecolor="white", edgecolor=edge, zorder=4))
        self.text(x, y, "+", edge)

    def text(self, x: float, y: float, text: str, colour: str = "black", **more: Any) -> None:
        """Writes a text around a point."""
        style = {"ha": "center", "va": "center", "fontsize": 10, "zorder": 6, **more}
        self.axes.text(x, y, text, color=colour, **style)

    def switch(
        self, a: tuple[float, float], b: tuple[float, float], closed: int, label: str
    ) -> None:
        """Draws a switch between two contacts, open or closed, with its gate's letter."""
        (x0, y0), (x1, y1) = a, b
        tip = (
            b
            if closed
            else (x1 - 0.35 * (x1 - x0) - 0.6 * (y1 - y0), y1 - 0.35 * (y1 - y0) + 0.6 * (x1 - x0))
        )
        self._contacts(a, b)
        self.axes.plot([x0, tip[0]], [y0, tip[1]], color="black", linewidth=2.2, zorder=5)
        below = x1 != x0  # the label is below a level switch, and to the right of an upright one
        self.text((x0 + x1) / 2 + (not below) * 0.75, (y0 + y1) / 2 - below * 0.55, label)

    def changeover(
        self,
        common: tuple[float, float],
        upper: tuple[float, float],
        lower: tuple[float, float],
        up: bool,
        label: str,
    ) -> None:
        """Draws a switch that connects `common` with one of two contacts."""
        self._contacts(common, upper, lower)
        x, y = upper if up else lower
        self.axes.plot([common[0], x], [common[1], y], color="black", linewidth=2.2, zorder=5)
        self.text(common[0] + 0.55, common[1] + 0.75, label)

    def _contacts(self, *points: tuple[float, float]) -> None:
        for point in points:
            self.axes.add_patch(Circle(point, 0.12, facecolor="white", edgecolor="black", zorder=6))


def _mixed(*carried: tuple[int, int]) -> tuple[int, int]:
    """Returns what a wire carries behind a place where wires are added."""
    return max(each[0] for each in carried), max(each[1] for each in carried)


def _input(board: Board, x: float, y: float, live: bool = True) -> None:
    """Draws the way of x_t, through w, up to a sum at (x, y)."""
    board.wire(INPUT if live else NOTHING, (x, 0.35), (x, y - 0.34))
    board.box(x, 1.2, "× w", live)
    board.text(x, 0.1, "$x_t$", ORANGE)


def _rnn(board: Board, gates: dict[str, int]) -> None:
    del gates
    board.text(0.35, 3.2, "$h_{t-1}$", BLUE)
    board.wire(PAST, (0.9, 3.2), (4.2, 3.2))
    board.box(2.4, 3.2, "× u")
    board.plus(4.2, 3.2)
    _input(board, 4.2, 3.2)
    board.wire((1, 1), (4.5, 3.2), (9.1, 3.2), end=True)
    board.box(6.4, 3.2, "tanh")
    board.text(9.6, 3.2, "$h_t$", PURPLE)


def _with_changeover(
    board: Board, kept: int, seen: int, names: tuple[str, str], before: bool
) -> None:
    """Draws a MGU or a GRU: one switch chooses past or candidate, one what the candidate sees.

    Args:
        board: where it is drawn.
        kept: whether the past is what becomes the new state.
        seen: whether the candidate sees the past.
        names: the letters of the two gates.
        before: whether the second switch is before the product with u.
    """
    lower = 2.6
    reached = NOTHING if kept else PAST  # up to the second switch, and behind it
    recurrent = reached if seen else NOTHING
    new = NOTHING if kept else _mixed(recurrent, INPUT)
    board.text(0.35, 5.2, "$h_{t-1}$", BLUE)
    board.wire(PAST, (0.9, 5.2), (1.2, 5.2))
    board.wire(PAST if kept else NOTHING, (1.2, 5.2), (7.4, 5.2))
    first, second, box = (1.7, 2.6, 3.7) if before else (3.0, 3.9, 2.1)
    board.wire(reached, (1.2, 5.2), (1.2, lower), (first, lower))
    board.wire(recurrent, (second, lower), (5.0, lower))
    board.box(box, lower, "× u", (recurrent if before else reached) != NOTHING)
    board.switch((first, lower), (second, lower), seen, names[1])
    board.plus(5.0, lower, not kept)
    _input(board, 5.0, lower, not kept)
    board.wire(new, (5.3, lower), (7.4, lower))
    board.box(6.3, lower, "tanh", not kept)
    board.wire(PAST if kept else new, (8.4, 3.9), (9.3, 3.9), end=True)
    board.changeover((8.4, 3.9), (7.4, 5.2), (7.4, lower), bool(kept), names[0])
    board.text(9.7, 3.9, "$h_t$", COLOURS[PAST if kept else new])


def _mgu(board: Board, gates: dict[str, int]) -> None:
    f = gates["f"]
    _with_changeover(board, 1 - f, f, (f"f = {f}", f"f = {f}"), before=True)


def _gru(board: Board, gates: dict[str, int]) -> None:
    z, r = gates["z"], gates["r"]
    _with_changeover(board, z, r, (f"z = {z}", f"r = {r}"), before=False)


def _lstm(board: Board, gates: dict[str, int]) -> None:
    i, f, o = gates["i"], gates["f"], gates["o"]
    upper, lower = 5.2, 2.6
    candidate = (1, 1) if i else NOTHING
    kept = PAST if f else NOTHING
    cell = _mixed(candidate, kept)
    shown = cell if o else NOTHING
    board.text(0.35, upper, "$c_{t-1}$", BLUE)
    board.wire(PAST, (0.9, upper), (1.6, upper))
    board.wire(kept, (2.6, upper), (5.9, upper))
    board.switch((1.6, upper), (2.6, upper), f, f"f = {f}")
    board.plus(5.9, upper)
    board.text(0.35, lower, "$h_{t-1}$", BLUE)
    board.wire(PAST if i else NOTHING, (0.9, lower), (3.0, lower))
    board.box(1.7, lower, "× u", bool(i))
    board.plus(3.0, lower, bool(i))
    _input(board, 3.0, lower, bool(i))
    board.wire(candidate, (3.3, lower), (5.9, lower), (5.9, 3.2))
    board.box(4.4, lower, "tanh", bool(i))
    board.wire(candidate, (5.9, 4.1), (5.9, upper - 0.34))
    board.switch((5.9, 3.2), (5.9, 4.1), i, f"i = {i}")
    board.wire(cell, (6.2, upper), (9.2, upper), end=True)
    board.text(9.6, upper, "$c_t$", COLOURS[cell])
    board.wire(cell, (8.0, upper), (8.0, 3.2))
    board.box(8.0, 4.2, "tanh")
    board.wire(shown, (8.0, 2.3), (8.0, 1.6), (9.2, 1.6), end=True)
    board.switch((8.0, 3.2), (8.0, 2.3), o, f"o = {o}")
    board.text(9.6, 1.6, "$h_t$", COLOURS[shown])


DRAWN = {"rnn": _rnn, "mgu": _mgu, "gru": _gru, "lstm": _lstm}
