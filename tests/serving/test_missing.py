"""Missing values in requests: an export treats them as training does, whoever asks it."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf
from example_specs import VARYING, examples

from seqclf import build_classifier
from seqclf.config import resolve
from seqclf.data.normalization import as_sequences
from seqclf.errors import DataError
from seqclf.serving.c_api import Failure
from seqclf.serving.export import export_model
from seqclf.serving.file_names import LITERT
from seqclf.serving.litert import run_litert
from seqclf.serving.predictor import Predictor
from seqclf.serving.saved_model import SavedModel
from seqclf.serving.server.model import ServedModel
from seqclf.serving.server.warmup import replay_warmup
from seqclf.serving.verify.check import verify
from seqclf.serving.warmup import encode_csv

RULES = ("interpolate", "forward", "mean", "indicator")


def spec_with(missing, **changes):
    fill = () if missing == "error" else (1.5, -1.0, 0.0, 2.0, 5.0)
    names = ("temp", "vib", "press", "flow", "rate")
    return dataclasses.replace(VARYING, missing=missing, fill=fill, feature_names=names, **changes)


def built(spec):
    return build_classifier(resolve({"model": {"units": [4]}}), spec)


def gappy(spec, count=5):
    x, lengths = examples(spec, count), np.array([6, 1, 4, 2, 5][:count], "int32")
    x[np.random.default_rng(1).random(x.shape) < 0.4] = np.nan
    x[1, 0] = np.nan  # nothing of this sequence is known
    return x, lengths


def example(x):
    floats = tf.train.Feature(float_list=tf.train.FloatList(value=x.ravel()))
    features = tf.train.Features(feature={"inputs": floats})
    return tf.train.Example(features=features).SerializeToString()


@pytest.fixture(
    scope="module",
    params=[(rule, own) for own in (False, True) for rule in RULES],
    ids=lambda param: param[0] + "-own_scale" * param[1],
)
def exported(request, tmp_path_factory):
    missing, own_scale = request.param
    spec = spec_with(missing, own_scale=own_scale)
    model = built(spec)
    return model, spec, export_model(model, spec, tmp_path_factory.mktemp("export"))


def test_an_export_does_what_training_does(exported):
    model, spec, folder = exported
    x, lengths = gappy(spec)
    sequences = as_sequences(x, spec, lengths)
    logits = model({"sequences": sequences, "lengths": tf.constant(lengths)})
    expected = tf.nn.softmax(logits).numpy()

    saved = SavedModel(folder)  # as TensorFlow Serving runs it
    inputs = {"inputs": x, "lengths": lengths}
    found = saved.run("serving_default", inputs)["probabilities"]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    longer = np.full((5, 40, 5), np.nan, "float32")  # longer than any sequence in training
    longer[:, :6] = x
    padded = saved.run("serving_default", inputs | {"inputs": longer})["probabilities"]
    np.testing.assert_allclose(padded, expected, atol=1e-6)
    texts = [encode_csv(each[:n]) for each, n in zip(x, lengths, strict=True)]
    found = saved.run("serving_csv", {"csv": np.array(texts, object)})["probabilities"]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    messages = [example(each[:n]) for each, n in zip(x, lengths, strict=True)]
    found = saved.run("classify", {"inputs": np.array(messages, object)})["scores"]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    steps = saved.run("trace", inputs)["step_probabilities"]
    np.testing.assert_allclose(steps[np.arange(5), lengths - 1], expected, atol=1e-6)
    predicted = Predictor(folder).predict(x, lengths, list("abcde"))
    np.testing.assert_allclose([p.probabilities for p in predicted], expected, atol=1e-6)


def test_infinite_values_are_refused_beside_missing_ones(exported):
    _, spec, folder = exported
    x, lengths = gappy(spec)
    x[0, 2, 3] = np.inf
    with pytest.raises(Failure, match="inputs must be finite numbers. Only missing values"):
        SavedModel(folder).run("serving_default", {"inputs": x, "lengths": lengths})


def test_what_is_published_was_checked_with_a_gap(exported, monkeypatch):
    _, spec, folder = exported
    manifest = json.loads((folder / "assets.extra" / "manifest.json").read_text())
    assert manifest["spec"]["missing"] == spec.missing
    assert manifest["spec"]["feature_names"] == list(spec.feature_names)
    card = (folder / "assets.extra" / "model_card.md").read_text()
    assert "temp, vib" in card and "Missing values (NaN)" in card
    asked = []
    monkeypatch.setattr(ServedModel, "run", lambda self, name, inputs: asked.append((name, inputs)))
    replay_warmup(ServedModel(folder))
    gaps = {name for name, inputs in asked for value in inputs.values() if has_gap(value)}
    assert gaps >= {"serving_default", "serving_csv", "trace", "trace_gates"}
    checks = {check.rule: check.passed for check in verify(folder)}
    assert False not in checks.values() and checks["padding"]


def has_gap(value):
    if value.dtype == object:
        return any(b"\n," in text for text in value)
    return value.dtype.kind == "f" and np.isnan(value).any()


def test_missing_values_are_refused_by_a_model_that_was_not_told_what_to_do(tmp_path):
    spec = spec_with("error")
    folder = export_model(built(spec), spec, tmp_path)
    x, lengths = gappy(spec)
    said = "trained with `data.missing` 'error', so it takes no missing values"
    for name, inputs in {
        "serving_default": {"inputs": x, "lengths": lengths},
        "serving_csv": {"csv": np.array([encode_csv(x[0])], object)},
        "classify": {"inputs": np.array([example(x[0])], object)},
    }.items():
        with pytest.raises(Failure, match=said):
            SavedModel(folder).run(name, inputs)
    with pytest.raises(DataError, match=said):
        Predictor(folder).predict(x, lengths, list("abcde"))


@pytest.mark.parametrize("own_scale", [False, True])
@pytest.mark.parametrize("missing", RULES)
def test_litert(tmp_path, missing, own_scale):
    spec = spec_with(missing, variable_length=False, own_scale=own_scale)
    model = built(spec)
    folder = export_model(model, spec, tmp_path, litert="float32")
    x, _ = gappy(spec)
    expected = tf.nn.softmax(model(as_sequences(x, spec)))
    found = run_litert((folder / LITERT).read_bytes(), x)
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"1,2,3,4\n", "lines of 5 numbers"),
        (b"1,2,3,4,5\n1,2,3\n", "lines of 5 numbers"),
        (b"1,2,3,4,5\n\n", "lines of 5 numbers"),
        (b"", "lines of 5 numbers"),
        (b"1,2,3,4,five\n", "five"),
        (b"temp,vib,press,flow,rate\n1,2,3,4,5\n", "temp"),
        (b"1,2,3,4,1e39\n", "finite"),
    ],
)
def test_csv_text_that_does_not_fit(exported, text, said):
    _, _, folder = exported
    with pytest.raises(Failure, match=said) as caught:
        SavedModel(folder).run("serving_csv", {"csv": np.array([text], object)})
    assert caught.value.code == 3  # INVALID_ARGUMENT


@pytest.mark.parametrize("end", ["\n", "", "\r\n"])
def test_csv_text_of_other_programs(exported, end):
    _, _, folder = exported
    saved = SavedModel(folder)
    x = np.array([[1, -2.5, np.nan, 3e-7, 0], [np.nan, 1, 2, 3, np.nan]], "float32")
    text = f"1,-2.5,, 3E-7 ,0{end or chr(10)}NaN,1,2,3,{end}"
    outputs = saved.run("serving_csv", {"csv": np.array([text.encode()], object)})
    whole = {"inputs": x[None], "lengths": np.array([2], "int32")}
    for name, value in saved.run("serving_default", whole).items():
        np.testing.assert_array_equal(outputs[name], value)
