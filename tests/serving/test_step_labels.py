"""The export of a classifier of time steps, and predictions with it, against the Keras model."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest

import seqclf
from seqclf import build_classifier
from seqclf.config import resolve
from seqclf.data.step_labels import labels_that_count
from seqclf.serving.client.tensors import concatenate_batches
from seqclf.serving.export import export_model
from seqclf.serving.predicting.asking import predictions_of
from seqclf.serving.predicting.npz_file import open_npz
from seqclf.serving.predicting.step_text import json_of, lines_of
from seqclf.serving.predicting.table_file import TableFile
from seqclf.serving.predicting.table_options import TableOptions
from seqclf.serving.predicting.writing import write_predictions
from seqclf.serving.predictor import Predictor
from seqclf.serving.saved_model import SavedModel
from seqclf.serving.verify.check import verify
from seqclf.serving.warmup import WarmupExamples, encode_csv

RNG = np.random.default_rng(6)
LENGTHS = np.array([3, 7, 5] * 8)
SEQUENCES = [RNG.normal(size=(n, 2)).astype("float32") for n in LENGTHS]
LABELS = [RNG.integers(0, 3, n) for n in LENGTHS]
NAMES = ("rest", "walk", "run")


@pytest.fixture(scope="module")
def dataset():
    return seqclf.Dataset.from_arrays(SEQUENCES, LABELS, class_names=NAMES)


@pytest.fixture(scope="module")
def model(dataset):
    return build_classifier(resolve({"model": {"units": [5]}}), dataset.spec)


@pytest.fixture(scope="module")
def export(dataset, model, tmp_path_factory):
    some = dataset.train.take(np.arange(3))
    examples = WarmupExamples(some.x, some.lengths)
    return export_model(model, dataset.spec, tmp_path_factory.mktemp("models"), examples=examples)


def by_keras(model, spec, x):
    """The probabilities of one raw sequence `[T, D]`, which is not padded."""
    shift, scale = np.array(spec.shift, "float32"), np.array(spec.scale, "float32")
    inputs = {"sequences": ((x - shift) * scale)[None], "lengths": np.array([len(x)])}
    logits = model(inputs).numpy()[0]
    e = np.exp(logits - logits.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def test_signatures_answer_at_each_time_step_and_padding_is_empty(export, model, dataset):
    saved = SavedModel(export)
    named = {name for name in saved.signatures if not name.startswith("__")}
    assert named == {"serving_default", "serving_csv", "trace", "trace_gates"}
    x, lengths = dataset.train.x[:6], dataset.train.lengths[:6]
    texts = np.array([encode_csv(each[:n]) for each, n in zip(x, lengths, strict=True)], object)
    junk = np.where((np.arange(7) < lengths[:, None])[..., None], x, 1e9).astype("float32")
    arrays = saved.run("serving_default", {"inputs": junk, "lengths": lengths})
    traced = saved.run("trace", {"inputs": x, "lengths": lengths})["step_probabilities"]
    for outputs in (arrays, saved.run("serving_csv", {"csv": texts})):
        for i, n in enumerate(lengths):
            expected = by_keras(model, dataset.spec, x[i, :n])
            found = outputs["probabilities"][i]
            np.testing.assert_allclose(found[:n], expected, rtol=1e-4, atol=1e-6)
            np.testing.assert_allclose(traced[i, :n], expected, rtol=1e-4, atol=1e-6)
            index = expected.argmax(-1)
            assert outputs["class_index"][i].tolist() == [*index, *[-1] * (len(found) - n)]
            said = [name.decode() for name in outputs["class_name"][i]]
            assert said == [*(NAMES[k] for k in index), *[""] * (len(found) - n)]
            assert not found[n:].any()


def test_the_checks_of_a_published_version_pass(export):
    checks = {check.rule: check.passed for check in verify(export)}
    assert [rule for rule, passed in checks.items() if not passed] == ["classify", "golden"]
    assert checks["classify"] is None  # the Classify API has one answer for each example
    assert "which of 3 classes each step is" in (export / "assets.extra/model_card.md").read_text()


def test_sequences_of_one_length_are_exported_too(tmp_path):
    x = RNG.normal(size=(20, 6, 2)).astype("float32")
    data = seqclf.Dataset.from_arrays(x, (x[..., 0] > 0).astype(int), class_names=("a", "b"))
    model = build_classifier(resolve({"model": {"units": [4], "bidirectional": True}}), data.spec)
    version = export_model(model, data.spec, tmp_path, litert="float32")
    outputs = SavedModel(version).run("serving_default", {"inputs": x})
    expected = seqclf.predict(model, x, spec=data.spec)
    np.testing.assert_allclose(outputs["probabilities"], expected.probabilities, atol=1e-5)
    assert (version / "assets.extra/model.tflite").is_file()


def test_the_table_has_a_row_for_each_time_step(export, model, dataset, tmp_path):
    y = np.full((24, 7), 77)  # behind the end nothing is read
    for row, labels in zip(y, LABELS, strict=True):
        row[: len(labels)] = labels
    y[2, 1] = -1
    x = np.zeros((24, 7, 2), "float32")
    for row, each in zip(x, SEQUENCES, strict=True):
        row[: len(each)] = each
    ids = np.array([f"s{i}" for i in range(24)])
    np.savez(tmp_path / "new.npz", x=x, y=y, lengths=LENGTHS, ids=ids)
    predictor, told = Predictor(export), []
    file = open_npz(str(tmp_path / "new.npz"), predictor.input, predictor.names)
    out = tmp_path / "scores.csv"
    summary = write_predictions([file], predictor, out, lambda *done: told.append(done), print)
    table = pd.read_csv(out)
    assert list(table)[:4] == ["id", "step", "class", "probability"]
    assert table["id"].tolist() == np.repeat(ids, LENGTHS).tolist()
    assert table["step"].tolist() == [t for n in LENGTHS for t in range(n)]
    expected = np.concatenate([by_keras(model, dataset.spec, each) for each in SEQUENCES])
    columns = [f"p_{name}" for name in NAMES]
    np.testing.assert_allclose(table[columns], expected, rtol=1e-4, atol=1e-6)
    right = expected.argmax(-1) == np.concatenate(LABELS)
    unlabelled = LENGTHS[:2].sum() + 1
    assert table["label"].isna().to_numpy().nonzero()[0].tolist() == [unlabelled]
    known = np.delete(np.arange(len(table)), unlabelled)
    assert table["correct"][known].astype(bool).tolist() == right[known].tolist()
    assert f"{len(table):,} rows" in summary[0] and f"of {len(known):,} rows" in summary[2]
    assert told[-1] == (24, 24)


def test_a_table_gives_a_row_for_each_of_its_rows(export, model, dataset, tmp_path):
    frame = pd.DataFrame(np.concatenate(SEQUENCES), columns=["ax", "ay"])
    frame["run"] = np.repeat([f"s{i}" for i in range(24)], LENGTHS)
    frame["t"] = np.concatenate([np.arange(n) for n in LENGTHS])
    frame["state"] = np.array(NAMES)[np.concatenate(LABELS)]
    frame.loc[4, "state"] = None
    frame.sample(frac=1, random_state=1).to_csv(tmp_path / "new.csv", index=False)
    predictor, out = Predictor(export), tmp_path / "scores.csv"
    options = TableOptions(id="run", time="t", features="ax,ay", label="state")
    file = TableFile(str(tmp_path / "new.csv"), predictor.input, options)
    write_predictions([file], predictor, out, lambda *done: None, lambda line: None)
    table = pd.read_csv(out)
    both = frame.merge(table, left_on=["run", "t"], right_on=["id", "step"], validate="1:1")
    assert len(both) == len(frame) == len(table)
    expected = np.concatenate([by_keras(model, dataset.spec, each) for each in SEQUENCES])
    columns = [f"p_{name}" for name in NAMES]
    np.testing.assert_allclose(both[columns], expected, rtol=1e-4, atol=1e-6)
    known = both["state"].notna()
    assert both["label"].isna().tolist() == [row == 4 for row in range(len(frame))]
    assert (both["label"] == both["state"])[known].all()
    right = (both["class"] == both["state"])[known]
    assert both["correct"][known].astype(bool).tolist() == right.tolist()


def test_the_terminal_has_a_line_for_each_stretch(export, tmp_path):
    np.savez(tmp_path / "one.npz", x=SEQUENCES[1][None])
    predictor = Predictor(export)
    file = open_npz(str(tmp_path / "one.npz"), predictor.input, predictor.names)
    ((prediction,),) = predictions_of(file, predictor)
    lines = lines_of(prediction)
    assert len(lines) == 1 + np.count_nonzero(np.diff(prediction.class_index))
    parts = [re.search(r"time steps +(\d+) to +(\d+)  (\w+)", line).groups() for line in lines]
    told = [name for first, last, name in parts for _ in range(int(first), int(last) + 1)]
    assert told == prediction.class_name
    assert lines[0].startswith(f"{tmp_path}/one.npz[0]  time steps 0 to ")
    said = json_of(prediction, NAMES)
    assert said["class_name"] == [NAMES[i] for i in said["class_index"]]
    assert len(said["probability"]) == len(said["probabilities"]["run"]) == 7


def test_python_gives_the_same_by_model_and_by_export(export, model, dataset):
    found = [
        seqclf.predict(model, SEQUENCES, spec=dataset.spec),
        seqclf.predict(export, SEQUENCES),
    ]
    assert found[0].probabilities.shape == (24, 7, 3)
    np.testing.assert_allclose(found[0].probabilities, found[1].probabilities, atol=1e-6)
    np.testing.assert_array_equal(found[0].class_index, found[1].class_index)
    names = found[0].class_name[0]
    assert (names[3:] == "").all() and set(names[:3]) <= set(NAMES)
    split = dataclasses.replace(dataset.test, y=np.full_like(dataset.test.y, -1))
    unlabelled = seqclf.predict(model, split, spec=dataset.spec)
    counts = (unlabelled.class_index >= 0).sum()
    assert counts == dataset.test.lengths.sum() == len(labels_that_count(unlabelled.class_index))


def test_answers_of_padded_batches_are_put_together():
    """A server may have padded the second batch to the time steps of another request."""
    one, two = np.ones((2, 3, 4)), np.concatenate([np.ones((1, 3, 4)), np.zeros((1, 2, 4))], 1)
    joined = concatenate_batches([{"p": one}, {"p": two}])
    np.testing.assert_array_equal(joined["p"], np.ones((3, 3, 4)))
