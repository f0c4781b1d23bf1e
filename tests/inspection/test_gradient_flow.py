"""Gradient flow beside finite differences in float64, and in cases that are known."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqclf import build_classifier, load_dataset
from seqclf.config import resolve
from seqclf.data.dataset import DatasetSpec
from seqclf.inspection.gradient_flow import GradientFlow, gradient_flow, singular_values
from seqclf.inspection.report import gradient_flow_batch, gradient_flows_of, write_gradient_flows
from seqclf.layers import TimeReduction
from seqclf.models.classifier import CELLS

SPEC = DatasetSpec("test", "rows", (7, 3), "float32", ("a", "b", "c"))
B, T = 3, 7


def classifier(cell, units=(4, 3), reduction=1):
    """Returns a classifier as `build_classifier` makes them, in float64, with random weights."""
    inputs = x = keras.Input((T, 3), dtype="float64")
    for i, width in enumerate(units, start=1):
        last = i == len(units)
        x = CELLS[cell](width, return_sequences=not last, dtype="float64")(x)
        if reduction > 1 and not last:
            x = TimeReduction(reduction, dtype="float64")(x)
    model = keras.Model(inputs, keras.layers.Dense(3, dtype="float64")(x))
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(0, 0.7, w.shape) for w in model.get_weights()])
    return model


def batch():
    rng = np.random.default_rng(2)
    return rng.normal(size=(B, T, 3)), np.array([0, 2, 1])


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn", "mgu"])
def test_the_loss_s_gradient_is_that_of_finite_differences(cell):
    """A layer's state is moved at step t, and the steps after it are read on from there."""
    model = classifier(cell)
    x, labels = batch()
    flow = gradient_flow(model, x, labels)
    lower, upper, head = (layer for layer in model.layers if layer.weights)
    hidden = np.array(lower(x))

    def after_lower(moved, t):
        rest = [lower(x[:, t:], initial_state=moved)] if t < T else []
        return head(upper(np.concatenate([hidden[:, : t - 1], moved[0][:, None], *rest], axis=1)))

    def after_upper(moved, t):
        return head(upper(hidden[:, t:], initial_state=moved) if t < T else moved[0])

    ways = [(lower, x, after_lower), (upper, hidden, after_upper)]
    for i, (layer, read, logits) in enumerate(ways):
        for t in (1, 4, T):
            after = functools.partial(logits, t=t)
            gradient = _loss_gradient(_states(layer, read, t), after, labels)
            expected = np.linalg.norm(gradient, axis=1).mean()
            np.testing.assert_allclose(flow.layers[i].loss[t - 1], expected, rtol=1e-6, atol=1e-9)


def _loss_gradient(states, logits, labels):
    """Returns the gradient of each example's loss by its states, `[B, S·H]`."""
    columns = []
    for which, state in enumerate(states):
        for unit in range(state.shape[1]):
            ends = []
            for sign in (1, -1):
                moved = [s.copy() for s in states]
                moved[which][:, unit] += sign * 1e-6
                ends.append(_losses(logits(moved), labels))
            columns.append((ends[0] - ends[1]) / 2e-6)
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn", "mgu"])
def test_the_jacobian_s_norm_is_that_of_finite_differences(cell):
    model = classifier(cell)
    x, labels = batch()
    flow = gradient_flow(model, x, labels).layers[0]
    layer = next(layer for layer in model.layers if layer.weights)
    for t in (1, 3, 6):
        states = _states(layer, x, t)
        size = states[0].shape[1]
        jacobians = np.zeros((B, size * len(states), size * len(states)))
        for which in range(len(states)):
            for unit in range(size):
                ends = []
                for sign in (1, -1):
                    moved = [s.copy() for s in states]
                    moved[which][:, unit] += sign * 1e-6
                    ends.append(np.concatenate(_last_states(layer, x[:, t:], moved), axis=1))
                jacobians[:, :, which * size + unit] = (ends[0] - ends[1]) / 2e-6
        norms = [np.linalg.norm(jacobian, ord=2) for jacobian in jacobians]
        place = list(flow.jacobian_steps).index(t)
        expected = np.exp(np.log(norms).mean())
        np.testing.assert_allclose(flow.jacobian[place], expected, rtol=1e-6)
    assert flow.jacobian[-1] == 1.0 and flow.jacobian_steps[-1] == T


def _states(layer, x, t):
    """Returns the states of a layer after t steps, NumPy."""
    return _last_states(layer, x[:, :t], None)


def _last_states(layer, x, initial_state):
    whole = type(layer).from_config(layer.get_config() | {"return_state": True})
    whole.build(x.shape)
    whole.set_weights(layer.get_weights())
    _, *states = whole(x, initial_state=initial_state)
    return [np.array(state) for state in states]


def _losses(logits, labels):
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits).numpy()


def test_the_weights_gradient_and_what_clipping_leaves():
    model = classifier("gru")
    x, labels = batch()
    flow = gradient_flow(model, x, labels)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, model(x)))
    norm = tf.linalg.global_norm(tape.gradient(loss, model.trainable_variables)).numpy()
    np.testing.assert_allclose(flow.weights_norm, norm, rtol=1e-9)
    assert flow.clipping(0) == 1.0 and flow.clipping(2 * norm) == 1.0
    np.testing.assert_allclose(flow.clipping(norm / 4), 0.25)


@pytest.mark.parametrize(("gain", "expected"), [(0.5, 0.5**6), (1.0, 1.0), (1.5, 1.5**6)])
def test_a_linear_rnn_s_gradient_vanishes_or_explodes_with_its_singular_values(gain, expected):
    """With h near 0 tanh is the identity: ‖∂h_T/∂h_1‖ is the gain to the power of T - 1."""
    model = classifier("rnn", units=(4,))
    layer = model.layers[1]
    kernel, recurrent, bias = layer.get_weights()
    orthogonal = np.linalg.qr(recurrent)[0]
    layer.set_weights([0 * kernel, gain * orthogonal, 0 * bias])
    x, labels = batch()
    flow = gradient_flow(model, x, labels).layers[0]
    np.testing.assert_allclose(flow.jacobian[0], expected, rtol=1e-9)
    np.testing.assert_allclose(singular_values(layer.cell)["candidate"], [gain] * 4, rtol=1e-9)


def test_time_reduction_shortens_the_way():
    model = classifier("gru", reduction=3)
    flow = gradient_flow(model, *batch())
    assert [len(layer.loss) for layer in flow.layers] == [7, 3]
    assert all((layer.loss > 0).all() for layer in flow.layers)


def test_the_mean_of_the_states_gives_each_its_share_of_the_gradient():
    """A head that reads nothing but the mean sends the same to each state of the last layer."""
    model = build_classifier(resolve({"model": {"units": [4], "pooling": "mean"}}), SPEC)
    layer, head = model.layers[1], model.layers[-1]
    layer.set_weights([0 * weight for weight in layer.get_weights()])  # z = 1/2, h = 0
    kernel, bias = head.get_weights()
    kernel[:4] = 0.0  # of the last state
    head.set_weights([kernel, bias])
    loss = gradient_flow(model, *batch()).layers[0].loss
    own = 1 - 0.5 ** np.arange(len(loss), 0, -1)  # ∂h_(t+1)/∂h_t = 1/2
    np.testing.assert_allclose(loss / loss[-1], 2 * own, rtol=1e-5)


def test_both_directions_are_refused():
    both = build_classifier(resolve({"model": {"units": [4], "bidirectional": True}}), SPEC)
    with pytest.raises(ValueError, match="no last state"):
        gradient_flow(both, *batch())


def test_figures_and_numbers(tmp_path):
    flows = {cell: gradient_flow(classifier(cell), *batch()) for cell in ("gru", "lstm", "rnn")}
    write_gradient_flows(flows, 1e-3, tmp_path / "flow.png", "a title")
    assert (tmp_path / "flow.png").stat().st_size > 10_000
    assert isinstance(flows["gru"], GradientFlow)
    assert "singular_values" in (tmp_path / "flow.json").read_text()


def test_on_real_data():
    digits = load_dataset("digits")
    sequences, labels = gradient_flow_batch(digits)
    assert sequences.shape == (32, 8, 8) and len(labels) == 32
    config = resolve({"model": {"units": [12]}})
    flows = gradient_flows_of({"gru": build_classifier(config, digits.spec)}, digits)
    assert (flows["gru"].layers[0].loss > 0).all()
