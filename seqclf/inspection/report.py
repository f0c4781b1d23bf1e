"""What `explain` leaves behind for an input, and for a run: figures and numbers."""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

from seqclf.data.dataset import Dataset
from seqclf.data.normalization import as_sequences
from seqclf.experiment.figures import save_figure
from seqclf.inspection import figures
from seqclf.inspection.gradient_flow import GradientFlow, gradient_flow
from seqclf.inspection.reading import Reading, memory
from seqclf.storage.files import write_json

LINES = 14  # steps of the table on the terminal
EXAMPLES = 32  # for gradients
CONSIDERED = 4096  # among which the longest are looked for


def write_reading(reading: Reading, folder: Path) -> list[Path]:
    """Writes the figures of a reading and `reading.json`; returns the files."""
    drawn = {"answers": figures.answers_by_step(reading)}
    for i in range(len(reading.layers)):
        drawn[f"gates_{i + 1}"] = figures.gates_by_step(reading, i)
        memories = figures.longest_memories(reading, i)
        if memories is not None:
            drawn[f"memories_{i + 1}"] = memories
    for name, figure in drawn.items():
        save_figure(figure, folder / f"{name}.png")
    names = reading.spec.class_names
    content = {
        "answer": names[reading.answer],
        "settled_at_step": reading.settled,
        "classes": names,
        "step_probabilities": np.round(reading.probabilities, 6).tolist(),
        "memory_in_steps": [
            None if layer.kept is None else np.round(memory(layer.kept), 2).tolist()
            for layer in reading.layers
        ],
    }
    # JSON has no infinity: a unit that keeps all has null.
    text = json.dumps(content).replace("Infinity", "null")
    write_json(folder / "reading.json", json.loads(text))
    return [*(folder / f"{name}.png" for name in drawn), folder / "reading.json"]


def reading_in_words(name: str, reading: Reading) -> str:
    """Returns what a model thinks as it reads, for the terminal."""
    names, T = reading.spec.class_names, len(reading.probabilities)
    lines = [
        f"{name}: {names[reading.answer]}, {reading.probabilities[-1].max():.2%} at the end; "
        f"the answer from step {reading.settled} of {T} on",
    ]
    width = len(str(T))
    for t in np.unique(np.linspace(1, T, min(T, LINES)).round().astype(int)):
        now = reading.probabilities[t - 1]
        first, second = np.argsort(-now)[:2]
        bar = "█" * round(20 * now[first])
        lines.append(
            f"  after {t:{width}}  {names[first]:>4} {now[first]:7.2%}  {bar:<20}  "
            f"then {names[second]} {now[second]:.2%}"
        )
    return "\n".join(lines)


def flow_batch(dataset: Dataset, count: int = EXAMPLES) -> tuple[Any, np.ndarray]:
    """Returns sequences `[B, T, D]` and labels `[B]` of validation examples, all of T steps.

    Where lengths vary they are the longest of the first few thousand, cut to the shortest among
    them.
    """
    considered = CONSIDERED if dataset.spec.variable_length else count
    split = dataset.validation.take(np.arange(min(considered, len(dataset.validation))))
    if split.lengths is None:
        return as_sequences(split.x, dataset.spec), split.y
    chosen = split.take(np.argsort(-split.lengths, kind="stable")[:count])
    assert chosen.lengths is not None
    sequences = as_sequences(chosen.x, dataset.spec, chosen.lengths)
    return sequences[:, : chosen.lengths.min()], chosen.y


def flows_of(models: dict[str, keras.Model], dataset: Dataset) -> dict[str, GradientFlow]:
    """Returns the gradient flow of each model on validation examples."""
    sequences, labels = flow_batch(dataset)
    return {name: gradient_flow(model, sequences, labels) for name, model in models.items()}


def write_flows(flows: dict[str, GradientFlow], clip_norm: float, path: Path, title: str) -> None:
    """Draws gradient flows to `path`, and writes their numbers beside it as JSON."""
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


def flows_in_words(flows: dict[str, GradientFlow]) -> str:
    """Returns a table of what is left of a gradient at the first step, for the terminal."""
    lines = []
    for name, flow in flows.items():
        for layer in flow.layers:
            lines.append(
                f"  {name:<16} {layer.name:<8} ‖∂L/∂s‖ at the first step {layer.loss[0]:.1e}, at "
                f"the last {layer.loss[-1]:.1e}; ‖∂s_T/∂s_1‖ {layer.jacobian[0]:.1e}"
            )
    return "\n".join(lines)
