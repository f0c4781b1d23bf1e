"""What code written for keras.layers.GRU relies on, beyond numbers."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqclf import GRU, GRUCell

B, T, D, H = 2, 5, 3, 4


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(B, T, D)).astype("float32")


def test_saved_and_loaded_with_safe_mode(x, tmp_path):
    inputs = keras.Input((T, D))
    hidden = GRU(H, return_sequences=True, reset_after=False, kernel_regularizer="l2")(inputs)
    hidden = keras.layers.Bidirectional(GRU(H, return_sequences=True))(hidden)
    outputs = keras.layers.RNN([GRUCell(H), GRUCell(2)])(hidden)
    model = keras.Model(inputs, outputs)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded(x), model(x))
    assert isinstance(loaded.layers[1], GRU)
    assert loaded.layers[1].reset_after is False


def test_bidirectional_equals_keras(x):
    mask = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)
    results = []
    for cls in (GRU, keras.layers.GRU):
        layer = keras.layers.Bidirectional(cls(H, return_sequences=True))
        layer.build((B, T, D))
        rng = np.random.default_rng(5)
        layer.set_weights([rng.normal(size=w.shape) for w in layer.get_weights()])
        results.append(layer(x, mask=mask).numpy())
    np.testing.assert_allclose(*results, atol=1e-5)


@pytest.mark.parametrize("reset_after", [True, False])
def test_keras_rnn_drives_our_cell(x, reset_after):
    layer = GRU(H, reset_after=reset_after, return_sequences=True)
    expected = layer(x)
    rnn = keras.layers.RNN(GRUCell(H, reset_after=reset_after), return_sequences=True)
    rnn.build(x.shape)
    rnn.set_weights(layer.get_weights())
    np.testing.assert_allclose(rnn(x), expected, atol=1e-6)


def test_stacked_cells_equal_stacked_layers(x):
    first, second = GRU(H, return_sequences=True), GRU(2)
    expected = second(first(x))
    stacked = keras.layers.RNN(keras.layers.StackedRNNCells([GRUCell(H), GRUCell(2)]))
    stacked.build(x.shape)
    stacked.set_weights(first.get_weights() + second.get_weights())
    np.testing.assert_allclose(stacked(x), expected, atol=1e-6)


def test_stateful_goes_on_where_the_batch_before_ended(x):
    layer = GRU(H, stateful=True)
    layer(x[:, :2])
    halves = layer(x[:, 2:])
    whole = GRU(H)
    whole.build(x.shape)
    whole.set_weights(layer.get_weights())
    np.testing.assert_allclose(halves, whole(x), atol=1e-6)
    layer.reset_state()
    np.testing.assert_allclose(layer(x), whole(x), atol=1e-6)


@pytest.mark.parametrize("units_before", [1, 2])
def test_a_mask_reaches_the_next_layer(x, units_before):
    masked = keras.layers.Masking()(np.where(np.arange(T)[:, None] < 3, x, 0.0))
    layers = [GRU(H, return_sequences=True) for _ in range(units_before)] + [GRU(H)]
    hidden = masked
    short = x[:, :3]
    for layer in layers:
        hidden = layer(hidden)
        short = layer(short)
    np.testing.assert_allclose(hidden, short, atol=1e-6)


@pytest.mark.parametrize("reset_after", [True, False])
def test_nan_in_the_padding_reaches_nothing(x, reset_after):
    mask = np.arange(T) < np.array([[3], [4]])
    layer = GRU(H, reset_after=reset_after, return_sequences=True)
    results = []
    for padding in (0.0, np.nan):
        padded = tf.constant(np.where(mask[..., None], x, padding).astype("float32"))
        with tf.GradientTape() as tape:
            tape.watch(padded)
            loss = tf.reduce_sum(layer(padded, mask=mask) ** 2)
        sources = [padded] + [v.value for v in layer.trainable_variables] if layer.built else []
        results.append([loss, *tape.gradient(loss, sources)])
    for clean, dirty in zip(*results, strict=True):
        np.testing.assert_array_equal(clean, dirty)


def test_dropout_masks_hold_for_the_whole_sequence():
    # W and U pass x and h on as they are: with z shut and r open, h_t = tanh(x · mask).
    layer = GRU(64, dropout=0.5, return_sequences=True, seed=1, kernel_initializer="identity")
    x = np.ones((3, 4, 64), "float32")
    layer.build(x.shape)
    kernel, recurrent, bias = (np.zeros_like(w) for w in layer.get_weights())
    kernel[:, 128:], bias[0, :64], bias[0, 64:128] = np.eye(64), -1e3, 1e3
    layer.set_weights([kernel, recurrent, bias])
    dropped = layer(x, training=True).numpy() == 0
    assert 0.3 < dropped.mean() < 0.7
    np.testing.assert_array_equal(dropped, np.broadcast_to(dropped[:, :1], dropped.shape))
    assert (layer(x, training=True).numpy() == 0).tolist() != dropped.tolist()  # drawn anew
    assert not (layer(x, training=False).numpy() == 0).any()


@pytest.mark.parametrize("kind", ["dropout", "recurrent_dropout"])
def test_dropout_follows_its_seed_and_acts_in_training_only(x, kind):
    def run(seed, training):
        keras.utils.set_random_seed(3)
        layer = GRU(H, seed=seed, kernel_initializer="ones", **{kind: 0.5})
        return layer(np.abs(x), training=training).numpy()

    np.testing.assert_array_equal(run(1, True), run(1, True))
    assert np.abs(run(1, True) - run(2, True)).max() > 1e-4
    np.testing.assert_array_equal(run(1, False), run(2, False))
    assert np.abs(run(1, True) - run(1, False)).max() > 1e-4


def test_recurrent_dropout_leaves_the_copied_state_alone(x):
    layer = GRU(H, recurrent_dropout=0.9)
    layer.build(x.shape)
    kernel, recurrent, bias = layer.get_weights()
    bias[0, :H] = 1e3  # z = 1: the state is carried through
    layer.set_weights([kernel, recurrent, bias])
    state = np.ones((B, H), "float32")
    np.testing.assert_array_equal(layer(x, initial_state=state, training=True), state)


def test_regularizers_and_constraints_apply_to_their_weights(x):
    losses = []
    for cls in (GRU, keras.layers.GRU):
        keras.utils.set_random_seed(0)
        layer = cls(
            H,
            kernel_regularizer=keras.regularizers.L2(1.0),
            recurrent_regularizer=keras.regularizers.L2(2.0),
            bias_regularizer=keras.regularizers.L2(3.0),
            activity_regularizer=keras.regularizers.L2(4.0),
            bias_initializer="ones",
            recurrent_constraint="non_neg",
        )
        layer(x)
        losses.append(sorted(map(float, layer.losses)))
        assert layer.cell.recurrent_kernel.constraint(-np.ones(2)).numpy().tolist() == [0, 0]
    assert len(losses[0]) == 4 and min(losses[0]) > 0
    np.testing.assert_allclose(*losses, rtol=1e-5)


@pytest.mark.parametrize(
    "policy, dtype", [("mixed_bfloat16", "bfloat16"), ("mixed_float16", "float16")]
)
def test_mixed_precision_computes_low_and_stores_float32(x, policy, dtype):
    layer = GRU(H, dtype=policy, return_sequences=True)
    outputs = layer(x)
    assert outputs.dtype == dtype
    assert {v.dtype for v in layer.trainable_variables} == {"float32"}
    full = GRU(H, return_sequences=True)
    full.build(x.shape)
    full.set_weights(layer.get_weights())
    np.testing.assert_allclose(tf.cast(outputs, tf.float32), full(x), atol=0.03)


def test_unknown_length_and_empty_batch():
    model = keras.Sequential([keras.Input((None, D)), GRU(H)])
    for batch, steps in ((1, 7), (3, 2), (0, 4)):
        assert model(np.zeros((batch, steps, D), "float32")).shape == (batch, H)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"units": 0}, "`units` must be a positive integer. Received: units=0"),
        ({"units": 2.5}, "`units` must be a positive integer. Received: units=2.5"),
        ({"units": 3, "dropout": 1.0}, "`dropout` must be .* Received: dropout=1.0"),
        ({"units": 3, "recurrent_dropout": -0.1}, "Received: recurrent_dropout=-0.1"),
        ({"units": 3, "dropout": None}, "`dropout` must be a number .* Received: dropout=None"),
        ({"units": 3, "recurrent_dropout": "a"}, "Received: recurrent_dropout='a'"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        GRU(**arguments)


def test_numbers_from_numpy_are_taken_and_serialized():
    config = GRU(np.int64(3), dropout=np.float32(0.5)).get_config()
    assert json.loads(json.dumps(config)) == config
    assert (config["units"], config["dropout"]) == (3, 0.5)


def test_inputs_of_another_shape_are_refused(x):
    layer = GRU(H)
    with pytest.raises(ValueError, match="expected ndim=3, found ndim=2"):
        layer(x[0])
    layer(x)
    with pytest.raises(ValueError, match=r"expected axis -1 of input shape to have value 3"):
        layer(np.zeros((B, T, D + 1), "float32"))


def test_what_keras_tolerates_is_tolerated(x):
    layer = GRU(H, implementation=1, use_cudnn="auto")
    assert layer(x).shape == (B, H)
    assert "implementation" not in layer.get_config()
