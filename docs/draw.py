"""Draws the figures of the docs that no measurement is in: `python docs/draw.py`.

It writes them to docs/images, and prints the table of docs/switches.md.
"""

import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from docsite import architecture, circuits, flow, switches
from docsite.figures import save
from matplotlib.figure import Figure

from seqclf.console.tensorflow_start import start_quietly

IMAGES = Path(__file__).resolve().parent / "images"
FIGURES: dict[str, Callable[[], Figure]] = {
    "architecture": architecture.stations,
    **{f"switches_{cell}": lambda cell=cell: circuits.circuit(cell) for cell in circuits.DRAWN},
    "gradient_factors": flow.factors,
    "gradient_clipping": flow.clipping,
}


def main(folder: Path = IMAGES) -> None:
    """Draws all figures into a folder."""
    start_quietly()
    for name, draw in FIGURES.items():
        save(draw(), folder / f"{name}.svg")


if __name__ == "__main__":
    main()
    print(switches.table())
