"""The export: what it answers, what it is made of, and that nothing of ours is needed to run it."""

import atexit
import dataclasses
import functools
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from example_specs import IMAGES, VARYING, examples
from file_predictions import predict_file
from tensorflow.core.protobuf import saved_model_pb2

from seqclf import build_classifier
from seqclf.config import resolve
from seqclf.data.normalization import as_sequences
from seqclf.data.permutation import with_order
from seqclf.errors import ExportError
from seqclf.serving.export import export_model, write_version
from seqclf.serving.predictor import Predictor
from seqclf.serving.signatures import MAX_UNROLLED_STEPS
from seqclf.serving.verify.check import Check, verify
from seqclf.serving.warmup import blank_examples


@functools.cache
def exported(spec, dtype, options):
    """Returns a model and a version of it, written as `export_model` does but not verified."""
    built = build_classifier(resolve(json.loads(options)), spec)
    version = Path(tempfile.mkdtemp()) / "1"
    atexit.register(shutil.rmtree, version.parent)
    version.mkdir()
    write_version(version, built, spec, {}, dtype, blank_examples(spec))
    return built, version


def export(tmp_path, spec, input_dtype="", precision="float32", **model):
    """Returns a model, and a copy of its version for the test alone; alike ones are made once."""
    options = json.dumps({"model": {"units": [8, 6], **model}, "precision": precision})
    built, version = exported(spec, input_dtype or spec.raw_dtype, options)
    return built, Path(shutil.copytree(version, tmp_path / "models" / "1"))


def serve(path):
    loaded = tf.saved_model.load(str(path))
    return loaded, loaded.signatures["serving_default"]


@pytest.mark.parametrize("reading", ["rows", "columns", "pixels", "permuted"])
@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 3)])
def test_outputs_equal_the_keras_model(tmp_path, reading, shape):
    spec = with_order(dataclasses.replace(IMAGES, reading=reading, raw_shape=shape), seed=0)
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


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bidirectional": True, "pooling": "mean"},
        {"units": [8, 8], "time_reduction": [3], "pooling": "mean"},
    ],
    ids=str,
)
def test_varying_lengths(tmp_path, options):
    model, version = export(tmp_path, VARYING, **options)
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
    loops = [n.name for n in nodes if "While" in n.op and not n.name.startswith("map/")]
    assert bool(loops) == (spec is not IMAGES)  # else unrolled; map/ goes over images
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


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused(tmp_path, bad):
    _, version = export(tmp_path, VARYING)
    _loaded, signature = serve(version)
    x = examples(VARYING, 2)
    x[1, 2, 3] = bad
    with pytest.raises(tf.errors.InvalidArgumentError, match="inputs must be finite numbers"):
        signature(inputs=tf.constant(x), lengths=tf.constant([6, 6]))
    padding = signature(inputs=tf.constant(x), lengths=tf.constant([6, 2]))
    assert np.isfinite(padding["probabilities"]).all()


@pytest.mark.parametrize("lengths", [[0, 3], [3, 7], [-1, 2], [3], [3, 3, 3]])
def test_lengths_that_do_not_fit_are_refused(tmp_path, lengths):
    _, version = export(tmp_path, VARYING)
    _loaded, signature = serve(version)
    with pytest.raises(tf.errors.InvalidArgumentError, match="lengths must"):
        signature(inputs=tf.constant(examples(VARYING, 2)), lengths=tf.constant(lengths))


def test_a_version_is_complete(tmp_path):
    """What an operator finds in it, and that the manifest says what is there."""
    model = build_classifier(resolve({"model": {"units": [8, 6]}}), IMAGES)
    facts = {"run": "mine", "git_revision": "abc"}
    version = export_model(model, IMAGES, tmp_path / "models", facts)
    assert version == tmp_path / "models" / "1"
    assert (version / "assets" / "labels.txt").read_text() == "a\nb\nc\n"
    manifest = json.loads((version / "assets.extra" / "manifest.json").read_text())
    assert manifest["run"] == "mine" and manifest["git_revision"] == "abc"
    inputs = manifest["signatures"]["serving_default"]["inputs"]
    assert inputs == {"inputs": {"dtype": "uint8", "shape": [-1, 6, 5]}}
    results = {check["rule"]: check["result"] for check in manifest["checks"]}
    assert results.pop("runs") == results.pop("golden") == results.pop("warm-up") == "passed"
    assert "failed" not in results.values()
    assert manifest["input_range"] == {"low": 0, "high": 255}
    files = [p for p in version.rglob("*") if p.is_file() and p.name != "manifest.json"]
    assert set(manifest["files"]) == {str(p.relative_to(version)) for p in files}
    for path in files:
        recorded = manifest["files"][str(path.relative_to(version))]
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert recorded == {"bytes": path.stat().st_size, "sha256": digest}
    card = (version / "assets.extra" / "model_card.md").read_text()
    assert "`serving_bytes` | `image_bytes` string [-1]" in card and "a, b, c" in card


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda v: (v / "assets" / "labels.txt").write_text("c\nb\na\n"), "labels.txt is another"),
        (lambda v: (v / "assets.extra" / "seqclf.json").unlink(), "seqclf.json is missing"),
        (lambda v: (v / "notes.txt").write_text("x"), "notes.txt is not in it"),
        (lambda v: (v / "assets.extra" / "manifest.json").write_text("x"), "cannot be read"),
    ],
)
def test_files_that_are_not_those_exported_are_found(tmp_path, whole, change, said):
    version = Path(shutil.copytree(whole, tmp_path / "models" / "1"))
    assert not [check for check in verify(version) if check.passed is False]
    change(version)
    failed = [check for check in verify(version) if check.passed is False]
    assert [check.rule for check in failed] == ["manifest"] and said in failed[0].detail


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    model = build_classifier(resolve({"model": {"units": [4]}}), IMAGES)
    return export_model(model, IMAGES, tmp_path_factory.mktemp("whole") / "models")


def test_weights_are_stored_once(tmp_path):
    model, version = export(tmp_path, IMAGES)
    stored = tf.train.list_variables(str(version / "variables" / "variables"))
    sizes = [int(np.prod(shape)) for name, shape in stored if "VARIABLE_VALUE" in name]
    assert sum(sizes) == model.count_params()


def test_a_failed_check_publishes_nothing_and_says_which(tmp_path, monkeypatch):
    import seqclf.serving.publication as module

    failed = [Check("layout", True, "fine"), Check("golden", False, "0.3 instead of 0.4")]
    monkeypatch.setattr(module, "verify", lambda *a, **k: failed)
    model = build_classifier(resolve({"model": {"units": [8]}}), IMAGES)
    with pytest.raises(ExportError, match=r"Nothing was published .* \[golden\] 0.3 instead of"):
        export_model(model, IMAGES, tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []


def test_a_model_that_is_not_the_one_exported_is_found_out(tmp_path, monkeypatch):
    """The checks compare with the Keras model, not with the export itself."""
    import seqclf.serving.export as module

    model = build_classifier(resolve({"model": {"units": [8]}}), IMAGES)
    other = build_classifier(resolve({"model": {"units": [8]}}), IMAGES)
    monkeypatch.setattr(
        module, "write_version", lambda folder, _, *rest: write_version(folder, other, *rest)
    )
    other.set_weights([w + 0.5 for w in other.get_weights()])
    with pytest.raises(ExportError, match=r"\[golden\]"):
        export_model(model, IMAGES, tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []


def test_the_predictor_reads_arrays_as_the_export_takes_them(tmp_path):
    """Floats for an export that takes such, though the data were uint8."""
    x = examples(IMAGES, 3)
    np.savez(tmp_path / "floats.npz", x=x.astype("float32"))
    np.savez(tmp_path / "bytes.npz", x=x)
    _, version = export(tmp_path, IMAGES, input_dtype="float32")
    floats, whole = (
        predict_file(Predictor(version), str(tmp_path / name))
        for name in ("floats.npz", "bytes.npz")
    )
    for one, other in zip(floats, whole, strict=True):
        np.testing.assert_array_equal(one.probabilities, other.probabilities)


def test_the_predictor_takes_the_newest_version(tmp_path):
    _, first = export(tmp_path, IMAGES)
    second = first.with_name("12")
    shutil.copytree(first, second)
    assert Predictor(tmp_path / "models").path == second
    (second / "saved_model.pb").write_bytes(b"junk")
    with pytest.raises(ExportError, match="cannot be loaded as an export of seqclf"):
        Predictor(tmp_path / "models")
