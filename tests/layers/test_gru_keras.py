"""GRU against keras.layers.GRU: outputs, states and gradients with the same weights."""

import keras
import numpy as np
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from seqclf import GRU
from seqclf.layers import native
from seqclf.layers.execution import execution

HOW = {"general": {}, "bptt": {"native": False, "xla": "off"}, "native": {"native": True}}
PATHS = [path for path in HOW if path != "native" or not native.obstacle()]


def outputs_and_gradients(layer, x, h0, mask, upstream, training, how):
    tensors = [tf.constant(x), tf.constant(h0)]
    with tf.GradientTape() as tape, execution(**how):
        tape.watch(tensors)
        outputs = layer(tensors[0], initial_state=tensors[1], mask=mask, training=training)
        loss = sum(tf.reduce_sum(o * u) for o, u in zip(outputs, upstream, strict=True))
    sources = tensors + [v.value for v in layer.trainable_variables]
    return [o.numpy() for o in outputs], [g.numpy() for g in tape.gradient(loss, sources)]


@given(
    shape=st.permutations([2, 3, 4, 6]).map(tuple),
    seed=st.integers(0, 2**32 - 1),
    mask_kind=st.sampled_from(["none", "right", "any", "all rows masked"]),
    arguments=st.fixed_dictionaries(
        {
            "reset_after": st.booleans(),
            "use_bias": st.booleans(),
            "go_backwards": st.booleans(),
            "return_sequences": st.booleans(),
            "zero_output_for_mask": st.booleans(),
            "unroll": st.booleans(),
        }
    ),
    training=st.booleans(),
    path=st.sampled_from(PATHS),
)
def test_outputs_and_gradients_equal_keras(shape, seed, mask_kind, arguments, training, path):
    if arguments["unroll"] and arguments["go_backwards"]:
        # Keras's unrolled loop zeroes by the mask's other end there.
        arguments = arguments | {"zero_output_for_mask": False}
    B, T, D, H = shape
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(B, T, D)).astype("float32")
    h0 = rng.normal(size=(B, H)).astype("float32")
    mask = {
        "none": None,
        "right": np.arange(T) < rng.integers(1, T + 1, size=(B, 1)),
        "any": rng.random((B, T)) < 0.6,
        "all rows masked": np.zeros((B, T), bool),
    }[mask_kind]
    layers = [
        cls(H, return_state=True, bias_initializer="normal", **arguments, **more)
        for cls, more in (
            (GRU, {"fast": path != "general"}),
            (keras.layers.GRU, {"use_cudnn": False}),
        )
    ]
    for layer in layers:
        layer.build((B, T, D))
    weights = [rng.normal(0, 0.7, w.shape).astype("float32") for w in layers[0].get_weights()]
    out_shape = (B, T, H) if arguments["return_sequences"] else (B, H)
    upstream = [rng.normal(size=s).astype("float32") for s in (out_shape, (B, H))]
    results = []
    for layer in layers:
        layer.set_weights(weights)
        how = HOW[path]
        results.append(outputs_and_gradients(layer, x, h0, mask, upstream, training, how))

    assert layers[0].path.startswith(path)
    for ours, theirs in zip(*results, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_weights_move_both_ways_unchanged():
    for reset_after in (True, False):
        for use_bias in (True, False):
            arguments = {"reset_after": reset_after, "use_bias": use_bias}
            ours, theirs = GRU(4, **arguments), keras.layers.GRU(4, **arguments)
            for layer in (ours, theirs):
                layer.build((None, 5, 3))
            theirs.set_weights(ours.get_weights())
            ours.set_weights([w + 1 for w in theirs.get_weights()])
            for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
                np.testing.assert_array_equal(a, b + 1)


def test_a_keras_config_builds_our_layer():
    theirs = keras.layers.GRU(
        4, dropout=0.1, kernel_regularizer="l2", recurrent_constraint="max_norm", seed=3
    )
    config = theirs.get_config()
    assert GRU.from_config(config).get_config() == config
