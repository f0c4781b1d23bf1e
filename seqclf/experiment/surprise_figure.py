"""`surprise_figure`: the beginning of a text, each token coloured by how much it surprised."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from seqclf.experiment.coloured_text import draw_text, rows_of, surprise_colours
from seqclf.experiment.figures import panels

ROWS = 6
MOST_BITS = 8.0  # of the colour scale


def surprise_figure(tokens: Sequence[str], log_probabilities: np.ndarray, of: str) -> Figure:
    """Draws tokens in rows, the darker the less probable the model held them.

    Args:
        tokens: the tokens, as text.
        log_probabilities: `[len(tokens)]`, the natural logarithm of the probability of each.
        of: what text it is, for the title.
    """
    bits = -np.asarray(log_probabilities) / np.log(2)
    figure, (axes,) = panels(1, width=9.5, height=0.36 * len(rows_of(tokens, ROWS)) + 0.8)
    axes.set_title(f"{of}: the surprise of each token, white 0 bits to {MOST_BITS:g}", size=9)
    draw_text(axes, tokens, surprise_colours(bits, MOST_BITS), ROWS)
    return figure
