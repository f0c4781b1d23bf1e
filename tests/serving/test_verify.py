"""The verifier: a good model passes each rule, and each rule has a model that fails it alone."""

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import prediction_log_pb2

from seqclf import build_classifier
from seqclf.config import resolve
from seqclf.data.dataset import DatasetSpec
from seqclf.data.normalization import as_sequences
from seqclf.errors import ExportError
from seqclf.serving.c_tensors import Tensor
from seqclf.serving.export import export_model
from seqclf.serving.verify import probe
from seqclf.serving.verify.check import RULES, Check, Golden, describe_checks, verify
from seqclf.serving.verify.run_probe import Call, run_probe
from seqclf.serving.versions import version_folder

ROWS = tf.TensorSpec([None, 4], tf.float32, name="x")
TEXTS = tf.TensorSpec([None], tf.string, name="inputs")
SEQUENCES = (
    tf.TensorSpec([None, None, 4], tf.float32, name="x"),
    tf.TensorSpec([None], tf.int32, name="lengths"),
)
PAD = "pad_variable_length_inputs: true\n"
BATCHING = "max_batch_size { value: 2 }\nallowed_batch_sizes: 1\nallowed_batch_sizes: 2\n"
# For each [B, 4] -> [B, 3]; every matrix product below refuses other shapes by itself.
WEIGHTS = np.arange(12, dtype="float32").reshape(4, 3)


def bind(function, weights):
    return lambda *tensors: function(weights, *tensors)


def save(folder, function, *specs, name="serving_default", **more):
    """Saves `function(weights, ...)` and others as signatures of the version 1 in a folder."""
    module = tf.Module()
    module.weights = tf.Variable(WEIGHTS)
    signatures = {}
    for key, (call, inputs) in {name: (function, specs or (ROWS,)), **more}.items():
        signatures[key] = tf.function(bind(call, module.weights), input_signature=inputs)
    module.functions = list(signatures.values())
    tf.saved_model.save(module, str(folder / "1"), signatures=signatures)
    return folder / "1"


def product(weights, x):
    return {"y": tf.ensure_shape(x, [None, 4]) @ weights}


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return save(tmp_path_factory.mktemp("good"), product)


@pytest.fixture
def version(good, tmp_path):
    """A copy of a good version, to be damaged."""
    return Path(shutil.copytree(good, tmp_path / "base" / "1"))


def golden(offset=0.0):
    x = np.linspace(-1, 1, 8, dtype="float32").reshape(2, 4)
    return Golden("serving_default", {"x": x}, {"y": x @ WEIGHTS + np.float32(offset)})


def checked(version, **options):
    checks = verify(version, **options)
    assert [check.rule for check in checks] == list(RULES)
    assert not [check for check in checks if "\n" in check.detail or not check.detail]
    return {check.rule: check for check in checks}


def assert_fails_only(version, rule, *words, **options):
    checks = checked(version, **options)
    failed = [check.rule for check in checks.values() if check.passed is False]
    assert failed == [rule], describe_checks(list(checks.values()))
    for word in words:
        assert word in checks[rule].detail, checks[rule].detail
    return checks


def edit(version, change):
    """Changes the SavedModel message of a version."""
    path = version / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    change(saved.meta_graphs[0])
    path.write_bytes(saved.SerializeToString())


def warmup(version, records, options=None):
    path = version / "assets.extra" / "tf_serving_warmup_requests"
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path), options) as writer:
        for record in records:
            writer.write(record)
    return path


def predict_log(array, signature="serving_default", key="x"):
    log = prediction_log_pb2.PredictionLog()
    request = log.predict_log.request
    request.model_spec.name = "model"
    request.model_spec.signature_name = signature
    request.inputs[key].CopyFrom(tf.make_tensor_proto(array))
    return log.SerializeToString()


def rows(count, width=4):
    return np.ones((count, width), "float32")


def test_a_good_model_passes_everything(version):
    (version / "batching_params.pbtxt").write_text(BATCHING)
    warmup(version, [predict_log(rows(1)), predict_log(rows(2), signature="")])
    checks = checked(version, goldens=[golden()])
    assert {c.rule: c.passed for c in checks.values()} == {
        rule: None if rule in ("classify", "manifest", "padding") else True for rule in RULES
    }
    assert "2 records" in checks["warm-up"].detail
    assert f"TensorFlow {tf.__version__} " in checks["runs"].detail
    assert "3 requests of wrong shapes" in checks["shapes refused"].detail
    table = describe_checks(list(checks.values())).splitlines()
    assert table[0].startswith("ok       layout ")
    assert table[-1] == "15 ok, 0 failed, 3 skipped"


SPECS = {
    "images": DatasetSpec("test", "rows", (6, 5), "uint8", ("a", "b", "c"), scale=(1 / 255,)),
    "varying": DatasetSpec(
        "test", "rows", (6, 5), "float32", ("a", "b"), True, shift=(1.0,) * 5, scale=(0.5,) * 5
    ),
}


@pytest.mark.parametrize("name", SPECS)
def test_an_export_of_ours_passes(tmp_path, name):
    spec = SPECS[name]
    model = build_classifier(resolve({"model": {"units": [8]}}), spec)
    export = export_model(model, spec, tmp_path, {})
    rng = np.random.default_rng(0)
    x = (rng.random((3, 6, 5)) * 255).astype(spec.raw_dtype)
    inputs, sequences = {"inputs": x}, as_sequences(x, spec)
    if spec.variable_length:
        inputs["lengths"] = np.array([6, 1, 4], np.int32)
        sequences = as_sequences(x, spec, inputs["lengths"])
        sequences = {"sequences": sequences, "lengths": tf.constant(inputs["lengths"])}
    probabilities = tf.nn.softmax(model(sequences)).numpy()
    index = probabilities.argmax(-1)
    outputs = {
        "probabilities": probabilities,
        "class_index": index.astype("int32"),
        "class_name": np.array(spec.class_names)[index],
    }
    checks = checked(tmp_path, goldens=[Golden("serving_default", inputs, outputs)])
    assert [c for c in checks.values() if c.passed is False] == []
    for rule in ("layout", "operations", "batch", "runs", "shapes refused", "golden"):
        assert checks[rule].passed, checks[rule]
    assert checks["padding"].passed is (True if spec.variable_length else None)
    assert export == version_folder(tmp_path)


def test_layout_truncated_variables(version):
    data = version / "variables" / "variables.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:10])
    checks = assert_fails_only(version, "layout", "variables/ is incomplete", "copy the version")
    assert checks["runs"].passed is None and "see `layout`" in checks["runs"].detail


def test_layout_missing_variables(version):
    shutil.rmtree(version / "variables")
    assert_fails_only(version, "layout", "variables.index is missing")


def test_layout_missing_asset(version):
    edit(version, lambda graph: graph.asset_file_def.add(filename="words.txt"))
    assert_fails_only(version, "layout", "assets/words.txt is missing")


def test_layout_junk_graph(version):
    (version / "saved_model.pb").write_bytes(b"junk")
    checks = assert_fails_only(version, "layout", "cut short")
    assert all(check.passed is None for rule, check in checks.items() if rule != "layout")


@pytest.mark.parametrize(
    ("name", "passed"), [("12", True), (".tmp-x1", True), ("007", None), ("mine", None)]
)
def test_layout_name_of_the_folder(version, name, passed):
    check = checked(version.rename(version.parent / name))["layout"]
    assert check.passed is passed
    assert passed or "BASE/<integer>" in check.detail


def test_a_base_folder_means_its_newest_version(version):
    newest = shutil.copytree(version, version.parent / "10")
    version.rename(version.parent / "9")
    (version.parent / "notes").mkdir()
    assert version_folder(version.parent) == newest
    (version.parent / "11").touch()  # the server would take it for a version
    with pytest.raises(ExportError, match="11, the newest version in .*, has no saved_model.pb"):
        verify(version.parent)


def test_nothing_to_verify(tmp_path):
    with pytest.raises(ExportError, match="is not a folder"):
        verify(tmp_path / "absent")
    with pytest.raises(ExportError, match="it has no version"):
        verify(tmp_path)


def test_tag(version):
    edit(version, lambda graph: graph.meta_info_def.tags.append("tpu"))
    assert_fails_only(version, "tag", "['serve', 'tpu']")


def test_signatures_without_the_default(tmp_path):
    version = save(tmp_path, product, name="predict")
    assert_fails_only(version, "signatures", "no `serving_default`", "`predict`", "signatures=")


def test_signatures_none_at_all(tmp_path):
    tf.saved_model.save(tf.Module(), str(tmp_path / "1"))
    assert_fails_only(tmp_path, "signatures", "no signature at all")


def test_operations_that_the_runtime_does_not_know(version):
    def rename(graph):
        for function in graph.graph_def.library.function:
            for node in function.node_def:
                node.op = "NewerProduct" if node.op == "MatMul" else node.op

    edit(version, rename)
    checks = assert_fails_only(
        version, "operations", "does not know NewerProduct (node `", "of function `__inference"
    )
    assert checks["runs"].passed is None and "see `operations`" in checks["runs"].detail


def test_operations_without_a_cpu_kernel(version):
    edit(version, lambda graph: graph.graph_def.node.add(name="stray", op="NcclReduce"))
    assert_fails_only(version, "operations", "no CPU kernel for NcclReduce (node `stray`)")


def test_xla(tmp_path):
    compiled = tf.function(product, jit_compile=True)
    version = save(tmp_path, lambda weights, x: compiled(weights, x))
    checks = assert_fails_only(version, "xla", "must be compiled", "function `__inference_product")
    assert "XLA compilation disabled" in checks["runs"].detail  # the session sees it too
    assert checks["runs"].passed is None


def test_xla_operations(version):
    edit(version, lambda graph: graph.graph_def.node.add(name="call", op="XlaCallModule"))
    assert_fails_only(version, "xla", "XlaCallModule (node `call`)", "jit_compile")


def test_cudnn(version):
    edit(version, lambda graph: graph.graph_def.node.add(name="rnn", op="CudnnRNNV3"))
    assert_fails_only(version, "cudnn", "CudnnRNNV3 (node `rnn`)", "use_cudnn=False")


@pytest.mark.parametrize("kind", ["py_function", "numpy_function"])
def test_python_functions(tmp_path, kind):
    def call(weights, x):
        y = product(weights, x)["y"]
        return {"y": tf.ensure_shape(getattr(tf, kind)(lambda v: v, [y], tf.float32), [None, 3])}

    version = save(tmp_path, call)
    assert_fails_only(version, "python functions", "PyFunc", "calls Python code")


def test_devices(tmp_path):
    def call(weights, x):
        with tf.device("/GPU:0"):
            return product(weights, x)

    assert_fails_only(save(tmp_path, call), "devices", "MatMul", "GPU:0`", "tf.device")


def test_functions_that_nothing_calls_may_be_anything(version):
    def add(graph):
        function = graph.graph_def.library.function.add()
        function.signature.name = "gpu_variant"
        function.node_def.add(name="rnn", op="CudnnRNNV3")

    edit(version, add)
    assert checked(version)["cudnn"].passed


def test_batch_scalar_output(tmp_path):
    def call(weights, x):
        y = product(weights, x)["y"]
        return {"y": y, "mean": tf.reduce_mean(y)}

    assert_fails_only(save(tmp_path, call), "batch", "output `mean` of `serving_default` is a")


def test_batch_fixed(tmp_path):
    def call(weights, x):
        return {"y": tf.ensure_shape(x, [1, 4]) @ weights}

    version = save(tmp_path, call, tf.TensorSpec([1, 4], tf.float32, name="x"))
    assert_fails_only(version, "batch", "input `x`", "fixed shape [1, 4]", "output `y`")


def test_batch_that_only_a_run_shows(tmp_path):
    def call(weights, x):
        return {"y": tf.reshape(product(weights, x)["y"], [-1])}

    assert_fails_only(save(tmp_path, call), "batch", "a batch of 1: `y` came back as [3]")


def test_batch_that_is_refused(tmp_path):
    def call(weights, x):
        tf.debugging.assert_less(tf.shape(x)[0], 3)
        return product(weights, x)

    assert_fails_only(save(tmp_path, call), "batch", "a batch of 3: INVALID_ARGUMENT")


def scores(weights, inputs):
    table = tf.tile(weights[:1], [tf.size(inputs), 1])
    return {"scores": table, "classes": tf.as_string(table)}


def test_classify(tmp_path):
    version = save(tmp_path, product, classify=(scores, [TEXTS]))
    checks = checked(version)
    assert checks["classify"].passed and checks["classify"].detail == "classify"
    assert checks["runs"].passed  # of the other signature
    assert "no value can be made up for `inputs` of `classify`" in checks["runs"].detail


def test_classify_with_another_output(tmp_path):
    def call(weights, inputs):
        return {**scores(weights, inputs), "index": tf.zeros_like(tf.strings.length(inputs))}

    version = save(tmp_path, product, classify=(call, [TEXTS]))
    assert_fails_only(version, "classify", "`classify` has the output `index`", "[N, C]")


def test_classify_of_another_type_and_rank(tmp_path):
    def call(weights, inputs):
        return {"scores": tf.cast(scores(weights, inputs)["scores"][:, 0], tf.float64)}

    version = save(tmp_path, product, by_example=(call, [TEXTS]))
    assert_fails_only(version, "classify", "is DT_DOUBLE", "has the rank 1")


def test_output_types(tmp_path):
    def call(weights, x):
        return {"y": tf.cast(product(weights, x)["y"], tf.float16)}

    version = save(tmp_path, call)
    assert_fails_only(version, "output types", "400 to DT_HALF of output `y`", "cast to float32")


def test_input_types(tmp_path):
    def call(weights, x):
        return product(weights, tf.cast(x, tf.float32))

    version = save(tmp_path, call, tf.TensorSpec([None, 4], tf.bfloat16, name="x"))
    assert_fails_only(version, "output types", "501 to DT_BFLOAT16 of input `x`")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (BATCHING + "allowed_batch_sizes: 4", "is 4, but max_batch_size is 2"),
        ("max_batch_size { value: 4 } allowed_batch_sizes: [2, 1, 4]", "do not ascend"),
        ("allowed_batch_sizes: 8", "is 8, but max_batch_size is 1000"),
        ("max_batch_size { value: 0 }", "max_batch_size is 0, not positive"),
        ("batch_timeout_micros { value: -1 }", "negative"),
        ("max_batch_size: 2", "is no BatchingParameters message"),
        ("max_batchsize { value: 2 }", "max_batchsize"),
        (
            "max_batch_size { value: 8 } max_execution_batch_size { value: 4 } "
            "enable_large_batch_splitting { value: true } allowed_batch_sizes: 8",
            "is 8, but max_execution_batch_size is 4",
        ),
    ],
)
def test_batching_parameters(version, text, word, dead_probe):
    (version / "batching_params.pbtxt").write_text(text)
    check = checked(version)["batching parameters"]
    assert check.passed is False and word in check.detail


def test_batching_parameters_of_every_kind(version, dead_probe):
    (version / "batching_params.pbtxt").write_text(
        """# comment
        max_batch_size { value: 64 }  batch_timeout_micros { value: 0 }
        max_enqueued_batches { value: 10 }  num_batch_threads { value: 2 }
        thread_pool_name { value: "pool" }  enable_large_batch_splitting { value: true }
        max_execution_batch_size { value: 4 }  pad_variable_length_inputs: true
        allowed_batch_sizes: [1, 4]"""
    )
    check = checked(version)["batching parameters"]
    assert check.passed and check.detail == "allowed batch sizes [1, 4], at most 64"


def test_batching_parameters_alone_fail(version):
    (version / "batching_params.pbtxt").write_text("allowed_batch_sizes: 8")
    assert_fails_only(version, "batching parameters")


def masked_sum(weights, x, lengths):
    x = tf.ensure_shape(x, [None, None, 4])
    mask = tf.sequence_mask(lengths, tf.shape(x)[1], dtype=tf.float32)[..., tf.newaxis]
    return {"y": tf.reduce_sum(x * mask, axis=1) @ weights}


def steps(weights, x, lengths):
    return {"steps": tf.ensure_shape(x, [None, None, 4]) @ weights}


@pytest.fixture(scope="module")
def good_varying(tmp_path_factory):
    folder = tmp_path_factory.mktemp("varying")
    return save(folder, masked_sum, *SEQUENCES, trace=(steps, SEQUENCES))


@pytest.fixture
def varying(good_varying, tmp_path):
    """A copy of a good version whose sequences vary in length."""
    return Path(shutil.copytree(good_varying, tmp_path / "base" / "1"))


def test_padding(varying):
    (varying / "batching_params.pbtxt").write_text(BATCHING + PAD)
    checks = checked(varying)
    assert not [check for check in checks.values() if check.passed is False]
    assert checks["padding"].passed and "2 signatures" in checks["padding"].detail


def test_padding_is_off(varying):
    (varying / "batching_params.pbtxt").write_text(BATCHING)
    assert_fails_only(
        varying, "padding", "`x` of `serving_default`, `x` of `trace` varies", "set it to true"
    )


def test_padding_where_the_server_does_not_batch(varying):
    check = checked(varying)["padding"]
    assert check.passed is None and "does not batch" in check.detail


def test_padding_changes_the_outputs(tmp_path):
    def everything(weights, x, lengths):
        return {"y": tf.reduce_sum(tf.ensure_shape(x, [None, None, 4]), axis=1) @ weights}

    version = save(tmp_path, everything, *SEQUENCES)
    (version / "batching_params.pbtxt").write_text(BATCHING + PAD)
    assert_fails_only(version, "padding", "`y` of `serving_default`, padded, differs by", "mask")


def test_padding_is_refused(tmp_path):
    def short(weights, x, lengths):
        tf.debugging.assert_less(tf.shape(x)[1], 4, "too long")
        return masked_sum(weights, x, lengths)

    version = save(tmp_path, short, *SEQUENCES)
    (version / "batching_params.pbtxt").write_text(BATCHING + PAD)
    assert_fails_only(version, "padding", "`serving_default`, a padded request: INVALID_ARGUMENT")


def test_warmup_junk(version):
    warmup(version, []).write_bytes(b"junk that is longer than a record's header")
    assert_fails_only(version, "warm-up", "not an uncompressed, whole TFRecord file")


def test_warmup_without_records(version, dead_probe):
    warmup(version, [])
    check = checked(version)["warm-up"]
    assert check.passed is False and "it holds no records" in check.detail


def test_warmup_gzip(version, dead_probe):
    warmup(version, [predict_log(rows(1))], "GZIP")
    check = checked(version)["warm-up"]
    assert check.passed is False and "uncompressed" in check.detail


@pytest.mark.parametrize(
    ("record", "word"),
    [
        (b"", "an empty PredictionLog"),
        (b"\xff\xff", "record 1: "),
        (predict_log(rows(1), signature="other"), "record 1: there is no signature `other`"),
        (predict_log(rows(1), key="z"), "it has the inputs ['z'], not ['x']"),
        (predict_log(rows(1).astype(int)), "input `x` is int64, not float32"),
    ],
)
def test_warmup_records(version, record, word, dead_probe):
    warmup(version, [record, predict_log(rows(1))])
    check = checked(version)["warm-up"]
    assert check.passed is False and word in check.detail


def test_warmup_too_many(version, dead_probe):
    path = warmup(version, [predict_log(rows(1))] * 1000)
    assert "1000 sound records" in checked(version)["warm-up"].detail
    path.write_bytes(path.read_bytes() * 2)
    assert "more than 1000 records" in checked(version)["warm-up"].detail


def test_warmup_and_batching(version, dead_probe):
    (version / "batching_params.pbtxt").write_text(BATCHING)
    warmup(version, [predict_log(rows(2)), predict_log(rows(3))])
    detail = checked(version)["warm-up"].detail
    assert "warm-up record 2 has a batch of 3, above max_batch_size 2" in detail
    assert "`serving_default` is not warmed with the allowed batch sizes [1]" in detail


def test_warmup_is_run(version):
    warmup(version, [predict_log(rows(1)), predict_log(rows(1, width=8))])
    assert_fails_only(version, "warm-up", "warm-up record 2: INVALID_ARGUMENT", "write the file")


def test_warmup_of_classify_runs_what_cannot_be_made_up(tmp_path):
    version = save(tmp_path, product, classify=(scores, [TEXTS]))
    log = prediction_log_pb2.PredictionLog()
    log.classify_log.request.model_spec.signature_name = "classify"
    examples = log.classify_log.request.input.example_list.examples
    examples.add().features.feature["x"].float_list.value.append(1.0)
    examples.add()  # serialized it is empty
    warmup(version, [log.SerializeToString()])
    checks = checked(version)
    assert [c for c in checks.values() if c.passed is False] == []
    assert "`classify` (a warm-up request)" in checks["runs"].detail


def test_runs_fails_with_the_session_error(version):
    def break_name(graph):
        graph.signature_def["serving_default"].outputs["y"].name = "absent:0"

    edit(version, break_name)
    assert_fails_only(version, "runs", "NOT_FOUND: The graph has no tensor 'absent:0'")


def test_runs_cannot_say_where_ones_are_refused(tmp_path):
    def call(weights, x):
        tf.debugging.assert_greater(x, 1.0)
        return product(weights, x)

    version = save(tmp_path, call)
    checks = checked(version)
    assert checks["runs"].passed is None and "refuses ones" in checks["runs"].detail
    assert checks["shapes refused"].passed is None
    warmup(version, [predict_log(rows(1) + 1)])
    checks = checked(version)
    assert checks["runs"].passed and checks["shapes refused"].passed


def test_shapes_refused(tmp_path):
    def call(weights, x):
        return {"y": tf.reduce_sum(x, axis=-1) + weights[0, 0]}

    version = save(tmp_path, call)
    assert_fails_only(
        version,
        "shapes refused",
        "`x` of `serving_default` with the shape [2, 8] instead of [-1, 4] was answered",
        "tf.ensure_shape",
    )


def test_golden(version):
    assert_fails_only(version, "golden", "`y` of `serving_default` differs by", goldens=[golden(1)])
    assert checked(version, goldens=[golden(1e-6)])["golden"].passed


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"signature": "other"}, "no signature `other`"),
        ({"inputs": {"x": np.ones((2, 4))}}, "input `x` is float64, not float32"),
        ({"outputs": {"z": np.ones((2, 3))}}, "there is no `z`"),
        ({"outputs": {"y": np.ones((2, 1), "float32")}}, "`y` of `serving_default` is [2, 3]"),
    ],
)
def test_golden_that_does_not_fit(version, change, word):
    unfit = dataclasses.replace(golden(), **change)
    assert_fails_only(version, "golden", word, goldens=[unfit])


def test_golden_strings(tmp_path):
    def call(weights, text):
        return {"y": text}

    version = save(tmp_path, call, tf.TensorSpec([None], tf.string, name="text"))
    right = np.array([b"", b"a\0b\0", "gr\u00fcn", b"x" * 100], object)
    checks = checked(version, goldens=[Golden("serving_default", {"text": right}, {"y": right})])
    assert checks["golden"].passed and checks["runs"].passed
    wrong = Golden("serving_default", {"text": right}, {"y": np.array(["", "a\0b", "a", "b"])})
    assert_fails_only(version, "golden", "3 strings of `y`", goldens=[wrong])


# The process that runs the model.


@pytest.fixture
def dead_probe(monkeypatch, tmp_path):
    """A probe that ends at once, for what does not need one."""
    program = tmp_path / "probe.py"
    program.write_text("")
    monkeypatch.setattr(probe, "__file__", str(program))


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (f"import os; os.kill(os.getpid(), {int(signal.SIGSEGV)})", "died of SIGSEGV"),
        ("import time; time.sleep(60)", "no answer within 1 s"),
        ("raise SystemExit('out of luck')", "status 1: out of luck"),
        ("", "ended without a word"),
    ],
)
def test_a_probe_that_dies_is_a_failed_check(version, monkeypatch, tmp_path, program, reason):
    (tmp_path / "probe.py").write_text(program)
    monkeypatch.setattr(probe, "__file__", str(tmp_path / "probe.py"))
    started = time.monotonic()
    checks = checked(version, timeout=1, goldens=[golden()])
    assert time.monotonic() - started < 20
    assert checks["runs"].passed is False and reason in checks["runs"].detail
    for rule in ("operations", "shapes refused", "golden"):
        assert checks[rule].passed is None


def test_a_process_that_dies_of_a_wrong_shape_is_told_from_others(tmp_path):
    """A call that kills the process; what was answered before it is kept."""

    def call(weights, x):
        return product(weights, x)

    version = save(tmp_path, call)
    source = Path(probe.__file__).read_text()
    line = "            outputs = runtime.run("
    assert line in source
    deadly = "            if any(t.shape == (2, 8) for t in values.values()): os.abort()\n"
    (tmp_path / "probe.py").write_text(source.replace(line, deadly + line, 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probe, "__file__", str(tmp_path / "probe.py"))
        assert_fails_only(version, "shapes refused", "[2, 8]", "died of SIGABRT")


def test_a_folder_without_a_runtime(version, tmp_path):
    checks = checked(version, runtime=tmp_path)
    assert checks["runs"].passed is False and "cannot open shared object" in checks["runs"].detail


def test_the_session_sees_what_must_be_compiled(tmp_path):
    version = save(tmp_path, tf.function(product, jit_compile=True))
    saved = saved_model_pb2.SavedModel.FromString((version / "saved_model.pb").read_bytes())
    signature = saved.meta_graphs[0].signature_def["serving_default"]
    feeds = {signature.inputs["x"].name: rows(2)}
    call = Call(feeds, {"y": signature.outputs["y"].name})
    report = run_probe(version, [], [call])
    assert report.failure == ""
    assert "XLA compilation disabled" in report.results[0].error


def test_tensors_survive_the_way_to_the_probe(tmp_path):
    arrays = {
        "strings": np.array([[b"", b"a\0"], [b"\0", b"\xff" * 40]], object),
        "texts": np.array(["gr\u00fcn", ""]),
        "none": np.zeros((0, 3), "float32"),
        "scalar": np.array(3, "int64"),
        "half": np.ones((2, 2), tf.bfloat16.as_numpy_dtype),
        "bool": np.array([True, False]),
    }
    sent = {key: Tensor.from_array(array) for key, array in arrays.items()}
    probe.save(tmp_path / "a.npz", {"n": 1}, sent)
    record, tensors = probe.load(tmp_path / "a.npz")
    assert record == {"n": 1}
    assert tensors["texts"].to_array().tolist() == ["gr\u00fcn".encode(), b""]
    del arrays["texts"]  # come back as bytes
    for key, array in arrays.items():
        back = tensors[key].to_array()
        assert back.dtype == array.dtype and back.shape == array.shape
        np.testing.assert_array_equal(back, array)


def test_the_probe_imports_no_tensorflow():
    code = "import sys, seqclf.serving.verify.probe as p; print({'tensorflow'} & {*sys.modules})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


RUNTIME = os.environ.get("SEQCLF_SERVING_RUNTIME", "")


@pytest.mark.skipif(not RUNTIME, reason="SEQCLF_SERVING_RUNTIME names no other TensorFlow's folder")
def test_in_another_runtime(version, tmp_path):
    checks = checked(version, goldens=[golden()], runtime=RUNTIME)
    assert [c for c in checks.values() if c.passed is False] == []
    assert f"TensorFlow {tf.__version__} " not in checks["runs"].detail
    compiled = save(tmp_path / "xla", tf.function(product, jit_compile=True))
    checks = assert_fails_only(compiled, "xla", runtime=RUNTIME)
    assert "XLA compilation disabled" in checks["runs"].detail
    export = export_model(
        build_classifier(resolve({"model": {"units": [8]}}), SPECS["images"]),
        SPECS["images"],
        tmp_path / "ours",
        {},
    )
    assert [c for c in checked(export, runtime=RUNTIME).values() if c.passed is False] == []


def test_describe():
    checks = [Check("a", True, "fine"), Check("longer", False, "bad"), Check("b", None, "no")]
    assert describe_checks(checks).splitlines() == [
        "ok       a       fine",
        "FAILED   longer  bad",
        "skipped  b       no",
        "1 ok, 1 failed, 1 skipped",
    ]
