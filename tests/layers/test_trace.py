"""`trace` beside Keras's layer and the equations, gate by gate."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqclf.layers import GRU, LSTM, MGU, SimpleRNN
from seqclf.layers.execution import execution
from seqclf.layers.trace import trace

B, T, D, H = 3, 5, 4, 6


def random_layers(reset_after):
    rng = np.random.default_rng(1)
    ours = GRU(H, return_sequences=True, reset_after=reset_after)
    theirs = keras.layers.GRU(H, return_sequences=True, reset_after=reset_after)
    x = rng.normal(size=(B, T, D)).astype("float32")
    ours(x), theirs(x)
    weights = [rng.normal(size=w.shape).astype("float32") * 0.7 for w in theirs.get_weights()]
    ours.set_weights(weights), theirs.set_weights(weights)
    return ours, theirs, x, weights


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


@pytest.mark.parametrize("unroll", [False, True])
@pytest.mark.parametrize("reset_after", [True, False])
def test_states_are_keras_s_and_gates_follow_the_equations(reset_after, unroll):
    ours, theirs, x, (kernel, recurrent, bias) = random_layers(reset_after)
    with execution(unroll=unroll):
        traced = trace(ours, x)
    states = theirs(x).numpy()
    np.testing.assert_allclose(traced.state, states, atol=1e-5)
    before = np.concatenate([np.zeros((B, 1, H)), states[:, :-1]], axis=1)
    b, c = bias if reset_after else (bias, np.zeros(3 * H))
    z = sigmoid((x @ kernel + b)[..., :H] + (before @ recurrent + c)[..., :H])
    r = sigmoid((x @ kernel + b)[..., H : 2 * H] + (before @ recurrent + c)[..., H : 2 * H])
    np.testing.assert_allclose(traced.gates["update_gate"], z, atol=1e-5)
    np.testing.assert_allclose(traced.gates["reset_gate"], r, atol=1e-5)
    np.testing.assert_allclose(traced.candidate, (states - z * before) / (1 - z), atol=1e-3)


def test_a_masked_step_keeps_the_state_and_its_input_is_not_looked_at():
    ours, theirs, x, _ = random_layers(True)
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 0, 0, 0, 0]], bool)
    x[~mask] = np.nan
    states = trace(ours, x, mask).state.numpy()
    expected = theirs(np.where(mask[..., None], x, 0), mask=mask).numpy()
    np.testing.assert_allclose(states, expected, atol=1e-5)


def test_half_precision():
    ours, _, x, weights = random_layers(True)
    half = GRU(H, dtype="mixed_bfloat16")
    half(x)
    half.set_weights(weights)
    np.testing.assert_allclose(trace(half, x).state, trace(ours, x).state, atol=0.1)


def test_a_layer_that_reads_backwards_is_refused():
    layer = GRU(H, go_backwards=True)
    layer(np.zeros((B, T, D), "float32"))
    with pytest.raises(ValueError, match="cannot be traced"):
        trace(layer, np.zeros((B, T, D), "float32"))


@pytest.mark.parametrize("unroll", [False, True])
@pytest.mark.parametrize("layer_class", [SimpleRNN, LSTM, GRU, MGU])
def test_states_are_the_layer_s_own_and_gates_lie_between_0_and_1(layer_class, unroll):
    rng = np.random.default_rng(3)
    layer = layer_class(H, return_sequences=True, return_state=True)
    x = rng.normal(size=(B, T, D)).astype("float32")
    layer(x)
    layer.set_weights([rng.normal(0, 0.7, w.shape) for w in layer.get_weights()])
    with execution(unroll=unroll):
        traced = trace(layer, x)
    states, *last = layer(x)
    np.testing.assert_allclose(traced.state, states, atol=1e-5)
    for found, expected in zip(traced.states.values(), last, strict=True):
        np.testing.assert_allclose(found[:, -1], expected, atol=1e-5)
    assert set(traced.gates) == set(layer.cell.blocks) - {"candidate"}
    for gate in traced.gates.values():
        assert (gate.numpy() > 0).all() and (gate.numpy() < 1).all()
    if traced.kept is not None:  # h_t lies between what is kept and the candidate
        memory = traced.states.get("cell_state", traced.state).numpy()
        before = np.concatenate([np.zeros((B, 1, H)), memory[:, :-1]], axis=1)
        share = traced.kept.numpy()
        written = traced.gates.get("input_gate", 1 - share)
        expected = share * before + np.asarray(written) * traced.candidate.numpy()
        np.testing.assert_allclose(memory, expected, atol=1e-5)
    assert (traced.kept is None) == (layer_class is SimpleRNN)


def test_a_gradient_with_respect_to_nudges_is_that_of_the_states():
    """∂(Σ h_T)/∂h_t by finite differences: the state of step t is moved, and the rest follows."""
    rng = np.random.default_rng(5)
    layer = LSTM(2, dtype="float64")
    x = rng.normal(size=(1, 4, 3))
    layer(x)
    layer.set_weights([rng.normal(0, 0.7, w.shape) for w in layer.get_weights()])
    nudges = [tf.zeros([1, 4, 2], "float64") for _ in range(2)]
    with tf.GradientTape() as tape:
        tape.watch(nudges)
        total = tf.reduce_sum(trace(layer, x, nudges=nudges).state[:, -1])
    gradients = tape.gradient(total, nudges)
    whole = trace(layer, x)
    for which, t in ((0, 1), (1, 0), (1, 2)):
        states = [state[:, t].numpy() for state in whole.states.values()]
        for unit in range(2):
            ends = []
            for sign in (1, -1):
                moved = [state.copy() for state in states]
                moved[which][0, unit] += sign * 1e-6
                ends.append(float(tf.reduce_sum(layer(x[:, t + 1 :], initial_state=moved))))
            difference = (ends[0] - ends[1]) / 2e-6
            np.testing.assert_allclose(gradients[which][0, t, unit], difference, rtol=1e-6)
