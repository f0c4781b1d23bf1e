"""The signatures beside `serving_default`: image files, tf.Example messages, and the traces."""

import dataclasses
import io

import keras
import numpy as np
import pytest
import tensorflow as tf
from example_specs import IMAGES, VARYING, examples
from PIL import Image

from seqclf import build_classifier
from seqclf.config import resolve
from seqclf.data.normalization import as_sequences
from seqclf.models.classifier import trace_classifier
from seqclf.serving.signatures import ExportSignatures


def build(spec, dtype="", **model):
    built = build_classifier(resolve({"model": {"units": [8, 6], **model}}), spec)
    signatures = ExportSignatures(built, spec, dtype or spec.raw_dtype)
    functions = {
        name: tf.function(function, input_signature=inputs)
        for name, (function, inputs) in signatures.all.items()
    }
    return built, functions


def example(**features):
    return tf.train.Example(
        features=tf.train.Features(
            feature={
                name: tf.train.Feature(int64_list=tf.train.Int64List(value=np.ravel(value)))
                if np.asarray(value).dtype.kind in "iu"
                else tf.train.Feature(float_list=tf.train.FloatList(value=np.ravel(value)))
                for name, value in features.items()
            }
        )
    ).SerializeToString()


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_image_files_are_read_as_arrays_are(dtype):
    _, functions = build(IMAGES, dtype)
    x = examples(IMAGES, 5)
    from_arrays = functions["serving_default"](tf.constant(x.astype(dtype)))
    from_files = functions["serving_bytes"](tf.constant([png(each) for each in x]))
    for name, value in from_arrays.items():
        np.testing.assert_array_equal(from_files[name], value)


def test_image_files_of_data_that_does_not_reach_255():
    sixteen = dataclasses.replace(IMAGES, full_scale=16.0, scale=(1 / 16,))
    _, functions = build(sixteen)
    x = examples(sixteen, 4) % 17
    files = [png(np.round(each * (255 / 16)).astype(np.uint8)) for each in x]
    np.testing.assert_array_equal(
        functions["serving_bytes"](tf.constant(files))["probabilities"],
        functions["serving_default"](tf.constant(x))["probabilities"],
    )


def test_classify():
    model, functions = build(IMAGES)
    x = examples(IMAGES, 4)
    answer = functions["classify"](tf.constant([example(inputs=each) for each in x]))
    assert set(answer) == {"classes", "scores"}
    expected = tf.nn.softmax(model(as_sequences(x, IMAGES)))
    np.testing.assert_allclose(answer["scores"], expected, atol=1e-6)
    assert answer["classes"].numpy().tolist() == [[b"a", b"b", b"c"]] * 4


def test_classify_takes_sequences_of_any_length_side_by_side():
    model, functions = build(VARYING)
    x, lengths = examples(VARYING, 3), np.array([6, 1, 4], np.int32)
    messages = [example(inputs=each[:n]) for each, n in zip(x, lengths, strict=True)]
    sequences = as_sequences(x, VARYING, lengths)
    expected = tf.nn.softmax(model({"sequences": sequences, "lengths": tf.constant(lengths)}))
    answer = functions["classify"](tf.constant(messages))
    np.testing.assert_allclose(answer["scores"], expected, atol=1e-6)
    alone = functions["classify"](tf.constant(messages[1:2]))
    np.testing.assert_allclose(alone["scores"], expected[1:2], atol=1e-6)


@pytest.mark.parametrize(
    ("spec", "message", "said"),
    [
        (IMAGES, example(inputs=[1] * 29), "Values size: 29 but output shape"),
        (IMAGES, example(inputs=[1.0] * 30), "Data types don't match"),
        (IMAGES, example(other=[1] * 30), "is required but could not be found"),
        (IMAGES, example(inputs=[256] * 30), "must lie in 0 to 255; range received:] [256] [256"),
        (IMAGES, example(inputs=[-1] * 30), "must lie in 0 to 255"),
        (IMAGES, b"junk", "required but could not be found|Could not parse"),
        (VARYING, example(inputs=[1.0] * 7), "must hold steps of 5 numbers"),
        (VARYING, example(other=[1.0] * 5), "must hold steps of 5 numbers"),
        (VARYING, example(inputs=[float("nan")] * 5), "inputs must be finite numbers"),
    ],
)
def test_messages_that_do_not_fit_are_refused(spec, message, said):
    _, functions = build(spec)
    with pytest.raises(tf.errors.InvalidArgumentError, match=said.replace("[", r"\[")):
        functions["classify"](tf.constant([message]))


@pytest.mark.parametrize(
    ("spec", "options"),
    [(IMAGES, {}), (VARYING, {}), (VARYING, {"conv": [7, 5], "pooling": "mean"})],
    ids=["images", "varying", "convolutions"],
)
def test_the_trace_says_what_the_model_would_answer_if_the_sequence_ended_there(spec, options):
    """Beside the classifier itself, asked about every prefix."""
    built = dataclasses.replace(spec, raw_shape=(8, 5), variable_length=True)
    model, functions = build(built, layer_norm=True, **options)
    varying = dataclasses.replace(spec, variable_length=True)
    x, lengths = examples(spec, 3), np.array([6, 2, 4], np.int32)
    steps = functions["trace"](tf.constant(x), tf.constant(lengths))["step_probabilities"].numpy()
    assert steps.shape == (3, 6, spec.num_classes)
    for t in range(1, 7):
        upto = np.minimum(lengths, t)
        sequences = as_sequences(x, varying, upto)
        logits = model({"sequences": sequences, "lengths": tf.constant(upto)})
        np.testing.assert_allclose(steps[:, t - 1], tf.nn.softmax(logits), atol=1e-5)


def test_the_gates_are_those_of_each_layer():
    model, functions = build(IMAGES)
    x = examples(IMAGES, 2)
    outputs = functions["trace_gates"](tf.constant(x))
    assert {name: value.shape[2] for name, value in outputs.items()} == {
        "step_probabilities": 3,
        **dict.fromkeys(("state_1", "update_gate_1", "reset_gate_1"), 8),
        **dict.fromkeys(("state_2", "update_gate_2", "reset_gate_2"), 6),
    }
    first = keras.layers.GRU(8, return_sequences=True)
    first(np.zeros((1, 6, 5), "float32"))
    first.set_weights(model.get_layer("gru_1").get_weights())
    states = first(as_sequences(x, IMAGES))
    np.testing.assert_allclose(outputs["state_1"], states, atol=1e-5)
    z, h = outputs["update_gate_1"].numpy(), outputs["state_1"].numpy()
    assert ((z > 0) & (z < 1)).all() and not np.allclose(z[0], z[1])
    assert np.abs(h[:, 1:] - z[:, 1:] * h[:, :-1]).max() <= (1 - z[:, 1:]).max() + 1e-6


def test_the_gates_of_an_image_file_are_those_of_its_pixels():
    _, functions = build(IMAGES)
    x = examples(IMAGES, 2)
    expected = functions["trace_gates"](tf.constant(x))
    found = functions["trace_bytes"](tf.constant([png(each) for each in x]))
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-6)


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_a_bidirectional_model_has_no_trace(pooling):
    _, functions = build(IMAGES, bidirectional=True, pooling=pooling)
    assert set(functions) == {"serving_default", "serving_bytes", "classify"}


def test_half_precision_answers_in_float32():
    config = resolve({"model": {"units": [8]}, "precision": "mixed_bfloat16"})
    model = build_classifier(config, IMAGES)
    for name, (function, _) in ExportSignatures(model, IMAGES, "uint8").all.items():
        if name in ("serving_default", "trace_gates"):
            for value in function(tf.constant(examples(IMAGES, 2))).values():
                assert value.dtype in (tf.float32, tf.int32, tf.string)


@pytest.mark.parametrize(
    "options",
    [
        {"pooling": "last"},
        {"pooling": "mean"},
        {"conv": [5]},
        {"conv": [5, 4], "pooling": "mean", "time_reduction": [3]},
    ],
    ids=str,
)
def test_trace_classifier_ends_in_the_model_s_own_logits(options):
    spec = dataclasses.replace(IMAGES, raw_shape=(8, 5))
    model = build_classifier(
        resolve({"model": {"units": [8, 6], "layer_norm": True, "dropout": 0.5, **options}}), spec
    )
    sequences = as_sequences(examples(spec, 3), spec)
    logits, traces = trace_classifier(model, sequences)
    assert len(traces) == 2
    np.testing.assert_allclose(logits[:, -1], model(sequences, training=False), atol=1e-5)
