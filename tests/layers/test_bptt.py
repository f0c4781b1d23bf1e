"""The fast path against the general one, and what it promises beyond equal results."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from seqclf import GRU
from seqclf.layers.bptt import gru_sequence
from seqclf.layers.bptt.passes import FEW_ROWS
from seqclf.layers.execution import Execution, execution

SHAPES = st.permutations([2, 3, 4, 6]).map(tuple)
ARGUMENTS = st.fixed_dictionaries(
    {
        "reset_after": st.booleans(),
        "use_bias": st.booleans(),
        "go_backwards": st.booleans(),
        "return_sequences": st.booleans(),
        "zero_output_for_mask": st.booleans(),
        "unroll": st.booleans(),
        "dtype": st.sampled_from(["float32", "float64"]),
        "dropout": st.sampled_from([0.0, 0.4]),
    }
)
MASKS = st.sampled_from(["none", "right", "any", "all rows masked"])


def draw_mask(kind, rng, B, T):
    return {
        "none": None,
        "right": np.arange(T) < rng.integers(1, T + 1, size=(B, 1)),
        "any": rng.random((B, T)) < 0.6,
        "all rows masked": np.zeros((B, T), bool),
    }[kind]


def run(layer, x, h0, mask, upstream, training):
    """Returns outputs, state and the gradients of both with respect to x, h_0 and the weights."""
    tensors = [tf.constant(x), tf.constant(h0)]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        results = layer(tensors[0], initial_state=tensors[1], mask=mask, training=training)
        loss = sum(tf.reduce_sum(r * u) for r, u in zip(results, upstream, strict=True))
    sources = tensors + [v.value for v in layer.trainable_variables]
    return [value.numpy() for value in [*results, *tape.gradient(loss, sources)]]


def compare(shape, seed, mask_kind, arguments, training, **how):
    """Asserts that the two paths of a layer agree, gradients included."""
    B, T, D, H = shape
    rng = np.random.default_rng(seed)
    dtype = arguments["dtype"]
    x, h0 = (rng.normal(size=size).astype(dtype) for size in ((B, T, D), (B, H)))
    mask = draw_mask(mask_kind, rng, B, T)
    out_shape = (B, T, H) if arguments["return_sequences"] else (B, H)
    upstream = [rng.normal(size=size).astype(dtype) for size in (out_shape, (B, H))]
    weights, results = None, []
    for fast in (True, False):
        layer = GRU(H, return_state=True, seed=5, fast=fast, **arguments)
        layer.build((B, T, D))
        weights = weights or [rng.normal(0, 0.7, w.shape) for w in layer.get_weights()]
        layer.set_weights(weights)
        with execution(**how):
            results.append(run(layer, x, h0, mask, upstream, training))
        assert layer.path.startswith("bptt: " if fast else "general: ")
    tolerance = {"float32": 2e-5, "float64": 1e-11}[dtype]
    for fast, general in zip(*results, strict=True):
        np.testing.assert_allclose(fast, general, rtol=tolerance, atol=tolerance)


@settings(max_examples=40)
@given(SHAPES, st.integers(0, 2**32 - 1), MASKS, ARGUMENTS, st.booleans(), st.integers(1, 2))
def test_the_fast_path_equals_the_general_one(shape, seed, mask_kind, arguments, training, shares):
    compare(shape, seed, mask_kind, arguments, training, xla="off", shares=shares)


@settings(max_examples=8)
@given(SHAPES, st.integers(0, 2**32 - 1), MASKS, ARGUMENTS, st.booleans())
def test_compiled_it_does_too(shape, seed, mask_kind, arguments, training):
    compare(shape, seed, mask_kind, arguments, training, xla="layer", shares=2)


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("keep_gates", [True, False])
@pytest.mark.parametrize("B", [3, 1 + FEW_ROWS // 5])
def test_it_may_be_compiled_with_its_caller(reset_after, keep_gates, B):
    rng = np.random.default_rng(0)
    T, D, H = 5, 4, 6
    sizes = [(T, B, D), (B, H), (D, 3 * H), (H, 3 * H), (2, 3 * H) if reset_after else (3 * H,)]
    arguments = [tf.constant(rng.normal(size=size)) for size in sizes]
    upstream = rng.normal(size=(T, B, H))

    def gradients(arguments, xla):
        with tf.GradientTape() as tape:
            tape.watch(arguments)
            states = gru_sequence(
                *arguments,
                reset_after=reset_after,
                keep_gates=keep_gates,
                execution=Execution(xla=xla),
            )
            loss = tf.reduce_sum(states * upstream)
        return tape.gradient(loss, arguments)

    plain = gradients(arguments, "off")
    with_caller = tf.function(gradients, jit_compile=True)(arguments, "caller")
    for a, b in zip(plain, with_caller, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_in_half_precision_the_state_is_float32(policy):
    """z = 0.998 and a candidate of 1: each step adds 0.002 · (1 - h), less than bfloat16 resolves.

    In half precision throughout the state would stop at 0.5 (bfloat16: a spacing of 2⁻⁸).
    """
    steps, gate = 1500, 0.998
    layer = GRU(1, dtype=policy)
    layer.build((None, None, 1))
    bias = np.array([[np.log(gate / (1 - gate)), 0.0, 20.0], [0.0, 0.0, 0.0]])
    layer.set_weights([np.zeros((1, 3)), np.zeros((1, 3)), bias])
    for training in (False, True):
        with execution(xla="off"):
            output = layer(np.zeros((1, steps, 1), "float32"), training=training)
        assert output.dtype == policy.removeprefix("mixed_")
        # The gate itself is rounded with its bias, 6.2 to 8 bits: hence the tolerance.
        np.testing.assert_allclose(float(output[0, 0]), 1 - gate**steps, rtol=0.02)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("reset_after", [True, False])
def test_half_precision_gradients_are_near_those_of_float32(policy, reset_after):
    rng = np.random.default_rng(1)
    B, T, D, H = 5, 7, 4, 6
    x, h0 = rng.normal(size=(B, T, D)).astype("float32"), np.zeros((B, H), "float32")
    upstream = [rng.normal(size=(B, H)).astype("float32") for _ in range(2)]
    results, weights = [], None
    for dtype in (policy, "float32"):
        layer = GRU(H, return_state=True, reset_after=reset_after, dtype=dtype)
        layer.build((B, T, D))
        weights = weights or [rng.normal(0, 0.5, w.shape) for w in layer.get_weights()]
        layer.set_weights(weights)
        compute = policy.removeprefix("mixed_") if dtype == policy else "float32"
        tensors = [tf.constant(x), tf.constant(h0)]
        with tf.GradientTape() as tape, execution(xla="off"):
            tape.watch(tensors)
            values = layer(tensors[0], initial_state=tensors[1], training=True)
            loss = sum(
                tf.reduce_sum(tf.cast(v, "float32") * u)
                for v, u in zip(values, upstream, strict=True)
            )
        assert values[0].dtype == compute
        sources = tensors + [v.value for v in layer.trainable_variables]
        results.append([tf.cast(g, "float32").numpy() for g in tape.gradient(loss, sources)])
    for half, single in zip(*results, strict=True):
        assert half.shape == single.shape
        assert np.linalg.norm(half - single) < 0.03 * np.linalg.norm(single)


def second_order(fast, in_graph):
    layer = GRU(3, fast=fast)
    x = tf.constant(np.random.default_rng(0).normal(size=(2, 4, 2)).astype("float32"))
    layer.build(x.shape)

    def curvature(x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                loss = tf.reduce_sum(layer(x) ** 2)
            slope = tf.reduce_sum(inner.gradient(loss, x) ** 2)
        return outer.gradient(slope, x)

    return (tf.function(curvature) if in_graph else curvature)(x)


@pytest.mark.parametrize("in_graph", [False, True])
def test_second_order_gradients_are_refused_and_the_general_path_has_them(in_graph):
    with pytest.raises(NotImplementedError, match=r"no second-order gradient.*GRU\(.*fast=False\)"):
        second_order(True, in_graph)
    assert np.abs(second_order(False, in_graph)).max() > 1e-3


def test_all_of_the_shape_may_be_unknown():
    layer = GRU(4, return_sequences=True)
    layer.build((None, None, 3))

    @tf.function(input_signature=[tf.TensorSpec([None, None, None])])
    def gradient(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(x, training=True) ** 2)
        return tape.gradient(loss, layer.trainable_variables[0].value)

    general = GRU(4, return_sequences=True, fast=False)
    general.build((None, None, 3))
    general.set_weights(layer.get_weights())
    for B, T in ((2, 5), (1, 1), (3, 40)):
        x = np.random.default_rng(T).normal(size=(B, T, 3)).astype("float32")
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(general(x) ** 2)
        expected = tape.gradient(loss, general.trainable_variables[0].value)
        np.testing.assert_allclose(gradient(x), expected, rtol=1e-4, atol=1e-5)


def test_an_initial_state_of_another_width_is_refused():
    with pytest.raises(ValueError, match=r"must have the shape \[batch, 4\]. Received: \(2, 5\)"):
        GRU(4)(np.zeros((2, 3, 1), "float32"), initial_state=np.zeros((2, 5), "float32"))


def test_keras_fit_runs_it():
    float64 = {"dtype": "float64"}  # for which there are no native operations
    layers = [GRU(5, return_sequences=True, **float64), GRU(4, **float64)]
    model = keras.Sequential([keras.Input((6, 3), dtype="float64"), *layers])
    for jit_compile in (False, True):
        model.compile("sgd", "mse", jit_compile=jit_compile)
        before = model.get_weights()
        model.fit(np.ones((10, 6, 3)), np.ones((10, 4)), batch_size=4, verbose=0)
        assert all(layer.path.startswith("bptt") for layer in model.layers)
        assert not np.array_equal(before[0], model.get_weights()[0])
