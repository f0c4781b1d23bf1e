"""The cells beside references that are not ours: Keras, PyTorch, NumPy, finite differences."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from seqclf.layers import GRU, LSTM, MGU, GRUCell, LSTMCell, MGUCell, SimpleRNN, SimpleRNNCell
from seqclf.layers import convert_update_gate as convert

B, T, D, H = 3, 5, 4, 6
KERAS = {LSTM: keras.layers.LSTM, SimpleRNN: keras.layers.SimpleRNN}
CELLS = [SimpleRNNCell, LSTMCell, GRUCell, MGUCell]


def random_weights(layer, rng):
    """Gives a built layer random weights, biases included, and returns them."""
    weights = [rng.normal(0, 0.7, w.shape) for w in layer.get_weights()]
    layer.set_weights(weights)
    return weights


def run(layer, x, states, mask, upstream):
    tensors = [tf.constant(x), *map(tf.constant, states)]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        outputs = layer(tensors[0], initial_state=tensors[1:], mask=mask)
        loss = sum(tf.reduce_sum(o * u) for o, u in zip(outputs, upstream, strict=True))
    sources = tensors + [v.value for v in layer.trainable_variables]
    return [o.numpy() for o in outputs], [g.numpy() for g in tape.gradient(loss, sources)]


@given(
    ours=st.sampled_from([LSTM, SimpleRNN]),
    seed=st.integers(0, 2**32 - 1),
    masked=st.booleans(),
    arguments=st.fixed_dictionaries(
        {
            "use_bias": st.booleans(),
            "go_backwards": st.booleans(),
            "return_sequences": st.booleans(),
            "unroll": st.booleans(),
        }
    ),
)
def test_outputs_states_and_gradients_equal_keras(ours, seed, masked, arguments):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(B, T, D))
    mask = np.arange(T) < rng.integers(1, T + 1, size=(B, 1)) if masked else None
    layers = [
        cls(H, return_state=True, dtype="float64", **arguments) for cls in (ours, KERAS[ours])
    ]
    for layer in layers:
        layer.build((B, T, D))
    weights = random_weights(layers[0], rng)
    layers[1].set_weights(weights)
    count = 2 if ours is LSTM else 1
    states = [rng.normal(size=(B, H)) for _ in range(count)]
    first = (B, T, H) if arguments["return_sequences"] else (B, H)
    upstream = [rng.normal(size=shape) for shape in [first, *[(B, H)] * count]]
    found, expected = (run(layer, x, states, mask, upstream) for layer in layers)
    for a, b in zip(found[0] + found[1], expected[0] + expected[1], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-10)


@pytest.mark.parametrize("ours", [LSTM, SimpleRNN])
def test_configs_and_initial_weights_are_keras_s(ours):
    initializers = {
        "kernel_initializer": keras.initializers.GlorotUniform(seed=3),
        "recurrent_initializer": keras.initializers.Orthogonal(seed=4),
        "bias_initializer": keras.initializers.RandomNormal(seed=5),
    }
    more = {"kernel_regularizer": "l2", "dropout": 0.2, "return_sequences": True}
    layer = ours(H, **initializers, **more)
    theirs = KERAS[ours].from_config(layer.get_config())
    again = ours.from_config(theirs.get_config())
    assert again.get_config() == layer.get_config()
    layer.build((None, None, D))
    theirs.build((None, None, D))
    for a, b in zip(layer.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert layer.units == H and layer.dropout == 0.2  # readable on the layer, as on Keras's


@pytest.mark.parametrize("ours", [LSTM, SimpleRNN])
def test_outputs_equal_pytorch(ours):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: make test TORCH=1")
    rng = np.random.default_rng(2)
    layer = ours(H, return_sequences=True, dtype="float64")
    layer.build((None, None, D))
    kernel, recurrent, bias = random_weights(layer, rng)
    peer = (torch.nn.LSTM if ours is LSTM else torch.nn.RNN)(D, H, batch_first=True).double()
    with torch.no_grad():  # PyTorch has the LSTM's blocks in the same order, i, f, c (its g), o
        peer.weight_ih_l0.copy_(torch.tensor(kernel.T))
        peer.weight_hh_l0.copy_(torch.tensor(recurrent.T))
        peer.bias_ih_l0.copy_(torch.tensor(bias))
        peer.bias_hh_l0.zero_()
        x = rng.normal(size=(B, T, D))
        expected = peer(torch.tensor(x))[0].numpy()
    np.testing.assert_allclose(layer(x), expected, atol=1e-12)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def mgu(x, h, kernel, recurrent, bias):
    """MGU (Zhou et al. 2016, arXiv:1603.09420), example by example, with matrices of each gate."""
    W_f, W_h = kernel[:, :H], kernel[:, H:]
    U_f, U_h = recurrent[:, :H], recurrent[:, H:]
    states = np.zeros((B, T, H))
    for n in range(B):
        state = h[n]
        for t in range(T):
            f = sigmoid(x[n, t] @ W_f + state @ U_f + bias[:H])
            candidate = np.tanh(x[n, t] @ W_h + (f * state) @ U_h + bias[H:])
            state = (1 - f) * state + f * candidate
            states[n, t] = state
    return states


def test_mgu_follows_its_equations():
    rng = np.random.default_rng(4)
    layer = MGU(H, return_sequences=True, dtype="float64")
    layer.build((None, None, D))
    weights = random_weights(layer, rng)
    x, h = rng.normal(size=(B, T, D)), rng.normal(size=(B, H))
    np.testing.assert_allclose(layer(x, initial_state=h), mgu(x, h, *weights), atol=1e-12)


@pytest.mark.parametrize("cell_class", CELLS)
def test_gradients_are_those_of_finite_differences(cell_class):
    rng = np.random.default_rng(6)
    cell = cell_class(H, dtype="float64")
    cell.build((None, D))
    random_weights(cell, rng)
    x = rng.normal(size=(B, D))
    states = [rng.normal(size=(B, H)) for _ in cell.state_names]
    upstream = [rng.normal(size=(B, H)) for _ in cell.state_names]

    def loss():
        _, after = cell(tf.constant(x), [tf.constant(state) for state in states])
        return sum(tf.reduce_sum(a * u) for a, u in zip(after, upstream, strict=True))

    with tf.GradientTape() as tape:
        value = loss()
    for variable, gradient in zip(
        cell.trainable_variables,
        tape.gradient(value, [v.value for v in cell.trainable_variables]),
        strict=True,
    ):
        before = variable.numpy()
        for index in list(np.ndindex(before.shape))[:: max(1, before.size // 12)]:
            values = []
            for sign in (1, -1):
                moved = before.copy()
                moved[index] += sign * 1e-5
                variable.assign(moved)
                values.append(float(loss()))
            variable.assign(before)
            difference = (values[0] - values[1]) / 2e-5
            np.testing.assert_allclose(gradient.numpy()[index], difference, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("reset_after", [True, False])
def test_the_two_ways_to_write_z_are_one_model(reset_after):
    rng = np.random.default_rng(8)
    keep, replace = (
        GRU(H, update_gate=way, reset_after=reset_after, return_sequences=True, dtype="float64")
        for way in ("keep", "replace")
    )
    for layer in (keep, replace):
        layer.build((None, None, D))
    replace.set_weights(convert(random_weights(keep, rng), H))
    x = rng.normal(size=(B, T, D))
    np.testing.assert_allclose(replace(x), keep(x), atol=1e-12)
    assert replace.path == "general: the cell, step by step (update_gate is 'replace')"
    again = GRU.from_config(replace.get_config())
    assert again.update_gate == "replace" and "update_gate" not in keep.get_config()


# The cases in which one cell is another: gates stand still where their biases drive them.
OPEN, SHUT = 1e3, -1e3  # σ of these is exactly 1 and 0 in float64


def driven(layer, rng, biases):
    """Builds a layer with random weights and gates that stand still; returns its candidate's."""
    layer.build((None, None, D))
    kernel, recurrent, bias = (rng.normal(0, 0.7, w.shape) for w in layer.get_weights())
    for i, name in enumerate(layer.cell.blocks):
        if name in biases:
            part = slice(i * H, (i + 1) * H)
            kernel[:, part], recurrent[:, part], bias[part] = 0, 0, biases[name]
    layer.set_weights([kernel, recurrent, bias])
    i = layer.cell.blocks.index("candidate")
    part = slice(i * H, (i + 1) * H)
    return kernel[:, part], recurrent[:, part], bias[part]


def plain(weights, **arguments):
    layer = keras.layers.SimpleRNN(H, return_sequences=True, dtype="float64", **arguments)
    layer.build((None, None, D))
    layer.set_weights(weights)
    return layer


def test_an_lstm_that_writes_all_and_keeps_nothing_is_a_plain_rnn_with_tanh_twice():
    rng = np.random.default_rng(1)
    lstm = LSTM(H, return_sequences=True, dtype="float64")
    gates = {"input_gate": OPEN, "forget_gate": SHUT, "output_gate": OPEN}
    weights = driven(lstm, rng, gates)
    x = rng.normal(size=(B, T, D))
    rnn = plain(weights, activation=lambda a: tf.tanh(tf.tanh(a)))
    np.testing.assert_allclose(lstm(x), rnn(x), atol=1e-12)


def test_an_lstm_that_keeps_all_and_writes_nothing_keeps_its_cell_state():
    rng = np.random.default_rng(1)
    lstm = LSTM(H, return_state=True, dtype="float64")
    driven(lstm, rng, {"input_gate": SHUT, "forget_gate": OPEN})
    c = rng.normal(size=(B, H))
    *_, last = lstm(rng.normal(size=(B, T, D)), initial_state=[np.zeros((B, H)), c])
    np.testing.assert_array_equal(last, c)


def test_an_mgu_whose_gate_is_open_is_a_plain_rnn_and_shut_copies_its_state():
    rng = np.random.default_rng(1)
    x, h = rng.normal(size=(B, T, D)), rng.normal(size=(B, H))
    layer = MGU(H, return_sequences=True, dtype="float64")
    rnn = plain(driven(layer, rng, {"forget_gate": OPEN}))
    np.testing.assert_allclose(layer(x, initial_state=h), rnn(x, initial_state=h), atol=1e-12)
    shut = MGU(H, return_sequences=True, dtype="float64")
    driven(shut, rng, {"forget_gate": SHUT})
    np.testing.assert_array_equal(shut(x, initial_state=h), np.repeat(h[:, None], T, axis=1))


def test_an_mgu_is_a_gru_whose_two_gates_are_one():
    rng = np.random.default_rng(3)
    layer = MGU(H, return_sequences=True, dtype="float64")
    layer.build((None, None, D))
    kernel, recurrent, bias = random_weights(layer, rng)
    gru = GRU(H, reset_after=False, update_gate="replace", return_sequences=True, dtype="float64")
    gru.build((None, None, D))
    gru.set_weights([np.concatenate([w[..., :H], w], axis=-1) for w in (kernel, recurrent, bias)])
    x = rng.normal(size=(B, T, D))
    np.testing.assert_allclose(layer(x), gru(x), atol=1e-12)


@pytest.mark.parametrize("layer_class", [SimpleRNN, LSTM, GRU, MGU])
def test_integers_are_taken_as_numbers(layer_class):
    x = np.random.default_rng(0).integers(-3, 3, size=(B, T, D))
    layer = layer_class(H)
    expected = layer(x.astype("float32"))
    np.testing.assert_array_equal(layer(x), expected)
    state = np.zeros((B, H), "float32")
    states = [state] * len(layer.cell.state_names)
    found, _ = layer.cell(x[:, 0], states)
    np.testing.assert_array_equal(found, layer.cell(x[:, 0].astype("float32"), states)[0])


@pytest.mark.parametrize("layer_class", [SimpleRNN, LSTM, GRU, MGU])
def test_padding_reaches_neither_outputs_nor_gradients(layer_class):
    rng = np.random.default_rng(9)
    x = rng.normal(size=(B, T, D)).astype("float32")
    mask = np.arange(T) < np.array([[T], [2], [1]])
    x[~mask] = np.nan
    layer = layer_class(H)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x, mask=mask))
    for gradient in tape.gradient(loss, [v.value for v in layer.trainable_variables]):
        assert np.isfinite(gradient).all()
    np.testing.assert_allclose(layer(x, mask=mask)[2], layer(x[2:3, :1])[0], atol=1e-6)


@pytest.mark.parametrize("layer_class", [SimpleRNN, LSTM, MGU])
def test_dropout_is_drawn_anew_for_each_call_and_only_in_training(layer_class):
    layer = layer_class(H, dropout=0.5, recurrent_dropout=0.3, seed=1, return_sequences=True)
    x = np.ones((B, T, D), "float32")
    np.testing.assert_array_equal(layer(x), layer(x, training=False))
    first, second = layer(x, training=True), layer(x, training=True)
    assert np.abs(first - second).max() > 0


def test_a_sequence_s_steps_share_their_dropout():
    """Without the past, equal inputs give equal states if the same ones are dropped."""
    layer = SimpleRNN(H, dropout=0.5, seed=1, recurrent_initializer="zeros", return_sequences=True)
    x = np.ones((B, T, D), "float32")
    dropped = layer(x, training=True).numpy()
    np.testing.assert_array_equal(dropped, np.repeat(dropped[:, :1], T, axis=1))
    assert np.abs(dropped - layer(x)).max() > 0.01


@pytest.mark.parametrize("layer_class", [SimpleRNN, LSTM, MGU])
def test_it_is_saved_with_safe_mode(layer_class, tmp_path):
    inputs = keras.Input((T, D))
    hidden = keras.layers.Bidirectional(layer_class(H, return_sequences=True))(inputs)
    outputs = keras.layers.RNN([layer_class.cell_class(3), layer_class.cell_class(2)])(hidden)
    model = keras.Model(inputs, outputs)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    x = np.ones((B, T, D), "float32")
    np.testing.assert_array_equal(loaded(x), model(x))


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (lambda: LSTM(0), "units=0"),
        (lambda: MGU(2.5), "units=2.5"),
        (lambda: SimpleRNN(3, dropout=1.0), "dropout=1.0"),
        (lambda: GRUCell(3, update_gate="both"), "'keep' or 'replace'. Received: 'both'"),
    ],
)
def test_bad_arguments_are_named(cell, message):
    with pytest.raises(ValueError, match=message):
        cell()
