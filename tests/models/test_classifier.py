"""build_classifier: what a config turns into."""

import dataclasses
import itertools

import keras
import numpy as np
import pytest

from seqclf import build_classifier
from seqclf.config import resolve
from seqclf.data.dataset import DatasetSpec
from seqclf.errors import ConfigError
from seqclf.layers import GRU
from seqclf.models.classifier import traceable

FIXED = DatasetSpec("test", "rows", (6, 4), "float32", ("a", "b", "c"))
VARYING = dataclasses.replace(FIXED, variable_length=True)
LONG = dataclasses.replace(FIXED, raw_shape=(9, 4))


def build(spec=FIXED, precision="float32", **model):
    return build_classifier(resolve({"model": model, "precision": precision}), spec)


def test_depth_and_widths_follow_the_config():
    model = build(units=[5, 4, 3])
    layers = [layer for layer in model.layers if isinstance(layer, GRU)]
    assert [layer.units for layer in layers] == [5, 4, 3]
    assert [layer.return_sequences for layer in layers] == [True, True, False]
    assert model.input_shape == (None, 6, 4)
    assert model.output_shape == (None, 3)


def test_it_equals_the_same_stack_of_keras_layers():
    model = build(units=[5, 4])
    peer = keras.Sequential(
        [
            keras.Input((6, 4)),
            keras.layers.GRU(5, return_sequences=True, use_cudnn=False),
            keras.layers.GRU(4, use_cudnn=False),
            keras.layers.Dense(3),
        ]
    )
    peer.set_weights(model.get_weights())
    x = np.random.default_rng(0).normal(size=(7, 6, 4)).astype("float32")
    np.testing.assert_allclose(model(x), peer(x), atol=1e-5)


@pytest.mark.parametrize("both", [False, True])
def test_with_pooling_the_head_reads_the_last_state_and_the_mean_of_all(both):
    """Beside Keras's own layers, which give the last state and all of them in two calls."""
    model = build(units=[5], pooling="mean", bidirectional=both)
    layers = [keras.layers.GRU(5, return_sequences=each, use_cudnn=False) for each in (False, True)]
    if both:
        layers = [keras.layers.Bidirectional(layer) for layer in layers]
    x = np.random.default_rng(0).normal(size=(7, 6, 4)).astype("float32")
    for layer in layers:
        layer.build(x.shape)
        layer.set_weights(model.get_weights()[:-2])
    last, states = (layer(x).numpy() for layer in layers)
    kernel, bias = model.get_weights()[-2:]
    expected = np.concatenate([last, states.mean(axis=1)], axis=-1) @ kernel + bias
    np.testing.assert_allclose(model(x), expected, atol=1e-5)
    assert traceable(model) is not both


def test_convolutions_stand_beside_the_recurrent_layers():
    """The head reads what the model without them reads, and beside it the branch's mean."""
    options = {"units": [5, 4], "pooling": "mean", "layer_norm": True}
    model, plain = (build(LONG, **options, conv=conv) for conv in ([6, 3], ()))
    branch = model.get_layer("convolutions")
    own = {id(weight) for weight in branch.weights}
    shared = [weight for weight in model.weights if id(weight) not in own]
    plain.set_weights([*shared[:-2], shared[-2][:8], shared[-1]])
    x = np.random.default_rng(0).normal(size=(7, 9, 4)).astype("float32")
    expected = plain(x) + branch(x) @ shared[-2][8:]
    np.testing.assert_allclose(model(x), expected, atol=1e-5)
    assert branch(x).shape == (7, 3) and traceable(model)


def test_without_convolutions_the_weights_are_drawn_as_ever():
    weights = []
    for options in ({}, {"conv": []}):
        keras.utils.set_random_seed(3)
        weights.append(build(units=[5, 4], **options).get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("spec", [FIXED, VARYING], ids=["fixed", "varying"])
def test_convolutions_are_refused_where_the_sequences_are_shorter(spec):
    build(spec, units=[3], conv=()), build(dataclasses.replace(spec, raw_shape=(8, 4)), conv=[3])
    most = " at most" * spec.variable_length
    said = rf"reads 8 time steps at once, .* have 6{most}: set `model.conv` to \(\). Received: \[9"
    with pytest.raises(ConfigError, match=said):
        build(spec, units=[3], conv=[9, 9])


def test_options_add_their_layers():
    model = build(units=[5, 4], bidirectional=True, dropout=0.2, layer_norm=True, reset_after=False)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["InputLayer", *["Bidirectional", "LayerNormalization", "Dropout"] * 2, "Dense"]
    assert model.layers[1].forward_layer.reset_after is False
    assert model.layers[4].output.shape == (None, 8)


def test_a_layer_above_a_time_reduction_reads_fewer_steps():
    model = build(units=[5, 4, 3], time_reduction=[3, 1])
    assert [layer.input.shape[1] for layer in model.layers if isinstance(layer, GRU)] == [6, 2, 2]
    assert not traceable(model)
    assert traceable(build(units=[5, 4], time_reduction=[1]))  # 1 is all: nothing is left out


def test_mixed_precision_reaches_a_time_reduction():
    model = build(units=[4, 4], time_reduction=[2], precision="mixed_bfloat16")
    assert model.get_layer("time_reduction_1").compute_dtype == "bfloat16"


def test_chrono_initialisation_reaches_every_layer():
    model = build(units=[50, 50], chrono=100, bidirectional=True)
    wrapped = [layer for layer in model.layers if isinstance(layer, keras.layers.Bidirectional)]
    layers = [each for both in wrapped for each in (both.forward_layer, both.backward_layer)]
    biases = [np.asarray(layer.cell.bias)[0, :50] for layer in layers]  # b_z
    assert len(biases) == 4
    for bias in biases:
        assert bias.min() > 0 and np.log(50) < bias.max() < np.log(99)
    for a, b in itertools.combinations(biases, 2):
        assert (a != b).all()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bidirectional": True},
        {"bidirectional": True, "pooling": "mean"},
        {"time_reduction": [4], "layer_norm": True},
        {"time_reduction": [4], "pooling": "mean"},
        {"conv": [5, 7], "pooling": "mean"},
        {"conv": [5], "bidirectional": True},
    ],
    ids=str,
)
def test_padding_changes_nothing(options):
    """The last valid state is read: padding of any length leaves the logits as they are."""
    spec = dataclasses.replace(LONG, variable_length=True)
    model = build(spec, units=[5, 4], **options)
    rng = np.random.default_rng(0)
    x, lengths = rng.normal(size=(3, 6, 4)).astype("float32"), np.array([2, 6, 4])
    together = model({"sequences": x, "lengths": lengths}).numpy()
    for row, length, logits in zip(x, lengths, together, strict=True):
        alone = {"sequences": row[None, :length], "lengths": np.array([length])}
        np.testing.assert_allclose(model(alone)[0], logits, atol=1e-6)


def test_mixed_precision_ends_in_float32():
    model = build(units=[4], precision="mixed_bfloat16")
    assert model.layers[1].compute_dtype == "bfloat16"
    assert model(np.ones((2, 6, 4), "float32")).dtype == "float32"


def test_summary_is_readable(capsys):
    build(units=[100, 100]).summary(line_length=80)
    text = capsys.readouterr().out
    assert "gru_1 (GRU)" in text and "gru_2 (GRU)" in text and "logits (Dense)" in text
