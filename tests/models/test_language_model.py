"""A language model: the same numbers as one of Keras's layers, and a state to go on from."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqclf.config import resolve
from seqclf.data.dataset import DatasetSpec
from seqclf.data.text.token_spec import TokenSpec
from seqclf.errors import ConfigError
from seqclf.layers.execution import execution
from seqclf.models.classifier import build_classifier
from seqclf.models.language_model import (
    advance,
    build_language_model,
    dropouts,
    is_language_model,
    zero_state,
)
from seqclf.models.loading import load_classifier

NAMES = ("<unk>", *"abcdefg")
SPEC = DatasetSpec("text:t", "rows", (5, 1), "int32", NAMES, tokens=TokenSpec())
TOKENS = np.random.default_rng(0).integers(0, len(NAMES), [3, 7]).astype(np.int32)


def language_model(**options):
    keras.utils.set_random_seed(1)
    config = resolve({"model": {"units": [6, 5], **options}, "data": {"source": "text:t"}})
    return build_language_model(config, SPEC)


@pytest.mark.parametrize("embedding", [0, 4])
@pytest.mark.parametrize("reset_after", [True, False])
def test_logits_are_those_of_keras_layers(embedding, reset_after):
    model = language_model(embedding=embedding, reset_after=reset_after)
    layers = [keras.Input((None,), dtype="int32")]
    if embedding:
        layers.append(keras.layers.Embedding(len(NAMES), embedding))
    else:
        layers.append(keras.layers.CategoryEncoding(len(NAMES), output_mode="one_hot"))
    layers += [
        keras.layers.GRU(units, return_sequences=True, reset_after=reset_after) for units in (6, 5)
    ]
    layers.append(keras.layers.Dense(len(NAMES)))
    peer = keras.Sequential(layers[1:])
    one_hot = tf.one_hot(TOKENS, len(NAMES))
    if not embedding:
        peer = keras.Sequential(layers[2:])
    given = TOKENS if embedding else one_hot
    peer(given)
    peer.set_weights(model.get_weights())
    np.testing.assert_allclose(model(TOKENS), peer(given), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn", "mgu"])
@pytest.mark.parametrize("xla", ["caller", "off"])
def test_reading_on_from_a_state_is_reading_at_once(cell, xla):
    model = language_model(cell=cell, layer_norm=True, embedding=3)
    with execution(xla=xla, shares=1):
        whole, last = advance(model, TOKENS, zero_state(model, 3))
        first, state = advance(model, TOKENS[:, :3], zero_state(model, 3))
        second, end = advance(model, TOKENS[:, 3:], state)
    np.testing.assert_allclose(whole, model(TOKENS), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(whole, tf.concat([first, second], 1), rtol=1e-5, atol=1e-6)
    assert len(end) == (4 if cell == "lstm" else 2)
    for a, b in zip(last, end, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_masks_drop_the_same_features_at_all_time_steps():
    model = language_model(dropout=0.5, embedding=3, embedding_dropout=0.2)
    assert dropouts(model) == [(0.2, 3), (0.5, 6), (0.5, 5)]
    masks = [np.full([3, width], 2.0, np.float32) for width in (3, 6, 5)]
    masks[2][:] = 0
    logits, _ = advance(model, TOKENS, zero_state(model, 3), masks, training=True)
    bias = model.get_layer("logits").bias
    np.testing.assert_allclose(logits, np.broadcast_to(bias, logits.shape), atol=1e-6)
    masks[2][:, :2] = 2
    states = np.asarray(advance(model, TOKENS, zero_state(model, 3), masks, training=True)[0])
    free, _ = advance(model, TOKENS, zero_state(model, 3))
    assert np.abs(states - free).max() > 1e-3
    np.testing.assert_allclose(model(TOKENS, training=False), free, rtol=1e-5, atol=1e-6)


def test_it_is_saved_and_loaded(tmp_path):
    model = language_model(embedding=3, dropout=0.3, layer_norm=True)
    model.save(tmp_path / "model.keras")
    loaded = load_classifier(tmp_path / "model.keras", SPEC)
    assert is_language_model(loaded)
    np.testing.assert_array_equal(model(TOKENS), loaded(TOKENS))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"bidirectional": True},
            "`model.bidirectional` cannot be used for text: .* not read",
        ),
        ({"pooling": "mean"}, "`model.pooling` cannot be used for text.*Received: 'mean'"),
        ({"conv": [4]}, "`model.conv` cannot be used for text"),
        ({"time_reduction": [2]}, "`model.time_reduction` cannot be used for text"),
    ],
)
def test_what_a_language_model_cannot_have_is_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        language_model(**options)


def test_each_kind_of_data_has_its_own_model():
    config = resolve({"model": {"units": [6]}, "data": {"source": "text:t"}})
    with pytest.raises(ConfigError, match=r"build_language_model. Received: the spec of text:t"):
        build_classifier(config, SPEC)
    digits = DatasetSpec("digits", "rows", (8, 8), "uint8", ("0", "1"))
    with pytest.raises(ConfigError, match=r"build_classifier. Received: the spec of digits"):
        build_language_model(config, digits)
