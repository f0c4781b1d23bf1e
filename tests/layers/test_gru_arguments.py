"""Every constructor argument reaches the layer and its cell, as in keras.layers.GRU."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqclf import GRU

CHANGED = {  # every argument of keras.layers.GRU, none at its default
    "units": 4,
    "activation": "relu",
    "recurrent_activation": "hard_sigmoid",
    "use_bias": False,
    "kernel_initializer": "he_normal",
    "recurrent_initializer": "identity",
    "bias_initializer": "ones",
    "kernel_regularizer": "l1",
    "recurrent_regularizer": "l2",
    "bias_regularizer": keras.regularizers.L1L2(0.1, 0.2),
    "activity_regularizer": "l2",
    "kernel_constraint": "max_norm",
    "recurrent_constraint": "non_neg",
    "bias_constraint": "unit_norm",
    "dropout": 0.25,
    "recurrent_dropout": 0.5,
    "seed": 3,
    "return_sequences": True,
    "return_state": True,
    "go_backwards": True,
    "stateful": True,
    "unroll": True,
    "reset_after": False,
    "use_cudnn": False,
}


def test_the_arguments_are_those_of_keras():
    ours, theirs = (inspect.signature(cls) for cls in (GRU, keras.layers.GRU))
    assert {n: p.default for n, p in ours.parameters.items()} == {
        n: p.default for n, p in theirs.parameters.items()
    } | {"fast": True, "update_gate": "keep"}
    assert CHANGED.keys() == ours.parameters.keys() - {"kwargs", "fast", "update_gate"}


@pytest.mark.parametrize("arguments", [{"units": 4}, CHANGED])
def test_the_config_and_the_properties_are_those_of_keras(arguments):
    more = {"name": "layer", "trainable": False, "dtype": "float64", "zero_output_for_mask": True}
    ours, theirs = (cls(**arguments, **more) for cls in (GRU, keras.layers.GRU))
    assert ours.get_config() == theirs.get_config()
    assert GRU.from_config(ours.get_config()).get_config() == ours.get_config()
    serialize = keras.saving.serialize_keras_object
    for name in CHANGED.keys() - {"use_cudnn", "seed"}:  # not on both layers
        assert serialize(getattr(ours, name)) == serialize(getattr(theirs, name)), name
    assert (ours.cell.trainable, ours.cell.dtype) == (False, "float64")


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize(
    "activation, recurrent_activation", [("relu", "hard_sigmoid"), (None, "tanh"), ("elu", None)]
)
def test_other_activations_equal_keras(reset_after, activation, recurrent_activation):
    rng = np.random.default_rng(2)
    x, h0 = rng.normal(size=(2, 5, 3)), rng.normal(size=(2, 4))
    layers = [
        cls(4, activation, recurrent_activation, reset_after=reset_after, dtype="float64")
        for cls in (GRU, keras.layers.GRU)
    ]
    for layer in layers:
        layer.build((None, None, 3))
    weights = [rng.normal(0, 0.5, w.shape) for w in layers[0].get_weights()]
    for layer in layers:
        layer.set_weights(weights)
    np.testing.assert_allclose(*(layer(x, initial_state=h0) for layer in layers), atol=1e-12)


@pytest.mark.parametrize("unroll", [True, False])
def test_only_an_unrolled_layer_has_no_loop(unroll):
    layer = GRU(4, unroll=unroll)
    layer.build((None, 5, 3))
    graph = tf.function(layer).get_concrete_function(tf.TensorSpec((2, 5, 3))).graph
    assert any("While" in op.type for op in graph.get_operations()) is not unroll
