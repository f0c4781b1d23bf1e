"""The figures of `explain`. Steps go down in all of them, beside the example that was read."""

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from seqclf.experiment.figures import BLUE, ORANGE
from seqclf.inspection.gradient_flow import GradientFlow
from seqclf.inspection.reading import Reading, memory

LONGEST_MEMORIES = 5  # more lines than that are a tangle
COLOURS = (BLUE, ORANGE, "#3a8f4d", "#8a4fb0")
STYLES = {  # of the blocks of recurrent kernels: gates of different cells that do alike look alike
    "candidate": "-",
    "update_gate": ":",
    "forget_gate": ":",
    "reset_gate": "--",
    "input_gate": "--",
    "output_gate": "-.",
}


def answers_by_step(reading: Reading) -> Figure:
    """Draws the example beside the probability of each class after each of its steps."""
    names = reading.spec.class_names
    figure, (example, classes, sure) = _beside(reading, [1.0, 1.15, 0.75])
    image = classes.imshow(reading.probabilities, vmin=0, vmax=1, **_place(reading, len(names)))
    classes.set_xticks(range(len(names)), names, rotation=90 if max(map(len, names)) > 3 else 0)
    classes.set_title("probability of each class\nif the sequence ended here")
    figure.colorbar(image, ax=classes, shrink=0.6, pad=0.02)
    y = _rows(reading)
    sure.plot(100 * reading.probabilities[:, reading.answer], y, color=BLUE)
    sure.set_xlim(-3, 103)
    sure.set_xlabel("%")
    sure.grid(alpha=0.25)
    final = {"color": ORANGE, "linestyle": ":", "label": "final from here on"}
    sure.axhline(y[reading.settled - 1], **final)
    sure.legend(fontsize=8)
    sure.set_title(f"of the answer,\n{names[reading.answer]}")
    example.set_title("what is read,\nfrom top to bottom")
    return figure


def gates_by_step(reading: Reading, layer: int) -> Figure:
    """Draws the gates and the states of a layer, from 0: one column a unit.

    Units are in the order in which they keep the past, the longest on the left, or, of a cell that
    has no gate for it, as they are.
    """
    traced = reading.layers[layer]
    maps = {**traced.gates, "candidate": traced.candidate, **traced.states}
    figure, (example, *rest) = _beside(reading, [0.8] + [1.0] * len(maps))
    H = traced.state.shape[1]
    order = np.arange(H) if traced.kept is None else np.argsort(-memory(traced.kept), kind="stable")
    for axes, (name, values) in zip(rest, maps.items(), strict=True):
        gate = name in traced.gates
        bound = max(1.0, float(np.abs(values).max()))  # a cell state may leave -1 to 1
        style = {"vmin": 0, "vmax": 1} if gate else {"vmin": -bound, "vmax": bound, "cmap": "RdBu"}
        image = axes.imshow(values[:, order], **style, **_place(reading, H))
        axes.set_title(_spoken(name))
        axes.set_xlabel("unit" if traced.kept is None else "unit, by its memory")
        figure.colorbar(image, ax=axes, shrink=0.6, pad=0.02)
    example.set_title("what is read")
    return figure


def longest_memories(reading: Reading, layer: int) -> Figure | None:
    """Draws the units of a layer, from 0, that keep the past the longest; None without a gate."""
    traced = reading.layers[layer]
    if traced.kept is None:
        return None
    lasts = memory(traced.kept)  # [H], steps
    units = np.argsort(-lasts, kind="stable")[:LONGEST_MEMORIES]
    figure, (example, kept, state) = _beside(reading, [0.8, 1.2, 1.2])
    y, shades = _rows(reading), np.linspace(0.0, 0.85, len(units))
    for unit, shade in zip(units, shades, strict=True):
        colour = colormaps["viridis"](shade)
        steps = "∞" if np.isinf(lasts[unit]) else f"{lasts[unit]:.1f}"
        kept.plot(traced.kept[:, unit], y, color=colour, label=f"unit {unit}: {steps} steps")
        state.plot(traced.state[:, unit], y, color=colour)
    kept.set_title("share of its past\nthat a unit keeps")
    kept.set_xlim(-0.03, 1.03)
    figure.legend(loc="outside right upper", fontsize=8, frameon=False, title="memory")
    state.set_title("its state")
    state.set_xlim(-1.05, 1.05)
    for axes in (kept, state):
        axes.grid(alpha=0.25)
    example.set_title("what is read")
    return figure


def gradient_flows(flows: dict[str, GradientFlow], clip_norm: float, title: str = "") -> Figure:
    """Draws ‖∂L/∂s_t‖, ‖∂s_T/∂s_t‖ and singular values, one row a layer, one colour a flow.

    Args:
        flows: by name, of models with as many layers.
        clip_norm: dashed lines show what is left of the gradient after clipping to it; 0: none.
        title: over all.
    """
    depth = max(len(flow.layers) for flow in flows.values())
    figure = Figure(figsize=(12, 3.3 * depth), layout="constrained")
    grid = figure.subplots(depth, 3, squeeze=False)
    for i, (loss, jacobian, values) in enumerate(grid):
        for (name, flow), colour in zip(flows.items(), COLOURS, strict=False):
            _flow_row(loss, jacobian, values, name, flow, i, clip_norm, colour)
        place = f", layer {i + 1}" if depth > 1 else ""
        loss.set_title(f"gradient of the loss, ‖∂L/∂$s_t$‖{place}", fontsize=10)
        jacobian.set_title(f"of the last state, ‖∂$s_T$/∂$s_t$‖{place}", fontsize=10)
        values.set_title(f"singular values of the recurrent kernel{place}", fontsize=10)
        for axes in (loss, jacobian):
            axes.set_yscale("log")
            axes.set_xlabel("step t")
        values.set_xlabel("rank, as a share of the units")
        for axes in (loss, jacobian, values):
            axes.grid(alpha=0.25)
    key = grid[0][0].get_legend_handles_labels()[0]
    if any(flow.clipping(clip_norm) < 1 for flow in flows.values()):
        key.append(Line2D([], [], color="grey", linestyle="--", label=f"clipped to {clip_norm:g}"))
    grid[0][0].legend(handles=key, fontsize=8, framealpha=0.7)
    grid[0][2].legend(handles=_block_key(flows), frameon=False, fontsize=8)
    if title:
        figure.suptitle(title)
    return figure


def _flow_row(
    loss: Any,
    jacobian: Any,
    values: Any,
    name: str,
    flow: GradientFlow,
    index: int,
    clip_norm: float,
    colour: str,
) -> None:
    layer = flow.layers[index]
    steps = np.arange(1, len(layer.loss) + 1)
    floor = np.finfo(np.float32).tiny  # what vanished altogether has no place on a log scale
    loss.plot(steps, np.maximum(layer.loss, floor), color=colour, label=name)
    factor = flow.clipping(clip_norm)
    if factor < 1:
        clipped = np.maximum(factor * layer.loss, floor)
        loss.plot(steps, clipped, "--", color=colour)
    jacobian.plot(layer.jacobian_steps, np.maximum(layer.jacobian, floor), color=colour)
    for block, singular in layer.singular_values.items():
        share = np.arange(1, len(singular) + 1) / len(singular)
        values.plot(share, singular, STYLES[block], color=colour, linewidth=1.2)


def _block_key(flows: dict[str, GradientFlow]) -> list[Line2D]:
    """Returns what to say of the line styles of the recurrent kernels' blocks."""
    drawn = {block for flow in flows.values() for block in flow.layers[0].singular_values}
    blocks_of: dict[str, list[str]] = {}
    for block, style in STYLES.items():
        if block in drawn:
            blocks_of.setdefault(style, []).append(_spoken(block))
    return [
        Line2D([], [], color="grey", linestyle=style, label=", ".join(blocks))
        for style, blocks in blocks_of.items()
    ]


def _beside(reading: Reading, widths: list[float]) -> tuple[Figure, list[Any]]:
    """Returns a figure and its axes, side by side, the first with the example that was read."""
    figure = Figure(figsize=(3.1 * sum(widths), 4.4), layout="constrained")
    axes = figure.subplots(1, len(widths), sharey=True, width_ratios=widths)
    place = _place(reading, 1)["extent"]
    example = _shown(reading)  # [T or rows, columns]
    if example.shape[1] == 1 and len(example) == len(reading.probabilities):  # a single feature
        axes[0].plot(example[:, 0], _rows(reading), color="black", linewidth=0.9)
    else:
        extent = (-0.5, example.shape[1] - 0.5, *place[2:])
        axes[0].imshow(example, cmap="gray", aspect="auto", extent=extent, interpolation="nearest")
        axes[0].set_xticks([])
    axes[0].set_ylim(*place[2:])
    unit = {"rows": "row", "columns": "column", "pixels": "row"}[reading.spec.reading]
    axes[0].set_ylabel(unit if reading.spec.is_image else "step")
    return figure, list(axes)


def _shown(reading: Reading) -> np.ndarray:
    """Returns the example as a matrix whose rows are read one after the other."""
    x = np.asarray(reading.raw, np.float64)
    if x.ndim == 3:
        x = x.mean(-1)
    x = x.T if reading.spec.reading == "columns" else x
    return x.reshape(len(x), -1)


def _rows(reading: Reading) -> np.ndarray:
    """Returns where each step lies from top to bottom, in rows of the example from 1, `[T]`."""
    return (np.arange(len(reading.probabilities)) + 0.5) / _steps_per_row(reading) + 0.5


def _place(reading: Reading, width: int) -> dict[str, Any]:
    """Returns how a matrix `[T, width]` is drawn beside the example."""
    rows = len(reading.probabilities) / _steps_per_row(reading)
    extent = (-0.5, width - 0.5, rows + 0.5, 0.5)
    return {"aspect": "auto", "interpolation": "nearest", "extent": extent}


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _steps_per_row(reading: Reading) -> int:
    return reading.spec.raw_shape[1] if reading.spec.reading == "pixels" else 1
