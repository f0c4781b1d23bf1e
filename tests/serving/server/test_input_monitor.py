"""The local server's log warns about inputs that the model probably misreads."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from seqclf.data.spec import DatasetSpec
from seqclf.serving.client import InputWarning, connect
from seqclf.serving.server.model import ServedModel


class Sequences(tf.Module):
    """Stands for an export of ours: its signatures, and the same prediction for everything."""

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, 1], tf.float32, name="inputs"),
            tf.TensorSpec([None], tf.int32, name="lengths"),
        ]
    )
    def predict(self, inputs, lengths):
        count = tf.shape(inputs)[0] + 0 * tf.reduce_sum(lengths)
        return {
            "probabilities": tf.tile([[0.75, 0.25]], [count, 1]),
            "class_index": tf.zeros([count], tf.int32),
            "class_name": tf.repeat("a", count),
        }

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def classify(self, inputs):
        classes = tf.tile([["a", "b"]], [tf.shape(inputs)[0], 1])
        return {"classes": classes, "scores": tf.ones(tf.shape(classes))}


@pytest.fixture(scope="module")
def export_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    module = Sequences()
    signatures = {"serving_default": module.predict, "classify": module.classify}
    tf.saved_model.save(module, str(folder / "1"), signatures)
    extra = folder / "1" / "assets.extra"
    extra.mkdir()
    spec = DatasetSpec("test", "rows", (20, 1), "float32", ("a", "b"), variable_length=True)
    manifest = {
        "input_range": {"low": [0.0], "high": [16.0]},
        "spec": json.loads(spec.to_json()),
    }
    (extra / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture
def server(serving, export_dir, capsys):
    running = serving(export_dir, grpc_port=-1)
    capsys.readouterr()
    yield running
    running.close()


def warned(capsys):
    return [line for line in capsys.readouterr().out.splitlines() if "warning" in line]


def predict(server, values, length):
    answer = server.predict({"instances": [{"inputs": [[v] for v in values], "lengths": length}]})
    assert answer.status == 200, answer.text


def test_a_kind_is_told_once_and_counted(server, capsys):
    predict(server, [1.0, 16.0, 0.0, 0.0], 2)
    assert warned(capsys) == []
    for _ in range(12):
        predict(server, [1.0, 255.0], 2)
    first, tenth = warned(capsys)
    assert first.startswith("version 1: warning (1 request): the inputs go from 1 to 255")
    assert tenth.startswith("version 1: warning (10 requests so far, now): the inputs go from 1")
    predict(server, [1.0, 2.0, 0.0, 0.0], 4)
    predict(server, [1.0, 2.0, 3.0], 2)
    padding, beyond = warned(capsys)
    assert "1 of 1 sequences end in time steps of zeros that their `lengths`" in padding
    assert "1 of 1 sequences have values other than 0 beyond their `lengths`" in beyond


def test_sequences_much_longer_than_those_of_the_training(server, capsys):
    predict(server, [1.0] * 40, 40)
    assert warned(capsys) == []
    predict(server, [1.0] * 41, 41)
    (line,) = warned(capsys)
    assert "1 of 1 sequences are more than twice as long as the longest one" in line
    with connect(f"http://{server.netloc}/v1/models/zoo") as client:
        client.predict([np.ones((40, 1), np.float32)])
        with pytest.warns(InputWarning, match="1 of 2 sequences are more than twice as long"):
            client.predict([np.ones((41, 1), np.float32), np.ones((3, 1), np.float32)])


def test_the_examples_of_a_classification(server, capsys):
    def classify(*examples):
        body = {"signature_name": "classify", "examples": [{"inputs": x} for x in examples]}
        assert server.ask("POST", "/v1/models/zoo:classify", body).status == 200

    classify([1.0, 16.0], [])
    classify([0.0, 0.0])
    assert warned(capsys) == []
    classify([1.0], [1, 255])
    (line,) = warned(capsys)
    assert "the inputs go from 1 to 255" in line


def test_the_command_warns_once_about_a_file(server, export_dir, tmp_path):
    np.savez(tmp_path / "far.npz", x=np.full((1, 2, 1), 255, np.float32), lengths=[2])
    np.savez(tmp_path / "near.npz", x=np.full((1, 2, 1), 9, np.float32), lengths=[2])
    manifest = export_dir / "1" / "assets.extra" / "manifest.json"
    flags = (f"--server=http://{server.netloc}/v1/models/zoo", f"--manifest={manifest}")
    command = [sys.executable, "-m", "seqclf.predict", *flags, "near.npz", "far.npz"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("a   75.00%") == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("warning: far.npz: the inputs go from 255 to 255")


def test_a_refused_request_is_not_warned_about(server, capsys):
    answer = server.predict({"instances": [{"inputs": [[[255.0]]], "lengths": 1}]})
    assert answer.status == 400
    assert warned(capsys) == []


@pytest.mark.parametrize("manifest", [None, "junk", "{}", "[1]", '{"input_range": {"low": "a"}}'])
def test_a_version_without_a_range_is_served(save_plus, tmp_path, manifest):
    folder = save_plus(tmp_path, 1)
    if manifest is not None:
        (folder / "assets.extra").mkdir()
        (folder / "assets.extra" / "manifest.json").write_text(manifest)
    model = ServedModel(folder)
    assert model.input_range is None
    assert model.run("serving_default", {"x": np.float32([2.0])})["y"].tolist() == [3.0]
