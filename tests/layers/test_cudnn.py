"""cuDNN's kernel without a GPU: when it is chosen, and what it would be called with.

The kernel is put in place by a stand-in, written from cuDNN's documentation and the NumPy
reference, that takes the vector of parameters apart.
"""

import importlib
import types

import gru_reference as reference
import keras
import numpy as np
import pytest
import tensorflow as tf

from seqclf.layers import GRU, LSTM, cudnn
from seqclf.layers.execution import execution

B, T, D, H = 3, 5, 2, 4
ALLOWED = {
    "gpu": True,
    "activation": keras.activations.tanh,
    "recurrent_activation": keras.activations.sigmoid,
    "use_bias": True,
    "reset_after": True,
    "recurrent_dropout": 0.0,
    "unroll": False,
    "dtype": "float32",
}


def kernel(calls):
    """Returns the stand-in for `tf.raw_ops.CudnnRNNV3`; each call is noted in `calls`."""

    def numpy_kernel(x, h0, parameters, lengths):
        cut = np.cumsum([D * H] * 3 + [H * H] * 3 + [H] * 6)[:-1]
        pieces = np.split(parameters, cut)
        gates = [piece.reshape(H, -1).T for piece in pieces[:6]] + pieces[6:]  # r, z, h each
        W, U, b, c = (
            np.concatenate([gates[i + 1], gates[i], gates[i + 2]], axis=-1) for i in (0, 3, 6, 9)
        )
        weights = [W, U, np.stack([b, c])]
        mask = np.arange(len(x)) < lengths[:, None]  # [B, T]
        states = reference.gru(x.transpose(1, 0, 2), h0[0], weights, mask=mask)
        last = states[:, -1]
        shown = np.where(mask[..., None], states, 0.0).transpose(1, 0, 2)
        return shown.astype(x.dtype), last[None].astype(x.dtype)

    def call(**arguments):
        calls.append(arguments)
        assert arguments["rnn_mode"] == "gru" and arguments["time_major"]
        assert arguments["is_training"]  # Keras does the same: without it there is no gradient
        inputs = [arguments[n] for n in ("input", "input_h", "params", "sequence_lengths")]
        dtype = arguments["input"].dtype
        outputs, last = tf.numpy_function(numpy_kernel, inputs, [dtype, dtype])
        outputs = tf.ensure_shape(outputs, [*arguments["input"].shape[:2], H])
        return outputs, tf.ensure_shape(last, [1, None, H]), None, None, None

    return call


@pytest.fixture
def gpu(monkeypatch):
    """Makes the layer believe in a GPU; returns the list of the kernel's calls."""
    calls = []
    monkeypatch.setattr(cudnn, "gpu_visible", lambda: True)
    raw_ops = types.SimpleNamespace(CudnnRNNV3=kernel(calls))
    monkeypatch.setattr(cudnn, "tf", types.SimpleNamespace(**vars(tf) | {"raw_ops": raw_ops}))
    return calls


def test_all_conditions_met_there_is_no_obstacle():
    assert cudnn.obstacle(**ALLOWED) == ""


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"gpu": False}, "no GPU is visible"),
        ({"activation": keras.activations.relu}, "activation is not tanh"),
        (
            {"recurrent_activation": keras.activations.hard_sigmoid},
            "recurrent_activation is not sigmoid",
        ),
        ({"use_bias": False}, "use_bias=False"),
        ({"reset_after": False}, "reset_after=False"),
        ({"recurrent_dropout": 0.1}, "recurrent_dropout"),
        ({"unroll": True}, "unroll=True"),
        ({"dtype": "bfloat16"}, "dtype bfloat16"),
        ({"gpu": False, "unroll": True}, "no GPU is visible, unroll=True"),
    ],
)
def test_each_condition_is_an_obstacle_by_itself(change, reason):
    assert cudnn.obstacle(**ALLOWED | change) == reason


def test_the_parameters_lie_as_keras_lays_them():
    rng = np.random.default_rng(0)
    W, U, bias = (
        rng.normal(size=size).astype("float32") for size in ((D, 3 * H), (H, 3 * H), (2, 3 * H))
    )
    weights = [*tf.split(W, 3, axis=1), *tf.split(U, 3, axis=1)]
    biases = tf.split(tf.reshape(bias, [-1]), 6)
    swap = [1, 0, 2, 4, 3, 5]  # as `_cudnn_gru` does in a CUDA build
    keras_rnn = importlib.import_module("keras.src.backend.tensorflow.rnn")
    theirs = keras_rnn._standardize_cudnn_weights(
        [weights[i] for i in swap], [biases[i] for i in swap], [-1], transpose_weights=True
    )
    np.testing.assert_array_equal(cudnn.parameters(W, U, bias), theirs)


@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("mask_kind", ["none", "right", "holes", "a row without a step"])
def test_the_layer_with_the_kernel_equals_the_layer_without(gpu, mask_kind, go_backwards):
    rng = np.random.default_rng(2)
    x, h0 = rng.normal(size=(B, T, D)), rng.normal(size=(B, H))
    mask = {
        "none": None,
        "right": np.arange(T) < np.array([[5], [2], [1]]),
        "holes": np.array([[1, 0, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], bool),
        "a row without a step": np.arange(T) < np.array([[5], [0], [1]]),
    }[mask_kind]
    arguments = {"return_sequences": True, "return_state": True, "go_backwards": go_backwards}
    layer = GRU(H, dtype="float64", **arguments)
    layer.build((B, T, D))
    layer.set_weights(reference.random_weights(rng, D, H))
    with_kernel = layer(x, initial_state=h0, mask=mask)
    assert layer.path == "cudnn"
    reaches_it = mask_kind == "none" or (mask_kind == "right" and not go_backwards)
    assert len(gpu) == reaches_it
    without = GRU.from_config(layer.get_config() | {"name": "peer"})
    without.use_cudnn = False
    without.build((B, T, D))
    without.set_weights(layer.get_weights())
    expected = without(x, initial_state=h0, mask=mask)
    assert without.path.startswith("bptt")
    for a, b in zip(with_kernel, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_only_right_padded_masks_reach_the_kernel():
    rows = {
        "right": [[1, 1, 0], [1, 0, 0], [1, 1, 1]],
        "left": [[1, 1, 1], [0, 1, 1]],
        "hole": [[1, 0, 1]],
        "empty row": [[1, 1, 1], [0, 0, 0]],
    }
    found = {name: bool(cudnn.right_padded(np.array(mask, bool))) for name, mask in rows.items()}
    assert found == {"right": True, "left": False, "hole": False, "empty row": False}


@pytest.mark.usefixtures("gpu")
def test_on_a_gpu_keras_is_told_not_to_compile_and_false_is_respected():
    assert GRU(4).supports_jit is False
    assert GRU(4, use_cudnn=True).supports_jit is False
    assert GRU(4, use_cudnn=False).supports_jit is True
    layer = GRU(H, use_cudnn=False)
    layer(np.zeros((B, T, D), "float32"))
    assert layer.path.startswith("bptt")
    layer = GRU(H)
    with execution(cudnn=False):
        layer(np.zeros((B, T, D), "float32"))
    assert layer.path.startswith("bptt")


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"unroll": True}, "unroll=True"),
        ({"fast": False}, "fast=False"),
        ({"update_gate": "replace"}, "update_gate is 'replace'"),
        ({"recurrent_dropout": 0.1}, "recurrent_dropout"),
    ],
)
def test_insisting_on_cudnn_where_the_arguments_bar_it_is_refused_at_the_call(arguments, reason):
    layer = GRU(4, use_cudnn=True, **arguments)
    message = f"use_cudnn=True, but cuDNN's kernel cannot be had here: {reason}"
    with pytest.raises(ValueError, match=message):
        layer(np.zeros((B, T, D), "float32"))


@pytest.mark.usefixtures("gpu")
def test_insisting_on_cudnn_where_it_can_be_had_takes_it():
    layer = GRU(H, use_cudnn=True)
    layer(np.zeros((B, T, D), "float32"))
    assert layer.path == "cudnn"


@pytest.mark.parametrize(("cls", "theirs"), [(GRU, keras.layers.GRU), (LSTM, keras.layers.LSTM)])
def test_the_value_is_kept_without_a_gpu_and_refused_at_the_call(cls, theirs):
    for value in (True, False, "auto"):
        assert cls(4, use_cudnn=value).use_cudnn is value
        keys = cls(4, use_cudnn=value).get_config().keys()
        assert keys == theirs(4, use_cudnn=value).get_config().keys()  # it is in neither of them
    x = np.zeros((B, T, D), "float32")
    layer = cls(4, use_cudnn=True)
    with pytest.raises(ValueError, match="use_cudnn=True, but cuDNN's kernel cannot be had here"):
        layer(x)
    layer.use_cudnn = "auto"
    assert layer(x).shape == (B, 4)
    inputs = keras.Input((T, D))  # a model is made, without a call of the layer
    assert keras.Model(inputs, cls(4, use_cudnn=True)(inputs)).output_shape == (None, 4)
    with pytest.raises(ValueError, match="must be 'auto', True or False. Received: 'maybe'"):
        cls(4, use_cudnn="maybe")
