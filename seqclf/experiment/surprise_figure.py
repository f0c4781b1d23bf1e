"""`surprise_figure`: the beginning of a text, each token coloured by how much it surprised."""

import numpy as np
from matplotlib.figure import Figure

from seqclf.experiment.figures import panels

ROW, ROWS = 60, 6  # characters of a row, and rows
MOST_BITS = 8.0  # of the colour scale


def surprise_figure(tokens: list[str], log_probabilities: np.ndarray) -> Figure:
    """Draws tokens in rows, the darker the less probable the model held them.

    Args:
        tokens: the tokens, as text.
        log_probabilities: `[len(tokens)]`, the natural logarithm of the probability of each.
    """
    rows: list[list[tuple[str, float]]] = [[]]
    width = 0
    for token, log_probability in zip(tokens, log_probabilities, strict=True):
        shown = token.replace("\n", "⏎").replace("\t", "→")
        if width + len(shown) > ROW:
            rows.append([])
            width = 0
        if len(rows) > ROWS:
            break
        rows[-1].append((shown, -float(log_probability) / np.log(2)))
        width += len(shown)
    rows = rows[:ROWS]
    figure, (axes,) = panels(1, width=9.5, height=0.36 * len(rows) + 0.8)
    axes.set(xlim=(0, ROW), ylim=(len(rows), 0))
    axes.set_axis_off()
    axes.set_title(f"test text; the colour is the surprise, 0 to {MOST_BITS:g} bits", size=9)
    for y, row in enumerate(rows):
        x = 0
        for shown, bits in row:
            shade = min(bits / MOST_BITS, 1.0)
            axes.axvspan(
                *(x, x + len(shown), 1 - (y + 1) / len(rows), 1 - y / len(rows)),
                color=(1.0, 1 - 0.62 * shade, 1 - shade),
                linewidth=0,
            )
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
    return figure
