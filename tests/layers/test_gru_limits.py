"""The cases in which a GRU is something simpler, with gates driven there by their biases."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqclf import GRU

B, T, D, H = 2, 6, 3, 4
OPEN, SHUT = 1e3, -1e3  # σ of these is exactly 1 and 0 in float64


def gated(z, r, reset_after):
    """Returns a layer whose gates stand still at the given biases, and its random weights."""
    rng = np.random.default_rng(7)
    layer = GRU(H, reset_after=reset_after, return_sequences=True, dtype="float64")
    layer.build((None, None, D))
    kernel, recurrent, bias = (rng.normal(size=w.shape) for w in layer.get_weights())
    kernel[:, : 2 * H] = recurrent[:, : 2 * H] = bias[..., : 2 * H] = 0
    bias.reshape(-1, 3 * H)[0, :H], bias.reshape(-1, 3 * H)[0, H : 2 * H] = z, r
    layer.set_weights([kernel, recurrent, bias])
    return layer, kernel, recurrent, bias.reshape(-1, 3 * H)


def jacobian(layer, x, h0):
    """Returns outputs and ∂h_T/∂h_0, `[B, H, H]`."""
    h0 = tf.constant(h0)
    with tf.GradientTape() as tape:
        tape.watch(h0)
        outputs = layer(x, initial_state=h0)
        last = outputs[:, -1]
    return outputs.numpy(), tape.batch_jacobian(last, h0).numpy()


@pytest.fixture
def inputs():
    rng = np.random.default_rng(1)
    return rng.normal(size=(B, T, D)), rng.normal(size=(B, H))


@pytest.mark.parametrize("reset_after", [True, False])
def test_an_open_update_gate_copies_the_state_and_its_gradient(reset_after, inputs):
    x, h0 = inputs
    layer, *_ = gated(OPEN, 0.3, reset_after)
    outputs, derivative = jacobian(layer, x, h0)
    np.testing.assert_array_equal(outputs, np.repeat(h0[:, None], T, axis=1))
    np.testing.assert_array_equal(derivative, np.broadcast_to(np.eye(H), (B, H, H)))


@pytest.mark.parametrize("reset_after", [True, False])
def test_shut_gates_forget(reset_after, inputs):
    x, h0 = inputs
    layer, kernel, _, bias = gated(SHUT, SHUT, reset_after)
    outputs, derivative = jacobian(layer, x, h0)
    np.testing.assert_array_equal(derivative, np.zeros((B, H, H)))
    expected = np.tanh(x @ kernel[:, 2 * H :] + bias[0, 2 * H :])
    np.testing.assert_allclose(outputs, expected, atol=1e-14)


@pytest.mark.parametrize("reset_after", [True, False])
def test_a_shut_update_and_an_open_reset_gate_make_a_plain_rnn(reset_after, inputs):
    x, h0 = inputs
    layer, kernel, recurrent, bias = gated(SHUT, OPEN, reset_after)
    plain = keras.layers.SimpleRNN(H, return_sequences=True, dtype="float64")
    plain.build((None, None, D))
    plain.set_weights([kernel[:, 2 * H :], recurrent[:, 2 * H :], bias[:, 2 * H :].sum(0)])
    outputs, derivative = jacobian(layer, x, h0)
    expected, expected_derivative = jacobian(plain, x, h0)
    np.testing.assert_allclose(outputs, expected, atol=1e-12)
    np.testing.assert_allclose(derivative, expected_derivative, atol=1e-12)


@pytest.mark.parametrize("use_bias", [True, False])
def test_converted_weights_swap_z_and_one_minus_z(use_bias, inputs):
    from seqclf.layers import convert_update_gate

    x, h0 = inputs
    layer = GRU(H, use_bias=use_bias, bias_initializer="normal", dtype="float64")
    layer.build((None, None, D))
    weights = layer.get_weights()
    converted = convert_update_gate(weights, H)
    for once, twice in zip(weights, convert_update_gate(converted, H), strict=True):
        np.testing.assert_array_equal(once, twice)

    W, U = converted[:2]  # the other way of writing it, one step, gate by gate
    b, c = converted[2] if use_bias else np.zeros((2, 3 * H))
    gate = [slice(0, H), slice(H, 2 * H), slice(2 * H, None)]
    a, q = x[:, 0] @ W + b, h0 @ U + c
    z, r = (1 / (1 + np.exp(-(a[:, g] + q[:, g]))) for g in gate[:2])
    candidate = np.tanh(a[:, gate[2]] + r * q[:, gate[2]])
    expected = (1 - z) * h0 + z * candidate
    np.testing.assert_allclose(layer(x[:, :1], initial_state=h0), expected, atol=1e-14)


def test_conversion_refuses_other_widths():
    from seqclf.layers import convert_update_gate

    with pytest.raises(ValueError, match=r"3 \* units = 15 .* Received: shape \(3, 12\)"):
        convert_update_gate([np.zeros((3, 12))], units=5)
