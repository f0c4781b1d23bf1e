"""The export: what it answers, what it is made of, and that nothing of ours is needed to run it."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from seqclf import build_classifier
from seqclf.config import resolve
from seqclf.data.dataset import DatasetSpec
from seqclf.data.normalization import as_sequences
from seqclf.errors import ExportError
from seqclf.serving.export import MAX_UNROLLED_STEPS, export_model, versions
from seqclf.serving.predictor import Predictor

IMAGES = DatasetSpec("test", "rows", (6, 5), "uint8", ("a", "b", "c"), scale=(1 / 255,))
VARYING = DatasetSpec(
    "test", "rows", (6, 5), "float32", ("a", "b"), True, shift=(1.0,) * 5, scale=(0.5,) * 5
)


def export(tmp_path, spec, input_dtype="", precision="float32", **model):
    config = resolve({"model": {"units": [8, 6], **model}, "precision": precision})
    built = build_classifier(config, spec)
    metadata = {"spec": json.loads(spec.to_json())}
    return built, export_model(built, spec, tmp_path / "models", metadata, input_dtype)


def examples(spec, count, seed=0):
    rng = np.random.default_rng(seed)
    if spec.raw_dtype == "uint8":
        return rng.integers(0, 256, (count, *spec.raw_shape), dtype=np.uint8)
    return rng.normal(size=(count, *spec.raw_shape)).astype("float32")


def serve(path):
    loaded = tf.saved_model.load(str(path))
    return loaded, loaded.signatures["serving_default"]


@pytest.mark.parametrize("reading", ["rows", "columns", "pixels"])
@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 3)])
def test_outputs_equal_the_keras_model(tmp_path, reading, shape):
    spec = dataclasses.replace(IMAGES, reading=reading, raw_shape=shape)
    model, version = export(tmp_path, spec)
    _loaded, signature = serve(version)
    for count in (1, 2, 33):
        x = examples(spec, count)
        logits = model(as_sequences(x, spec))
        outputs = signature(inputs=tf.constant(x))
        assert set(outputs) == {"probabilities", "class_index", "class_name"}
        np.testing.assert_allclose(outputs["probabilities"], tf.nn.softmax(logits), atol=1e-6)
        assert outputs["probabilities"].dtype == tf.float32
        index = outputs["class_index"].numpy()
        np.testing.assert_array_equal(index, np.argmax(logits, -1))
        assert outputs["class_index"].dtype == tf.int32
        assert [n.decode() for n in outputs["class_name"].numpy()] == [
            spec.class_names[i] for i in index
        ]


@pytest.mark.parametrize("bidirectional", [False, True])
def test_varying_lengths(tmp_path, bidirectional):
    model, version = export(tmp_path, VARYING, bidirectional=bidirectional)
    _loaded, signature = serve(version)
    x, lengths = examples(VARYING, 4), np.array([6, 1, 3, 6], np.int32)
    sequences = as_sequences(x, VARYING, lengths)
    logits = model({"sequences": sequences, "lengths": tf.constant(lengths)})
    outputs = signature(inputs=tf.constant(x), lengths=tf.constant(lengths))
    np.testing.assert_allclose(outputs["probabilities"], tf.nn.softmax(logits), atol=1e-6)
    padded = np.concatenate([x, np.full((4, 9, 5), np.nan, "float32")], axis=1)
    longer = signature(inputs=tf.constant(padded), lengths=tf.constant(lengths))
    np.testing.assert_allclose(longer["probabilities"], outputs["probabilities"], atol=1e-6)


def test_float32_inputs_on_request_are_raw_values_too(tmp_path):
    x = examples(IMAGES, 3)
    model, version = export(tmp_path, IMAGES, input_dtype="float32")
    _loaded, signature = serve(version)
    outputs = signature(inputs=tf.constant(x, tf.float32))
    expected = tf.nn.softmax(model(as_sequences(x, IMAGES)))
    np.testing.assert_allclose(outputs["probabilities"], expected, atol=1e-6)


def test_mixed_precision_answers_in_float32(tmp_path):
    _, version = export(tmp_path, IMAGES, precision="mixed_bfloat16")
    _loaded, signature = serve(version)
    outputs = signature(inputs=tf.constant(examples(IMAGES, 2)))
    assert outputs["probabilities"].dtype == tf.float32
    np.testing.assert_allclose(outputs["probabilities"].numpy().sum(-1), 1, atol=1e-6)


def test_it_loads_where_there_is_no_keras_and_no_seqclf(tmp_path):
    """A fresh process that imports TensorFlow alone, other imports made to fail."""
    model, version = export(tmp_path, IMAGES)
    x = examples(IMAGES, 5)
    np.save(tmp_path / "x.npy", x)
    program = f"""
import sys
for name in ("seqclf", "keras", "tf_keras"):
    sys.modules[name] = None  # importing it raises
import numpy as np, tensorflow as tf
loaded = tf.saved_model.load({str(version)!r})
x = tf.constant(np.load({str(tmp_path / "x.npy")!r}))
outputs = loaded.signatures["serving_default"](inputs=x)
np.save({str(tmp_path / "y.npy")!r}, outputs["probabilities"].numpy())
assert not [m for m in sys.modules if m.startswith(("seqclf.", "keras."))]
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    expected = tf.nn.softmax(model(as_sequences(x, IMAGES)))
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), expected, atol=1e-6)


LONG = dataclasses.replace(IMAGES, raw_shape=(MAX_UNROLLED_STEPS + 1, 5))


@pytest.mark.parametrize("spec", [IMAGES, VARYING, LONG], ids=["images", "varying", "long"])
def test_what_the_graph_is_made_of(tmp_path, spec):
    _, version = export(tmp_path, spec, bidirectional=True, layer_norm=True, dropout=0.5)
    saved = saved_model_pb2.SavedModel.FromString((version / "saved_model.pb").read_bytes())
    graph = saved.meta_graphs[0].graph_def
    functions = graph.library.function
    nodes = [*graph.node, *(node for function in functions for node in function.node_def)]
    operations = {node.op for node in nodes}
    forbidden = ("PyFunc", "Cudnn", "Xla", "Random", "Custom")
    assert not [op for op in operations if any(word in op for word in forbidden)]
    assert not [f.signature.name for f in functions if "_XlaMustCompile" in f.attr]
    assert any("While" in op for op in operations) == (spec is not IMAGES)  # else unrolled
    assert not [n.name for n in nodes if "GPU" in n.device.upper()]
    standard = {name for name in operations if name in tf.raw_ops.__dict__}
    library = {function.signature.name for function in functions}
    assert operations - standard - library == set()
    signature = saved.meta_graphs[0].signature_def["serving_default"]
    assert saved.meta_graphs[0].meta_info_def.tags == ["serve"]
    for info in [*signature.inputs.values(), *signature.outputs.values()]:
        assert info.tensor_shape.dim[0].size == -1  # the batch is free


@pytest.mark.parametrize("shape", [(2, 12, 5), (2, 3, 5), (2, 6, 6), (2, 6), (2, 6, 5, 1)])
def test_inputs_of_another_shape_are_refused(tmp_path, shape):
    """TF Serving passes any shape on, so the graph itself must refuse it.

    The Python signature would check the shape first; a session, like the server, does not.
    """
    _, version = export(tmp_path, IMAGES)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta = tf.compat.v1.saved_model.load(session, ["serve"], str(version))
        signature = meta.signature_def["serving_default"]
        feed = {signature.inputs["inputs"].name: np.zeros(shape, np.uint8)}
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
            session.run(signature.outputs["probabilities"].name, feed)


def test_versions_count_up_and_none_is_touched_again(tmp_path):
    _, first = export(tmp_path, IMAGES)
    before = {p: p.read_bytes() for p in first.rglob("*") if p.is_file()}
    (tmp_path / "models" / "7").mkdir()
    (tmp_path / "models" / "notes").mkdir()
    _, second = export(tmp_path, IMAGES)
    assert (first.name, second.name) == ("1", "8")
    assert versions(tmp_path / "models") == [1, 7, 8]
    assert {p: p.read_bytes() for p in first.rglob("*") if p.is_file()} == before
    assert not [p for p in (tmp_path / "models").iterdir() if p.name.startswith(".tmp")]


def test_a_failed_export_leaves_nothing(tmp_path, monkeypatch):
    import seqclf.serving.export as module

    monkeypatch.setattr(module, "_sync", lambda folder: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export(tmp_path, IMAGES)
    assert list((tmp_path / "models").iterdir()) == []


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "models").write_text("a file")
    with pytest.raises(ExportError, match="models cannot be written"):
        export(tmp_path, IMAGES)


def test_the_predictor_takes_the_newest_version(tmp_path):
    export(tmp_path, IMAGES)
    _, second = export(tmp_path, IMAGES)
    assert Predictor(tmp_path / "models").path == second
    (second / "saved_model.pb").write_bytes(b"junk")
    with pytest.raises(ExportError, match="cannot be loaded as an export of seqclf"):
        Predictor(tmp_path / "models")
