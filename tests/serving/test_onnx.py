"""The ONNX file: ONNX Runtime answers with it what the model answers, or it is not written."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf
from example_specs import IMAGES, VARYING, examples

from seqclf import build_classifier
from seqclf.config import resolve
from seqclf.data.normalization import as_sequences
from seqclf.errors import ConfigError, ExportError
from seqclf.models.temperature import divide_logits
from seqclf.serving import onnx_file
from seqclf.serving.export import export_model
from seqclf.serving.extra_packages import PACKAGES
from seqclf.serving.file_names import MANIFEST, ONNX
from seqclf.serving.onnx_file import write_onnx
from seqclf.serving.warmup import WarmupExamples

for package in PACKAGES["onnx"]:
    pytest.importorskip(package, reason="the extra `onnx` is not installed")

LENGTHS = np.array([9, 1, 2, 3, 4, 5, 6, 7, 8], np.int32)


def build(spec, **model):
    return build_classifier(resolve({"model": {"units": [8, 6], **model}}), spec)


def answers(path, feed):
    """Asks ONNX Runtime itself, as a program without seqclf does."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["probabilities"], feed)[0]


@pytest.mark.parametrize(
    ("dtype", "options"),
    [
        ("uint8", {"layer_norm": True}),
        ("float32", {"bidirectional": True, "pooling": "mean"}),
        ("uint8", {"conv": [5, 4]}),
        *(
            pytest.param("uint8", {"cell": cell}, marks=pytest.mark.slow)
            for cell in ("lstm", "rnn", "mgu")
        ),
    ],
    ids=str,
)
def test_images_in_batches_of_any_size(tmp_path, dtype, options):
    spec = dataclasses.replace(IMAGES, reading="columns", raw_shape=(7, 9))
    model = build(spec, **options)
    write_onnx(tmp_path, model, spec, dtype, WarmupExamples(examples(spec, 3)))
    for count in (1, 20):
        x = examples(spec, count, seed=1)
        found = answers(tmp_path / ONNX, {"inputs": x.astype(dtype)})
        expected = tf.nn.softmax(model(as_sequences(x, spec)))
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bidirectional": True, "pooling": "mean"},
        {"units": [8, 8], "time_reduction": [3], "pooling": "mean"},
        pytest.param({"cell": "lstm"}, marks=pytest.mark.slow),
        pytest.param({"conv": [4]}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_sequences_of_any_length(tmp_path, options):
    own_scale = bool(options)  # with it, and without
    spec = dataclasses.replace(VARYING, raw_shape=(8, 5), own_scale=own_scale)
    model = build(spec, **options)
    write_onnx(tmp_path, model, spec, "float32", WarmupExamples(examples(spec, 2), LENGTHS[1:3]))
    x = np.random.default_rng(1).normal(size=(9, 11, 5)).astype("float32")
    found = answers(tmp_path / ONNX, {"inputs": x, "lengths": LENGTHS})
    sequences = as_sequences(x, spec, LENGTHS)
    expected = tf.nn.softmax(model({"sequences": sequences, "lengths": tf.constant(LENGTHS)}))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_class_for_each_time_step_by_a_calibrated_model(tmp_path):
    spec = dataclasses.replace(VARYING, per_step=True)
    model = build(spec)
    x = np.random.default_rng(1).normal(size=(9, 11, 5)).astype("float32")
    sequences = as_sequences(x, spec, LENGTHS)
    logits = model({"sequences": sequences, "lengths": tf.constant(LENGTHS)})
    divide_logits(model, 2.5)
    write_onnx(tmp_path, model, spec, "float32", WarmupExamples(examples(spec, 2), LENGTHS[1:3]))
    found = answers(tmp_path / ONNX, {"inputs": x, "lengths": LENGTHS})
    valid = np.arange(11) < LENGTHS[:, None]
    np.testing.assert_allclose(found[valid], tf.nn.softmax(logits / 2.5)[valid], atol=1e-5)


@pytest.mark.parametrize("own_scale", [False, True])
@pytest.mark.parametrize("missing", ["mean", "indicator"])
def test_missing_values_are_filled_in_the_file(tmp_path, missing, own_scale):
    fill = (0.5, 0.1, 0.2, 0.3, 0.4)
    spec = dataclasses.replace(VARYING, missing=missing, fill=fill, own_scale=own_scale)
    model = build(spec)
    write_onnx(tmp_path, model, spec, "float32", WarmupExamples(examples(spec, 2), LENGTHS[1:3]))
    x = np.random.default_rng(2).normal(size=(9, 11, 5)).astype("float32")
    x[np.random.default_rng(3).random(x.shape) < 0.4] = np.nan
    found = answers(tmp_path / ONNX, {"inputs": x, "lengths": LENGTHS})
    sequences = as_sequences(x, spec, LENGTHS)
    expected = tf.nn.softmax(model({"sequences": sequences, "lengths": tf.constant(LENGTHS)}))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("missing", ["forward", "interpolate"])
def test_gaps_that_are_filled_from_their_neighbours_are_refused(tmp_path, missing):
    spec = dataclasses.replace(VARYING, missing=missing, fill=(0.5,) * 5)
    with pytest.raises(ConfigError, match=f"Received: `data.missing` '{missing}'"):
        write_onnx(tmp_path, None, spec, "float32", WarmupExamples(examples(spec, 1), LENGTHS[:1]))
    assert not (tmp_path / ONNX).exists()


def test_an_export_has_it_with_its_digest_and_the_class_names(tmp_path):
    import onnx

    model = build(IMAGES)
    version = export_model(
        model, IMAGES, tmp_path, onnx=True, examples=WarmupExamples(examples(IMAGES, 2))
    )
    assert ONNX in json.loads((version / MANIFEST).read_text())["files"]
    written = onnx.load(version / ONNX)
    onnx.checker.check_model(written, full_check=True)
    facts = {entry.key: entry.value for entry in written.metadata_props}
    assert json.loads(facts["class_names"]) == ["a", "b", "c"]


def test_one_that_answers_something_else_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(
        onnx_file, "run_onnx", lambda content, x, lengths: np.full((len(x), 3), 0.9)
    )
    with pytest.raises(ExportError, match="away from the model's probabilities, more than 0.0001"):
        write_onnx(tmp_path, build(IMAGES), IMAGES, "uint8", WarmupExamples(examples(IMAGES, 2)))
    assert not (tmp_path / ONNX).exists()


def test_language_models_have_none():
    from seqclf.serving.export import _check_text_options

    with pytest.raises(ConfigError, match="--onnx is not for a language model"):
        _check_text_options("", "", True)
