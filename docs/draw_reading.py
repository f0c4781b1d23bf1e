"""Draws the moving picture of README, in which a GRU reads digits row by row.

    python -m seqclf.train --config=configs/mnist_fast.py --workdir=runs/mnist_fast
    python docs/draw_reading.py runs/mnist_fast docs/images/reading.gif

Beside the rows that have been read stand the probabilities of all classes as they are then. The
digits are those samples of the run whose prediction changes most often while they are read.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from seqclf.experiment.samples import samples_for_inspection
from seqclf.inspection.inputs import load_inputs
from seqclf.inspection.stepwise import Inspection, inspect_examples
from seqclf.models.loading import load_trained
from seqclf.storage.run_directory import Run

DIGITS = 3
ROW_MS, LAST_MS = 110, 1600  # how long a frame is shown
WIDTH, HEIGHT, DPI = 6.4, 2.6, 100  # inches
SURE, OTHER, UNREAD = "#c2410c", "#94a3b8", "#eef2f7"


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    run = Run(sys.argv[1])
    model, spec = load_trained(run)
    paths = map(str, samples_for_inspection(run))
    raw = np.concatenate([x for path in paths for _, x, *_ in load_inputs(path, spec)])
    inspections = inspect_examples(model, spec, raw)
    inspections.sort(key=changes, reverse=True)
    frames, times = [], []
    for inspection in inspections[:DIGITS]:
        steps = len(inspection.probabilities)
        frames += [frame(inspection, step) for step in range(1, steps + 1)]
        times += [ROW_MS] * (steps - 1) + [LAST_MS]
    path = Path(sys.argv[2])
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=times, loop=0)
    print(f"{path}: {len(frames)} frames, {path.stat().st_size / 1024:.0f} KiB")


def changes(inspection: Inspection) -> int:
    """Returns how often the predicted class changes while the example is read."""
    return int(np.count_nonzero(np.diff(inspection.probabilities.argmax(-1))))


def frame(inspection: Inspection, step: int) -> Image.Image:
    """Draws what has been read after `step` rows, and the prediction then."""
    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    picture, bars = figure.subplots(1, 2, width_ratios=(1, 1.7))
    raw = inspection.raw.reshape(inspection.raw.shape[:2]).astype(float)
    seen = np.where(np.arange(len(raw))[:, None] < step, raw, np.nan)
    picture.set_facecolor(UNREAD)
    picture.imshow(seen, cmap="gray_r", vmin=0, vmax=raw.max())
    picture.axhline(step - 0.5, color=SURE, linewidth=1.5)
    picture.set(xticks=[], yticks=[], title=f"row {step} of {len(raw)}")
    probabilities = inspection.probabilities[step - 1]
    best = probabilities.argmax()
    colours = [SURE if i == best else OTHER for i in range(len(probabilities))]
    bars.bar(inspection.spec.class_names, probabilities, color=colours)
    bars.set(ylim=(0, 1), yticks=[0, 0.5, 1], title="probability of each class so far")
    bars.spines[["top", "right"]].set_visible(False)
    figure.canvas.draw()
    image = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")
    return image.quantize(32, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main()
