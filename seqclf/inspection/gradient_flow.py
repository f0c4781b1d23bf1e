"""How a gradient changes on its way back through the time steps of a sequence.

A recurrent layer's state s_t (h_t; with an LSTM h_t and c_t) depends on the one before it, and so

    ∂L/∂s_t = Σ … ∂s_T/∂s_t,    ∂s_T/∂s_t = ∂s_T/∂s_{T-1} · … · ∂s_{t+1}/∂s_t

is a product of as many Jacobians as there are time steps between t and T. It vanishes or explodes
with their number (Bengio et al. 1994, IEEE Trans. Neural Networks 5; Pascanu et al. 2013,
arXiv:1211.5063).
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from seqclf.layers import Recurrent
from seqclf.layers.base_cell import RecurrentCell
from seqclf.layers.compiled import compiled
from seqclf.layers.execution import execution
from seqclf.layers.trace import Trace
from seqclf.models.classifier import trace_classifier

JACOBIANS = 56  # points at which the Jacobian's norm is taken: each is a singular value problem
JACOBIAN_EXAMPLES = 4  # examples over which that norm is averaged


@dataclass(frozen=True)
class LayerFlow:
    """The gradient at the states of one recurrent layer; t counts from 1, and there are T.

    Attributes:
        name: name of the layer.
        loss: ‖∂L/∂s_t‖₂ for t = 1 … T, `[T]`, the mean over the examples, where L is the
            cross-entropy of one example. All paths count, those through the layers above as well.
        jacobian_steps: the time steps t of `jacobian`, `[P]`.
        jacobian: ‖∂s_T/∂s_t‖₂, the largest singular value, `[P]`: geometric mean over examples.
            The inputs of the layer are held fixed.
        singular_values: singular values of the recurrent kernel by block of the cell, `[H]` each,
            largest first.
    """

    name: str
    loss: np.ndarray
    jacobian_steps: np.ndarray
    jacobian: np.ndarray
    singular_values: dict[str, np.ndarray]


@dataclass(frozen=True)
class GradientFlow:
    """The gradient flow of a classifier on a batch.

    Attributes:
        layers: the gradient flow of each recurrent layer, first to last.
        weights_norm: global norm of the gradient of the mean loss with respect to all weights,
            which clipping compares with `optimizer.clip_norm`.
    """

    layers: list[LayerFlow]
    weights_norm: float

    def clipping(self, clip_norm: float) -> float:
        """Returns the factor by which clipping to `clip_norm` scales every gradient, at most 1.

        Args:
            clip_norm: the largest norm that is allowed; 0: no clipping.
        """
        return min(1.0, clip_norm / max(self.weights_norm, 1e-30)) if clip_norm else 1.0


def gradient_flow(model: keras.Model, sequences: Any, labels: Any) -> GradientFlow:
    """Measures the gradient of the loss at each time step of a classifier's recurrent layers.

    Args:
        model: a classifier that `build_classifier` made, not bidirectional.
        sequences: `[B, T, D]`, with T valid time steps each.
        labels: int `[B]`, class indices.

    Raises:
        ValueError: the model reads in both directions.
    """
    recurrent = [layer for layer in model.layers if isinstance(layer, Recurrent)]
    if not recurrent:
        raise ValueError("A model that reads in both directions has no last state to go back from.")
    sequences = tf.convert_to_tensor(sequences)
    with execution(xla="off", unroll=False, shares=1, cudnn=False):
        _, traces = trace_classifier(model, sequences)
        nudges = [[tf.zeros_like(state) for state in each.states.values()] for each in traces]
        by_state, by_weight = _gradients(model, sequences, labels, nudges)
    layers = []
    for layer, traced, gradient in zip(recurrent, traces, by_state, strict=True):
        steps, norms = _jacobian_norms(layer.cell, traced)
        layers.append(
            LayerFlow(
                name=layer.name,
                loss=np.linalg.norm(np.concatenate(gradient, -1), axis=-1).mean(0),
                jacobian_steps=steps,
                jacobian=norms,
                singular_values=singular_values(layer.cell),
            )
        )
    return GradientFlow(layers, by_weight)


def singular_values(cell: RecurrentCell) -> dict[str, np.ndarray]:
    """Returns the singular values of the recurrent kernel by block, `[H]` each, largest first."""
    blocks = np.split(np.asarray(cell.recurrent_kernel, np.float64), len(cell.blocks), axis=1)
    return {
        name: np.linalg.svd(block, compute_uv=False)
        for name, block in zip(cell.blocks, blocks, strict=True)
    }


def _gradients(
    model: keras.Model, sequences: Any, labels: Any, nudges: list[list[Any]]
) -> tuple[list[list[np.ndarray]], float]:
    """Returns the gradients of the losses, and the norm of the mean gradient of the weights.

    Args:
        model: a classifier.
        sequences: `[B, T, D]`.
        labels: int `[B]`.
        nudges: zeros that are added to the states of each layer, `[B, T, H]` each.

    Returns:
        ∂L/∂s_t of each example's loss L, in the structure of `nudges`, and the norm.
    """

    @compiled
    def run() -> tuple[Any, Any]:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(nudges)
            logits, _ = trace_classifier(model, sequences, nudges=nudges)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits[:, -1])  # [B]
        by_weight = tape.gradient(losses, model.trainable_variables)
        count = tf.cast(tf.shape(losses)[0], losses.dtype)
        return tape.gradient(losses, nudges), tf.linalg.global_norm(by_weight) / count

    by_state, norm = run.get_concrete_function()()  # calling `run` would warn of retracing
    return tf.nest.map_structure(lambda t: tf.cast(t, tf.float64).numpy(), by_state), float(norm)


def _jacobian_norms(cell: RecurrentCell, traced: Trace) -> tuple[np.ndarray, np.ndarray]:
    """Returns some time steps t from 1 to T, and ‖∂s_T/∂s_t‖₂ at each of them."""
    count = len(cell.state_names)
    a = cell.input_terms(traced.inputs[:JACOBIAN_EXAMPLES])  # [B, T, G·H]
    states = tf.concat([*traced.states.values()], axis=-1)[:JACOBIAN_EXAMPLES]  # [B, T, S·H]
    T, size = states.shape[1], states.shape[2]

    @compiled
    def jacobian(a: Any, state: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(state)
            after, _ = cell.step(a, tf.split(state, count, axis=-1))
            joined = tf.concat(after, axis=-1)
        return tape.batch_jacobian(joined, state)  # [B, S·H, S·H]

    jacobian_of = jacobian.get_concrete_function(a[:, 0], states[:, 0])
    at = np.unique(np.linspace(1, T, min(T, JACOBIANS)).round().astype(int))
    product = np.tile(np.eye(size), (len(states), 1, 1))  # ∂s_T/∂s_t, from t = T on
    norms = {T: 1.0}
    for t in range(T - 1, 0, -1):  # time step t + 1 makes s_{t+1} from s_t
        product = product @ jacobian_of(a[:, t], states[:, t - 1]).numpy().astype(np.float64)
        if t in at:
            largest = np.linalg.norm(product, ord=2, axis=(1, 2))  # [B]
            norms[t] = float(np.exp(np.log(np.maximum(largest, 1e-300)).mean()))
    return at, np.array([norms[t] for t in at])
