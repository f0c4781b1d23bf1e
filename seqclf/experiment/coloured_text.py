"""Draws a text in rows, each token on a ground of its own colour."""

from collections.abc import Sequence
from typing import Any

import numpy as np

ROW = 60  # characters of a row
Colour = tuple[float, float, float]  # red, green and blue, 0 to 1


def rows_of(tokens: Sequence[str], most: int) -> list[list[int]]:
    """Returns the indices of the tokens of each row: as many rows as are needed, `most` at most.

    Args:
        tokens: the tokens, as text.
        most: the largest number of rows.
    """
    rows: list[list[int]] = [[]]
    width = 0
    for index, token in enumerate(tokens):
        if width + len(token) > ROW and rows[-1]:
            rows.append([])
            width = 0
        if len(rows) > most:
            break
        rows[-1].append(index)
        width += len(token)
    return rows[:most]


def draw_text(axes: Any, tokens: Sequence[str], colours: Sequence[Colour], most: int) -> None:
    """Draws tokens in rows; a line end is shown as ⏎ and a tabulator as →.

    Args:
        axes: matplotlib's axes, which are used for nothing else.
        tokens: the tokens, as text.
        colours: the colour of the ground of each token.
        most: the largest number of rows.
    """
    rows = rows_of(tokens, most)
    axes.set(xlim=(0, ROW), ylim=(len(rows), 0))
    axes.set_axis_off()
    for y, row in enumerate(rows):
        x = 0
        for index in row:
            shown = tokens[index].replace("\n", "⏎").replace("\t", "→")
            axes.fill_between([x, x + len(shown)], y, y + 1, color=colours[index], linewidth=0)
            for i, character in enumerate(shown):
                axes.text(
                    *(x + i + 0.5, y + 0.5, character),
                    ha="center",
                    va="center",
                    size=8,
                    family="monospace",
                    parse_math=False,
                )
            x += len(shown)


def surprise_colours(bits: np.ndarray, most: float) -> list[Colour]:
    """Returns white for no surprise, orange for `most` bits and more."""
    shades = np.clip(bits / most, 0, 1)
    return [(1.0, 1 - 0.62 * float(shade), 1 - float(shade)) for shade in shades]


def signed_colours(values: np.ndarray) -> list[Colour]:
    """Returns blue for -1, white for 0, orange for 1."""
    colours: list[Colour] = []
    for value in np.clip(values, -1, 1):
        shade = abs(float(value))
        if value > 0:
            colours.append((1.0, 1 - 0.45 * shade, 1 - 0.8 * shade))
        else:
            colours.append((1 - 0.75 * shade, 1 - 0.4 * shade, 1.0))
    return colours
