"""Masks in layers that go backwards: unrolled, looped and reversed by hand are the same."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqclf.layers import GRU, LSTM, MGU, SimpleRNN

B, T, D, H = 4, 5, 2, 3
MASKS = {
    "right": np.arange(T) < np.array([[5], [3], [1], [0]]),
    "holes": np.array([[1, 0, 1, 1, 0], [0, 0, 1, 0, 1], [1, 1, 1, 1, 1], [0, 1, 1, 0, 0]], bool),
}
LAYERS = {
    "GRU": (GRU, {}),
    "GRU(fast=False)": (GRU, {"fast": False}),
    "GRU(reset_after=False)": (GRU, {"reset_after": False, "fast": False}),
    "LSTM": (LSTM, {}),
    "SimpleRNN": (SimpleRNN, {}),
    "MGU": (MGU, {}),
}
FLAGS = list(itertools.product([False, True], repeat=3))
each_layer = pytest.mark.parametrize("name", LAYERS)
each_mask = pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)


def like(name, weights=None, **arguments):
    """Returns a built layer with random weights, or with those that are given."""
    cls, more = LAYERS[name]
    layer = cls(H, **more, **arguments)
    layer.build((B, T, D))
    rng = np.random.default_rng(1)
    layer.set_weights(weights or [rng.normal(0, 0.7, w.shape) for w in layer.get_weights()])
    return layer


def inputs():
    return np.random.default_rng(0).normal(size=(B, T, D)).astype("float32")


@each_layer
@each_mask
@pytest.mark.parametrize(("go_backwards", "zero_output_for_mask", "return_sequences"), FLAGS)
def test_unrolled_equals_looped(name, mask, go_backwards, zero_output_for_mask, return_sequences):
    arguments = {
        "go_backwards": go_backwards,
        "zero_output_for_mask": zero_output_for_mask,
        "return_sequences": return_sequences,
        "return_state": True,
    }
    looped = like(name, unroll=False, **arguments)
    unrolled = like(name, looped.get_weights(), unroll=True, **arguments)
    for a, b in zip(unrolled(inputs(), mask=mask), looped(inputs(), mask=mask), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@each_layer
@each_mask
@pytest.mark.parametrize(("unroll", "zero_output_for_mask", "return_sequences"), FLAGS)
def test_backwards_equals_reversed_by_hand(
    name, mask, unroll, zero_output_for_mask, return_sequences
):
    arguments = {
        "unroll": unroll,
        "zero_output_for_mask": zero_output_for_mask,
        "return_sequences": return_sequences,
        "return_state": True,
    }
    backwards = like(name, go_backwards=True, **arguments)
    forwards = like(name, backwards.get_weights(), **arguments)
    found = backwards(inputs(), mask=mask)
    expected = forwards(inputs()[:, ::-1].copy(), mask=mask[:, ::-1].copy())
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@each_layer
@pytest.mark.parametrize("unroll", [False, True])
def test_in_bidirectional_each_example_is_as_without_its_padding(name, unroll):
    mask = np.arange(T) < np.array([[5], [3], [1], [4]])
    cls, more = LAYERS[name]
    layer = keras.layers.Bidirectional(cls(H, return_sequences=True, unroll=unroll, **more))
    layer.build((B, T, D))
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(0, 0.7, w.shape) for w in layer.get_weights()])
    outputs = layer(inputs(), mask=mask).numpy()
    for n, length in enumerate(mask.sum(axis=1)):
        alone = layer(inputs()[n : n + 1, :length])
        np.testing.assert_allclose(outputs[n, :length], alone[0], atol=1e-6)
        np.testing.assert_array_equal(outputs[n, length:], 0)


@each_layer
@each_mask
def test_gradients_of_unrolled_equal_those_of_looped(name, mask):
    arguments = {"go_backwards": True, "zero_output_for_mask": True, "return_sequences": True}
    upstream = np.random.default_rng(2).normal(size=(B, T, H)).astype("float32")
    results, weights = [], None
    for unroll in (False, True):
        layer = like(name, weights, unroll=unroll, **arguments)
        weights = layer.get_weights()
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(inputs(), mask=mask, training=False) * upstream)
        results.append(tape.gradient(loss, [v.value for v in layer.trainable_variables]))
    for looped, unrolled in zip(*results, strict=True):
        np.testing.assert_allclose(looped, unrolled, atol=1e-5)
