"""The files that `explain` writes for an example and for a run: figures and numbers."""

import math
from pathlib import Path
from typing import Any

import keras
import numpy as np

from seqclf.data.dataset import Dataset
from seqclf.data.normalization import as_sequences
from seqclf.experiment.figures import save_figure
from seqclf.inspection import figures
from seqclf.inspection.gradient_flow import GradientFlow, gradient_flow
from seqclf.inspection.stepwise import Inspection, looks_ahead, memory_in_steps
from seqclf.storage.files import write_json

MAX_LINES = 14  # time steps in the table on the terminal
EXAMPLES = 32  # examples over which gradients are averaged
CONSIDERED = 4096  # examples among which the longest are chosen


def write_inspection(inspection: Inspection, folder: Path) -> list[Path]:
    """Writes the figures of an inspection and `reading.json`; returns the files."""
    drawn = {"answers": figures.predictions_by_step(inspection)}
    for i in range(len(inspection.layers)):
        drawn[f"gates_{i + 1}"] = figures.gates_by_step(inspection, i)
        memories = figures.longest_memories(inspection, i)
        if memories is not None:
            drawn[f"memories_{i + 1}"] = memories
    for name, figure in drawn.items():
        save_figure(figure, folder / f"{name}.png")
    names = inspection.spec.class_names
    content = {
        "answer": names[inspection.predicted_class],
        "settled_at_step": inspection.settled_step,
        "classes": names,
        "step_probabilities": np.round(inspection.probabilities, 6).tolist(),
        "looks_ahead": looks_ahead(inspection.spec),
        "memory_in_steps": [
            None if layer.kept is None else _rounded_memories(layer.kept)
            for layer in inspection.layers
        ],
    }
    write_json(folder / "reading.json", content)
    return [*(folder / f"{name}.png" for name in drawn), folder / "reading.json"]


def _rounded_memories(kept: np.ndarray) -> list[float | None]:
    """Returns the memory of each unit; None instead of infinity, which JSON does not have."""
    memories: list[float] = np.round(memory_in_steps(kept), 2).tolist()
    return [memory if math.isfinite(memory) else None for memory in memories]


def inspection_in_words(name: str, inspection: Inspection) -> str:
    """Returns the predictions of a model by time step, as lines for the terminal."""
    names, T = inspection.spec.class_names, len(inspection.probabilities)
    lines = [
        f"{name}: {names[inspection.predicted_class]}, "
        f"{inspection.probabilities[-1].max():.2%} at the end; "
        f"the answer from step {inspection.settled_step} of {T} on",
    ]
    width = len(str(T))
    for t in np.unique(np.linspace(1, T, min(T, MAX_LINES)).round().astype(int)):
        now = inspection.probabilities[t - 1]
        first, second = np.argsort(-now)[:2]
        bar = "█" * round(20 * now[first])
        lines.append(
            f"  after {t:{width}}  {names[first]:>4} {now[first]:7.2%}  {bar:<20}  "
            f"then {names[second]} {now[second]:.2%}"
        )
    if ahead := looks_ahead(inspection.spec):
        lines.append(f"  ({ahead})")
    return "\n".join(lines)


def gradient_flow_batch(dataset: Dataset, count: int = EXAMPLES) -> tuple[Any, np.ndarray]:
    """Returns sequences `[B, T, D]` and labels `[B]` of validation examples of T time steps.

    Of a dataset without validation examples they are training examples.
    Where lengths vary, the longest of the first few thousand examples are taken and cut to the
    shortest length among them.

    Args:
        dataset: the dataset.
        count: number of examples B; fewer if the split has fewer.
    """
    considered = CONSIDERED if dataset.spec.variable_length else count
    store = dataset.validation if len(dataset.validation) else dataset.train
    split = store.take(np.arange(min(considered, len(store))))
    if split.lengths is None:
        return as_sequences(split.x, dataset.spec), split.y
    chosen = split.take(np.argsort(-split.lengths, kind="stable")[:count])
    assert chosen.lengths is not None
    sequences = as_sequences(chosen.x, dataset.spec, chosen.lengths)
    return sequences[:, : chosen.lengths.min()], chosen.y


def gradient_flows_of(models: dict[str, keras.Model], dataset: Dataset) -> dict[str, GradientFlow]:
    """Returns the gradient flow of each model on validation examples."""
    sequences, labels = gradient_flow_batch(dataset)
    return {name: gradient_flow(model, sequences, labels) for name, model in models.items()}


def write_gradient_flows(
    flows: dict[str, GradientFlow], clip_norm: float, path: Path, title: str
) -> None:
    """Draws gradient flows, and writes their numbers beside the figure as JSON.

    Args:
        flows: gradient flows by name.
        clip_norm: norm that the gradient is clipped to in training; 0: no clipping.
        path: PNG file to write; the JSON file has the same name.
        title: title of the figure.
    """
    save_figure(figures.gradient_flows(flows, clip_norm, title), path)
    numbers = {
        name: {
            "weights_gradient_norm": flow.weights_norm,
            "layers": [
                {
                    "layer": layer.name,
                    "loss_gradient_norm_by_step": layer.loss.tolist(),
                    "jacobian_steps": layer.jacobian_steps.tolist(),
                    "jacobian_norm": layer.jacobian.tolist(),
                    "singular_values": {k: v.tolist() for k, v in layer.singular_values.items()},
                }
                for layer in flow.layers
            ],
        }
        for name, flow in flows.items()
    }
    write_json(path.with_suffix(".json"), numbers)


def gradient_flows_in_words(flows: dict[str, GradientFlow]) -> str:
    """Returns the gradients at the first and last time step, as lines for the terminal."""
    lines = []
    for name, flow in flows.items():
        for layer in flow.layers:
            lines.append(
                f"  {name:<16} {layer.name:<8} ‖∂L/∂s‖ at the first step {layer.loss[0]:.1e}, at "
                f"the last {layer.loss[-1]:.1e}; ‖∂s_T/∂s_1‖ {layer.jacobian[0]:.1e}"
            )
    return "\n".join(lines)
