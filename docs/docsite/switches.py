"""Cells of one unit whose gates are shut (0) or open (1), and what they do with a short sequence.

A gate is held at its end by a bias of 1,000 or -1,000: in float64 σ of these is 1 and 0. The gates
have no other weight, so that they do not move.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

W, U = 1.0, 0.9  # weights of the candidate: of the input, and of the state before
START = 0.5  # what the memory holds before the first time step
INPUTS = (1.0, 0.0, 0.0, 0.0, 0.0)  # x_1 to x_5
OPEN, SHUT = 1000.0, -1000.0


@dataclass(frozen=True)
class Setting:
    """A cell with all its gates given.

    Attributes:
        cell: `rnn`, `mgu`, `gru` or `lstm`, as in `model.cell`.
        gates: 0 or 1 for each gate, by its letter.
        becomes: what the cell does then, in words.
    """

    cell: str
    gates: dict[str, int]
    becomes: str

    @property
    def name(self) -> str:
        """The gates in words, such as `z = 0, r = 1`."""
        return ", ".join(f"{gate} = {value}" for gate, value in self.gates.items()) or "no gate"


SETTINGS = (
    Setting("rnn", {}, "the plain RNN"),
    Setting("mgu", {"f": 1}, "the plain RNN"),
    Setting("mgu", {"f": 0}, "a copy: nothing changes"),
    Setting("gru", {"z": 0, "r": 1}, "the plain RNN"),
    Setting("gru", {"z": 1, "r": 1}, "a copy: nothing changes"),
    Setting("gru", {"z": 0, "r": 0}, "without memory"),
    Setting("lstm", {"i": 1, "f": 0, "o": 1}, "the plain RNN, tanh taken twice"),
    Setting("lstm", {"i": 0, "f": 1, "o": 1}, "a copy: the cell state never changes"),
    Setting("lstm", {"i": 1, "f": 1, "o": 1}, "a sum: it adds up what it reads"),
)
LETTERS = {"z": "update_gate", "r": "reset_gate", "i": "input_gate", "o": "output_gate"}
LETTERS["f"] = "forget_gate"


@dataclass(frozen=True)
class Outcome:
    """The memory of a cell after it has read `INPUTS`, and the gradient through it.

    Attributes:
        memory: the memory after each time step: h_t, of the LSTM c_t.
        gradient: the derivative of the last memory by the one before the first time step.
    """

    memory: tuple[float, ...]
    gradient: float


def outcome(setting: Setting) -> Outcome:
    """Runs seqclf's cell over `INPUTS`, from `START`, and differentiates it."""
    import tensorflow as tf

    cell = built(setting)
    start = tf.constant([[START]], tf.float64)  # [B, H] = [1, 1]
    with tf.GradientTape() as tape:
        tape.watch(start)
        states = [start]
        if setting.cell == "lstm":  # the state that belongs to this cell state
            states = [setting.gates["o"] * tf.tanh(start), start]
        memory = []
        for x in INPUTS:
            _, states = cell(tf.constant([[x]], tf.float64), states)
            memory.append(states[-1])
    gradient = tape.gradient(memory[-1], start)
    values = tuple(float(np.asarray(each).item()) for each in memory)
    return Outcome(values, 0.0 if gradient is None else float(np.asarray(gradient).item()))


def built(setting: Setting) -> Any:
    """Returns the cell, float64, of one feature and one unit, with its weights set."""
    from seqclf import layers

    classes = {"rnn": "SimpleRNNCell", "mgu": "MGUCell", "gru": "GRUCell", "lstm": "LSTMCell"}
    cell = getattr(layers, classes[setting.cell])(1, dtype="float64")
    cell.build((None, 1))
    kernel, recurrent, bias = (np.zeros(each.shape) for each in cell.get_weights())
    candidate = cell.blocks.index("candidate")
    kernel[0, candidate], recurrent[0, candidate] = W, U
    for gate, value in setting.gates.items():
        first = bias[0] if bias.ndim == 2 else bias  # the GRU has two biases
        first[cell.blocks.index(LETTERS[gate])] = OPEN if value else SHUT
    cell.set_weights([kernel, recurrent, bias])
    return cell


def table() -> str:
    """Returns the table of docs/switches.md, in Markdown."""
    lines = ["| cell | gates | it becomes | memory after time steps 1 to 5 | gradient |"]
    lines.append("|---|---|---|---|--:|")
    for setting in SETTINGS:
        found = outcome(setting)
        memory = ", ".join(f"{value:.3f}" for value in found.memory)
        cells = [setting.cell.upper(), setting.name, setting.becomes, memory]
        lines.append("| " + " | ".join([*cells, f"{found.gradient:.3f}"]) + " |")
    return "\n".join(lines)
