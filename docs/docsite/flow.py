"""Figures of docs/gradients.md: products of Jacobians of seqclf's plain cell, and clipping."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from docsite.figures import BLUE, GREY, ORANGE, PURPLE, panels

UNITS, STEPS = 32, 40
SCALES = {0.8: BLUE, 1.0: "black", 1.25: ORANGE}  # all singular values of U, and the colour
NORMS_OF_GRADIENTS = ((0.6, 25), (2.4, 70), (1.6, 140), (0.35, 200), (2.9, 300))  # norm, degrees
JACOBIAN = r"$\partial h_T / \partial h_{T-k}$"
NORM = r"$\|\partial h_T / \partial h_{T-k}\|$"


def jacobians(recurrent: np.ndarray, activation: str, steps: int = STEPS) -> np.ndarray:
    """Returns ∂h_t/∂h_{t-1} of a plain cell for each time step, `[T, H, H]`.

    Args:
        recurrent: the recurrent kernel U, `[H, H]`.
        activation: the activation of the cell, `tanh` or `linear`.
        steps: T. The inputs of the cell are random numbers, from a fixed seed.
    """
    import tensorflow as tf

    from seqclf.layers import SimpleRNNCell

    units = len(recurrent)
    rng = np.random.default_rng(1)
    cell = SimpleRNNCell(units, activation=activation, dtype="float64")
    cell.build((None, units))
    cell.set_weights([np.eye(units), recurrent, np.zeros(units)])
    h = tf.constant(rng.normal(0, 0.3, (1, units)))
    found = []
    for _ in range(steps):
        x = rng.normal(0, 0.3, (1, units))
        rows = tf.repeat(h, units, axis=0)  # [H, H]: row i gives the gradient of output i
        with tf.GradientTape() as tape:
            tape.watch(rows)
            after, _ = cell(tf.constant(np.repeat(x, units, axis=0)), [rows])
        found.append(tape.gradient(after, rows, output_gradients=tf.eye(units, dtype=tf.float64)))
        h = after[:1]
    return np.stack([np.asarray(each) for each in found])


def products(factors: np.ndarray) -> np.ndarray:
    """Returns ∂h_T/∂h_{T-k} for k = 1 … T, `[T, H, H]`."""
    found = [factors[-1]]
    for factor in factors[-2::-1]:
        found.append(found[-1] @ factor)
    return np.stack(found)


def norms(scale: float, activation: str) -> np.ndarray:
    """Returns the largest singular value of ∂h_T/∂h_{T-k}, for k = 1 … T, `[T]`.

    Args:
        scale: all singular values of the recurrent kernel.
        activation: the activation of the cell, `tanh` or `linear`.
    """
    factors = jacobians(scale * orthogonal(UNITS), activation)
    return np.linalg.norm(products(factors), ord=2, axis=(1, 2))


def orthogonal(units: int) -> np.ndarray:
    """Returns a random orthogonal matrix, `[H, H]`, from a fixed seed."""
    return np.linalg.qr(np.random.default_rng(0).normal(size=(units, units)))[0]


def gaussian(units: int) -> np.ndarray:
    """Returns a matrix of random numbers of deviation 1/√H, `[H, H]`, from a fixed seed."""
    return np.random.default_rng(0).normal(0, units**-0.5, size=(units, units))


def factors() -> Figure:
    """Draws how the norm of a product of Jacobians grows or shrinks, and its singular values."""
    figure, (linear, tanh, values) = panels(3, width=3.5, height=3.5)
    distance = np.arange(1, STEPS + 1)
    for axes, activation, title in (
        (linear, "linear", f"{NORM} without tanh"),
        (tanh, "tanh", f"{NORM} with tanh"),
    ):
        for scale, colour in SCALES.items():
            axes.semilogy(distance, norms(scale, activation), color=colour, label=f"ρ = {scale}")
        _finish(axes, title, "k, time steps back from the last", "")
        axes.set_ylim(1e-9, 1e5)
    linear.legend(frameon=False, loc="upper left")
    rank = np.arange(1, UNITS + 1)
    for name, matrix, style in (("orthogonal", orthogonal, "-"), ("random", gaussian, "--")):
        multiplied = products(jacobians(matrix(UNITS), "linear", 20))
        for k, colour in ((1, "black"), (5, PURPLE), (20, ORANGE)):
            singular = np.linalg.svd(multiplied[k - 1], compute_uv=False)
            label = f"{name} U, k = {k}"
            values.semilogy(rank, singular, color=colour, linestyle=style, label=label)
    _finish(values, f"all singular values of {JACOBIAN}", "number, largest first", "")
    values.set_ylim(1e-9, 1e5)
    values.legend(frameon=False, fontsize=7.5, loc="lower left")
    return figure


def clipping() -> Figure:
    """Draws what clipping to a norm of 1 does to gradients of two weights."""
    figure, (arrows, line) = panels(2, width=3.7, height=3.5)
    arrows.add_patch(Circle((0, 0), 1, facecolor="#eef3fa", edgecolor=BLUE))
    for norm, angle in NORMS_OF_GRADIENTS:
        direction = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        for length, colour in ((norm, GREY), (clipped(norm), BLUE)):
            arrow = {"arrowstyle": "-|>", "color": colour, "lw": 1.8, "shrinkA": 0, "shrinkB": 0}
            arrows.annotate("", length * direction, (0, 0), arrowprops=arrow)
    arrows.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal")
    _finish(arrows, "grey: before, blue: after", "gradient of weight 1", "gradient of weight 2")
    before = np.linspace(0, 4, 200)
    line.plot(before, before, color=GREY, label="not clipped")
    line.plot(before, clipped(before), color=BLUE, label="clipped to 1")
    _finish(line, "the norm", "norm before", "norm after")
    line.legend(frameon=False)
    return figure


def clipped(norm: Any, largest: float = 1.0) -> Any:
    """Returns the norm of a gradient after clipping."""
    return norm * np.minimum(1, largest / np.maximum(norm, 1e-30))


def _finish(axes: Any, title: str, x: str, y: str) -> None:
    axes.set(title=title, xlabel=x, ylabel=y)
    axes.grid(alpha=0.25)
