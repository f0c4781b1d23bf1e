"""The figures of `explain`: time steps from top to bottom, beside the example itself."""

import textwrap
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from seqclf.console.names_in_text import in_figure
from seqclf.experiment.figures import BLUE, ORANGE
from seqclf.inspection.example_panels import beside_example, image_place, step_places
from seqclf.inspection.gradient_flow import GradientFlow, LayerFlow
from seqclf.inspection.stepwise import Inspection, looks_ahead, memory_in_steps

LONGEST_MEMORIES = 5  # with more lines the figure cannot be read
SMALLEST = float(np.finfo(np.float32).tiny)  # stands for 0, which a log scale cannot show
COLOURS = (BLUE, ORANGE, "#3a8f4d", "#8a4fb0")
STYLES = {  # line style of each block of a kernel; gates with like tasks have like styles
    "candidate": "-",
    "update_gate": ":",
    "forget_gate": ":",
    "reset_gate": "--",
    "input_gate": "--",
    "output_gate": "-.",
}


def predictions_by_step(inspection: Inspection) -> Figure:
    """Draws the example beside the probability of each class after each of its time steps."""
    names = [in_figure(name) for name in inspection.spec.class_names]
    title = "what is read,\nfrom top to bottom"
    figure, (classes, final) = beside_example(inspection, title, 1.0, [1.15, 0.75])
    place = image_place(inspection, len(names))
    image = classes.imshow(inspection.probabilities, vmin=0, vmax=1, **place)
    classes.set_xticks(range(len(names)), names, rotation=90 if max(map(len, names)) > 3 else 0)
    classes.set_title("probability of each class\nif the sequence ended here")
    if ahead := looks_ahead(inspection.spec):
        figure.supxlabel("\n".join(textwrap.wrap(ahead, 70)), fontsize=8)
    figure.colorbar(image, ax=classes, shrink=0.6, pad=0.02)
    y = step_places(inspection)
    final.plot(100 * inspection.probabilities[:, inspection.predicted_class], y, color=BLUE)
    final.set_xlim(-3, 103)
    final.set_xlabel("%")
    final.grid(alpha=0.25)
    style = {"color": ORANGE, "linestyle": ":", "label": "final from here on"}
    final.axhline(y[inspection.settled_step - 1], **style)
    final.legend(fontsize=8)
    final.set_title(f"of the answer,\n{names[inspection.predicted_class]}")
    return figure


def gates_by_step(inspection: Inspection, layer: int) -> Figure:
    """Draws the gates and the states of a layer, with a column for each unit.

    The unit with the longest memory is on the left. The units of a cell without a gate for its past
    keep their order.

    Args:
        inspection: what the classifier did with the example.
        layer: index of the recurrent layer, from 0.
    """
    traced = inspection.layers[layer]
    maps = {**traced.gates, "candidate": traced.candidate, **traced.states}
    figure, rest = beside_example(inspection, "what is read", 0.8, [1.0] * len(maps))
    H = traced.state.shape[1]
    order = np.arange(H)
    if traced.kept is not None:
        order = np.argsort(-memory_in_steps(traced.kept), kind="stable")
    for axes, (name, values) in zip(rest, maps.items(), strict=True):
        gate = name in traced.gates
        bound = max(1.0, float(np.abs(values).max()))  # a cell state may leave -1 to 1
        style = {"vmin": 0, "vmax": 1} if gate else {"vmin": -bound, "vmax": bound, "cmap": "RdBu"}
        image = axes.imshow(values[:, order], **style, **image_place(inspection, H))
        axes.set_title(_in_words(name))
        axes.set_xlabel("unit" if traced.kept is None else "unit, by its memory")
        figure.colorbar(image, ax=axes, shrink=0.6, pad=0.02)
    return figure


def longest_memories(inspection: Inspection, layer: int) -> Figure | None:
    """Draws the units of a layer that remember for the longest time.

    Args:
        inspection: what the classifier did with the example.
        layer: index of the recurrent layer, from 0.

    Returns:
        The figure; None for a cell that has no gate for its past.
    """
    traced = inspection.layers[layer]
    if traced.kept is None:
        return None
    memories = memory_in_steps(traced.kept)  # [H]
    units = np.argsort(-memories, kind="stable")[:LONGEST_MEMORIES]
    figure, (kept, state) = beside_example(inspection, "what is read", 0.8, [1.2, 1.2])
    y, shades = step_places(inspection), np.linspace(0.0, 0.85, len(units))
    for unit, shade in zip(units, shades, strict=True):
        colour = colormaps["viridis"](shade)
        steps = "∞" if np.isinf(memories[unit]) else f"{memories[unit]:.1f}"
        kept.plot(traced.kept[:, unit], y, color=colour, label=f"unit {unit}: {steps} steps")
        state.plot(traced.state[:, unit], y, color=colour)
    kept.set_title("fraction of its past\nthat a unit keeps")
    kept.set_xlim(-0.03, 1.03)
    figure.legend(loc="outside right upper", fontsize=8, frameon=False, title="memory")
    state.set_title("its state")
    state.set_xlim(-1.05, 1.05)
    for axes in (kept, state):
        axes.grid(alpha=0.25)
    return figure


def gradient_flows(flows: dict[str, GradientFlow], clip_norm: float, title: str = "") -> Figure:
    """Draws ‖∂L/∂s_t‖, ‖∂s_T/∂s_t‖ and singular values, a row for each layer.

    Args:
        flows: gradient flows by name, of models with the same number of layers; each has a colour.
        clip_norm: norm that the gradient is clipped to, shown by dashed lines; 0: no clipping.
        title: title of the whole figure.
    """
    depth = max(len(flow.layers) for flow in flows.values())
    figure = Figure(figsize=(12, 3.3 * depth), layout="constrained")
    grid = figure.subplots(depth, 3, squeeze=False)
    for i, (loss, jacobian, values) in enumerate(grid):
        for (name, flow), colour in zip(flows.items(), COLOURS, strict=False):
            layer = flow.layers[i]
            _draw_loss_gradient(loss, layer, flow.clipping(clip_norm), name, colour)
            norms = np.maximum(layer.jacobian, SMALLEST)
            jacobian.plot(layer.jacobian_steps, norms, color=colour)
            _draw_singular_values(values, layer, colour)
        place = f", layer {i + 1}" if depth > 1 else ""
        loss.set_title(f"gradient of the loss, ‖∂L/∂$s_t$‖{place}", fontsize=10)
        jacobian.set_title(f"of the last state, ‖∂$s_T$/∂$s_t$‖{place}", fontsize=10)
        values.set_title(f"singular values of the recurrent kernel{place}", fontsize=10)
        for axes in (loss, jacobian):
            axes.set_yscale("log")
            axes.set_xlabel("step t")
        values.set_xlabel("rank, as a fraction of the units")
        for axes in (loss, jacobian, values):
            axes.grid(alpha=0.25)
    legend = grid[0][0].get_legend_handles_labels()[0]
    if any(flow.clipping(clip_norm) < 1 for flow in flows.values()):
        label = f"clipped to {clip_norm:g}"
        legend.append(Line2D([], [], color="grey", linestyle="--", label=label))
    grid[0][0].legend(handles=legend, fontsize=8, framealpha=0.7)
    grid[0][2].legend(handles=_block_legend(flows), frameon=False, fontsize=8)
    if title:
        figure.suptitle(in_figure(title, longest=100))
    return figure


def _draw_loss_gradient(
    axes: Any, layer: LayerFlow, clipping: float, name: str, colour: str
) -> None:
    steps = np.arange(1, len(layer.loss) + 1)
    axes.plot(steps, np.maximum(layer.loss, SMALLEST), color=colour, label=name)
    if clipping < 1:
        axes.plot(steps, np.maximum(clipping * layer.loss, SMALLEST), "--", color=colour)


def _draw_singular_values(axes: Any, layer: LayerFlow, colour: str) -> None:
    for block, values in layer.singular_values.items():
        rank = np.arange(1, len(values) + 1) / len(values)
        axes.plot(rank, values, STYLES[block], color=colour, linewidth=1.2)


def _block_legend(flows: dict[str, GradientFlow]) -> list[Line2D]:
    """Returns the legend of the line styles, one for each block of the recurrent kernels."""
    drawn = {block for flow in flows.values() for block in flow.layers[0].singular_values}
    blocks_of: dict[str, list[str]] = {}
    for block, style in STYLES.items():
        if block in drawn:
            blocks_of.setdefault(style, []).append(_in_words(block))
    return [
        Line2D([], [], color="grey", linestyle=style, label=", ".join(blocks))
        for style, blocks in blocks_of.items()
    ]


def _in_words(name: str) -> str:
    return name.replace("_", " ")
