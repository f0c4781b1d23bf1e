"""GRU against the NumPy reference, and its gradients against finite differences, in float64."""

import gru_reference as reference
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from seqclf import GRU
from seqclf.layers.execution import execution

# T, B, D and H all differ, so that no swapped axis can go unseen.
SHAPES = st.permutations([2, 3, 4, 5]).map(tuple)


def build(weights, D, H, **arguments):
    layer = GRU(H, dtype="float64", use_bias=len(weights) == 3, **arguments)
    layer.build((None, None, D))
    layer.set_weights(weights)
    return layer


@given(
    shape=SHAPES,
    seed=st.integers(0, 2**32 - 1),
    reset_after=st.booleans(),
    use_bias=st.booleans(),
    go_backwards=st.booleans(),
    mask_kind=st.sampled_from(["none", "right", "any"]),
)
def test_states_equal_the_reference(shape, seed, reset_after, use_bias, go_backwards, mask_kind):
    B, T, D, H = shape
    rng = np.random.default_rng(seed)
    x, h0 = rng.normal(size=(B, T, D)), rng.normal(size=(B, H))
    weights = reference.random_weights(rng, D, H, reset_after, use_bias)
    mask = None
    if mask_kind == "right":
        mask = np.arange(T) < rng.integers(1, T + 1, size=(B, 1))
    elif mask_kind == "any":
        mask = rng.random((B, T)) < 0.6
    arguments = {"reset_after": reset_after, "go_backwards": go_backwards}
    expected = reference.gru(x, h0, weights, mask=mask, **arguments)

    layer = build(weights, D, H, return_sequences=True, return_state=True, **arguments)
    outputs, state = layer(x, initial_state=h0, mask=mask)

    np.testing.assert_allclose(state, expected[:, -1], rtol=0, atol=1e-12)
    seen = np.ones((B, T), bool) if mask is None else mask
    seen = seen[:, ::-1] if go_backwards else seen
    begun = np.logical_or.accumulate(seen, axis=1)  # before the first valid step Keras outputs 0
    np.testing.assert_allclose(
        outputs.numpy(), np.where(begun[..., None], expected, 0.0), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("path", ["gates kept", "gates computed anew", "compiled", "general"])
def test_gradients_equal_finite_differences(reset_after, masked, path):
    B, T, D, H = 2, 5, 3, 4
    rng = np.random.default_rng(3)
    x, h0 = rng.normal(size=(B, T, D)), rng.normal(size=(B, H))
    weights = reference.random_weights(rng, D, H, reset_after)
    mask = np.array([[1, 1, 0, 1, 0], [1, 0, 1, 1, 1]], bool) if masked else None
    upstream = rng.normal(size=(B, T, H))
    layer = build(
        weights, D, H, reset_after=reset_after, return_sequences=True, fast=path != "general"
    )

    tensors = [tf.constant(x), tf.constant(h0)]
    with tf.GradientTape() as tape, execution(xla="layer" if path == "compiled" else "off"):
        tape.watch(tensors)
        training = path != "gates computed anew"
        outputs = layer(tensors[0], initial_state=tensors[1], mask=mask, training=training)
        loss = tf.reduce_sum(outputs * upstream)
    assert layer.path.startswith("general" if path == "general" else "bptt")
    gradients = tape.gradient(loss, tensors + [v.value for v in layer.trainable_variables])

    arrays = [x, h0, *weights]
    for array, gradient in zip(arrays, gradients, strict=True):
        numeric = np.zeros_like(array)
        for index in np.ndindex(*array.shape):
            values = []
            for step in (1e-6, -1e-6):
                kept = array[index]
                array[index] = kept + step
                values.append(
                    (
                        reference.gru(x, h0, weights, reset_after=reset_after, mask=mask) * upstream
                    ).sum()
                )
                array[index] = kept
            numeric[index] = (values[0] - values[1]) / 2e-6
        np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-7)
