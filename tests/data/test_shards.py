"""The source `tfrecord:GLOB`: reading, training from it, and every refusal."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from numbered_shards import numbered
from running import python

from seqclf.config import resolve
from seqclf.data.input_range import input_range
from seqclf.data.pipeline import evaluation_batches, training_batches
from seqclf.data.shards.convert import open_source
from seqclf.data.shards.records import serialize
from seqclf.data.shards.writing import write_shards
from seqclf.data.sources import load_dataset
from seqclf.errors import ConfigError, DataError, RunError
from seqclf.experiment.run import run_experiment
from seqclf.experiment.run_evaluation import evaluate_run
from seqclf.inspection.report import gradient_flow_batch
from seqclf.storage.run_directory import Run
from seqclf.training.checkpoints import restore_latest
from seqclf.training.evaluation import Scorer
from seqclf.training.loop import fit


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """The folder of the digits as shards."""
    folder = tmp_path_factory.mktemp("shards") / "digits"
    write_shards(open_source("digits"), str(folder), shards=16)
    return folder


@pytest.fixture
def copy(digits, tmp_path):
    return shutil.copytree(digits, tmp_path / "copy")


def test_the_examples_are_those_that_went_in(digits):
    memory, streamed = load_dataset("digits"), load_dataset(f"tfrecord:{digits}/*.tfrecord")
    for name, split in memory.splits():
        ours = streamed.split(name).take(np.arange(len(split)))
        if name == "train":  # written in another order, lest it is that of the classes
            assert ours.y.tolist() != split.y.tolist()
            ours, split = (s.take(np.lexsort(s.x.reshape(len(s), -1).T)) for s in (ours, split))
        np.testing.assert_array_equal(ours.x, split.x)
        np.testing.assert_array_equal(ours.y, split.y)
    batches = [(x.numpy(), y.numpy()) for x, y in evaluation_batches(streamed.test, streamed.spec)]
    np.testing.assert_array_equal(np.concatenate([x for x, _ in batches]), memory.test.x / 16)
    np.testing.assert_array_equal(np.concatenate([y for _, y in batches]), memory.test.y)


@pytest.mark.parametrize("reading", ["rows", "columns", "pixels", "permuted"])
@pytest.mark.parametrize("normalize", ["auto", "standard", "global", "none"])
def test_the_spec_is_that_of_the_arrays(digits, reading, normalize):
    options = {"reading": reading, "normalize": normalize}
    ours = load_dataset(f"tfrecord:{digits}", **options).spec
    theirs = load_dataset("digits", **options).spec
    assert json.loads(ours.to_json()) | {"source": ""} == json.loads(theirs.to_json()) | {
        "source": ""
    }


@pytest.mark.parametrize("normalize", ["standard", "global", "none"])
def test_missing_values_are_kept_and_treated_as_in_memory(tmp_path, normalize):
    rng = np.random.default_rng(0)
    x, lengths = rng.normal(3, 2, (90, 7, 4)).astype("float32"), rng.integers(1, 8, 90)
    x[rng.random(x.shape) < 0.3] = np.nan
    np.savez(tmp_path / "a.npz", x=x, y=np.arange(90) % 3, lengths=lengths)
    source, options = f"npz:{tmp_path}/a.npz", {"missing": "forward", "normalize": normalize}
    opened = open_source(source, keep_missing=True)
    schema = write_shards(opened, str(tmp_path / "a"), shards=4, keep_missing=True)
    memory = load_dataset(source, **options)
    streamed = load_dataset(f"tfrecord:{tmp_path}/a", **options)

    for name, split in memory.splits():
        valid = [each[:n] for each, n in zip(split.x, split.lengths, strict=True)]
        assert list(schema.missing[name]) == np.isnan(np.concatenate(valid)).sum(0).tolist()
    assert streamed.spec.missing == "forward"
    for field in ("fill", "shift", "scale"):
        ours, theirs = getattr(streamed.spec, field), getattr(memory.spec, field)
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    assert input_range(streamed) == input_range(memory)
    for (ours, _), (theirs, _) in zip(
        evaluation_batches(streamed.test, streamed.spec),
        evaluation_batches(memory.test, memory.spec),
        strict=True,
    ):
        assert np.isfinite(ours["sequences"]).all()
        np.testing.assert_allclose(ours["sequences"], theirs["sequences"], atol=1e-5)

    counts = ", ".join(
        f"feature {d} {np.isnan(x[steps(x, lengths)])[:, d].sum()}" for d in range(4)
    )
    with pytest.raises(
        DataError, match=rf"missing \(NaN\). By feature: {counts}. .*`data.missing`"
    ):
        load_dataset(f"tfrecord:{tmp_path}/a")
    # A program that knows no missing values must refuse them, and not shards without any.
    assert json.loads((tmp_path / "a" / "schema.json").read_text())["version"] == 2


def steps(x, lengths):
    """Which time steps are valid, bool [N, T]."""
    return np.arange(x.shape[1]) < lengths[:, None]


def test_missing_values_are_refused_unless_they_are_to_be_kept(tmp_path):
    for name in ("a", "b"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(5):
            np.save(tmp_path / "data" / name / f"{i}.npy", np.ones((3, 2)))
    np.save(tmp_path / "data" / "a" / "2.npy", np.array([[1, np.nan], [np.nan, 2]]))
    source = f"folder:{tmp_path}/data"
    with pytest.raises(DataError, match="2.npy: 2 values are missing .*--missing=keep"):
        write_shards(open_source(source), str(tmp_path / "out"), shards=2)
    schema = write_shards(open_source(source), str(tmp_path / "out"), shards=2, keep_missing=True)
    assert sum(map(np.array, schema.missing.values())).tolist() == [1, 1]


def test_shards_without_missing_values_are_as_they_were(digits):
    content = json.loads((digits / "schema.json").read_text())
    assert content["version"] == 1 and "missing" not in content
    assert all(isinstance(entry["count"], int) for entry in content["moments"].values())
    dataset = load_dataset(f"tfrecord:{digits}", missing="forward")
    assert dataset.spec.missing == "error" and "uint8 cannot be missing" in dataset.notes[-1]


def test_sequences_of_varying_lengths(tmp_path):
    rng = np.random.default_rng(0)
    x, lengths = rng.normal(3, 2, (90, 7, 4)), rng.integers(1, 8, 90)
    np.savez(tmp_path / "a.npz", x=x, y=np.arange(90) % 3, lengths=lengths)
    source = f"npz:{tmp_path}/a.npz"
    write_shards(open_source(source), str(tmp_path / "a"), shards=4)
    memory, streamed = load_dataset(source), load_dataset(f"tfrecord:{tmp_path}/a/*")
    np.testing.assert_allclose(streamed.spec.shift, memory.spec.shift, rtol=1e-9)
    np.testing.assert_allclose(streamed.spec.scale, memory.spec.scale, rtol=1e-9)
    for (ours, y), (theirs, z) in zip(
        evaluation_batches(streamed.test, streamed.spec),
        evaluation_batches(memory.test, memory.spec),
        strict=True,
    ):
        np.testing.assert_array_equal(y, z)
        np.testing.assert_array_equal(ours["lengths"], theirs["lengths"])
        np.testing.assert_allclose(ours["sequences"], theirs["sequences"], atol=1e-6)
    for inputs, _ in training_batches(streamed.train, streamed.spec, 8, 0).take(3):
        assert inputs["sequences"].shape == (8, 7, 4)
    sequences, labels = gradient_flow_batch(streamed, 4)
    expected, truth = gradient_flow_batch(memory, 4)
    np.testing.assert_array_equal(labels, truth)
    np.testing.assert_allclose(sequences, expected, atol=1e-6)
    with pytest.raises(ConfigError, match="can only be read by `rows`. Received: 'pixels'"):
        load_dataset(f"tfrecord:{tmp_path}/a", reading="pixels")


def test_chosen_examples(tmp_path):
    split = numbered(tmp_path / "a", 30, shards=4).train
    chosen = split.take(np.array([29, 3, 3, 0, 14]))
    assert chosen.y.tolist() == [29, 3, 3, 0, 14]
    assert chosen.x[:, 0, 0].tolist() == [29, 3, 3, 0, 14]


def config(source, **changes):
    small = {"data": {"source": source}, "model": {"units": [24]}, "batch_size": 64, "steps": 150}
    small |= {"validate_every": 50, "checkpoint_every": 15, "optimizer": {"learning_rate": 0.02}}
    return resolve(small | {"jit_compile": False} | changes)


def test_a_whole_experiment(digits, tmp_path):
    chosen = config(f"tfrecord:{digits}/*.tfrecord")
    report = run_experiment(chosen, tmp_path / "a", export=False)
    assert report["test"]["accuracy"] > 0.9
    assert report["data"]["examples"] == {"train": 1293, "validation": 144, "test": 360}
    assert len(list((tmp_path / "a/samples").iterdir())) == 3
    run = Run(tmp_path / "a")
    assert evaluate_run(run, "test")["accuracy"] == report["test"]["accuracy"]
    dataset = load_dataset(f"tfrecord:{digits}/*.tfrecord")
    assert run.read_manifest()["data"]["fingerprint"] == dataset.fingerprint()


def test_it_goes_on_where_it_was_to_the_bit(digits, tmp_path):
    chosen = config(f"tfrecord:{digits}", steps=60, validate_every=20)
    dataset = load_dataset(**chosen.data.to_dict())
    weights = []
    for name, stops in (("a", [None]), ("b", [20, 40, None])):
        run = Run(tmp_path / name)
        run.prepare(chosen)
        for until in stops:
            model = fit(chosen, dataset, run, until=until).model
        weights.append(model.get_weights())
        assert restore_latest(run, {})["step"] == 60
    assert all(np.array_equal(a, b) for a, b in zip(*weights, strict=True))
    assert Scorer(model, dataset.spec)(dataset.validation).accuracy > 0.6


def test_other_data_is_another_fingerprint(digits, copy, tmp_path):
    same = load_dataset(f"tfrecord:{digits}").fingerprint()
    assert load_dataset(f"tfrecord:{digits}").fingerprint() == same
    chosen = config(f"tfrecord:{copy}", steps=2)
    run_experiment(chosen, tmp_path / "a", export=False)
    (tmp_path / "a/report.json").unlink()
    schema = json.loads((copy / "schema.json").read_text())
    schema["shards"]["train"][3]["crc32"] += 1
    (copy / "schema.json").write_text(json.dumps(schema))
    with pytest.raises(RunError, match="is not what the run in .* was trained on"):
        run_experiment(chosen, tmp_path / "a", export=False)


def schema_with(**changes):
    def spoil(folder):
        content = json.loads((folder / "schema.json").read_text())
        (folder / "schema.json").write_text(json.dumps({**content, **changes}))

    return spoil


def truncate(folder):
    file = folder / "train-00003-of-00016.tfrecord"
    file.write_bytes(file.read_bytes()[:-10])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: (f / "schema.json").unlink(), "schema.json: no such file. Shards need"),
        (lambda f: (f / "schema.json").write_text('{"form'), "schema.json: damaged, it is not val"),
        (lambda f: (f / "schema.json").write_bytes(b"\xff\xfe"), "schema.json: damaged"),
        (lambda f: (f / "schema.json").write_text("{}"), "schema.json: not a schema of seqclf"),
        (schema_with(format="other"), 'schema.json: not a schema of seqclf shards, it lacks "f'),
        (
            schema_with(version=4),
            "must have version 1, 2 or 3 of the format. Received: version 4. Write",
        ),
        (schema_with(shards={"train": []}), "schema.json: damaged, its entries are not"),
        (schema_with(lanes=3), "`lanes` must divide the 16 training shards: 3"),
        (schema_with(shape=[8]), "schema.json: damaged, its entries"),
        (schema_with(dtype="int64"), "schema.json: damaged, its entries"),
        (schema_with(moments={}), "`moments` lacks the entry for rows"),
        (schema_with(input_range={"low": [0.0]}), "schema.json: damaged, its entries"),
        (schema_with(input_range={"low": [0.0], "high": [1.0]}), "`input_range`: {'low'"),
        (schema_with(input_range={"low": [2.0] * 8, "high": [1.0] * 8}), "`input_range`: {'low'"),
        (schema_with(class_names=["a", "a"]), "schema.json: `class_names`: class names must dif"),
        (schema_with(more=1), "schema.json: damaged, its entries"),
        (
            lambda f: (f / "train-00003-of-00016.tfrecord").unlink(),
            "1 of the 22 shards that schema.json lists are not there, or not matched, such as tra",
        ),
        (
            lambda f: (f / "train-00003-of-00017.tfrecord").write_bytes(b""),
            "train-00003-of-00017.tfrecord: matches, but schema.json does not list it. Move",
        ),
        (truncate, "train-00003-of-00016.tfrecord: must have the 9,"),
    ],
)
def test_sets_that_are_not_whole(copy, spoil, message):
    spoil(copy)
    with pytest.raises(DataError) as caught:
        load_dataset(f"tfrecord:{copy}/*.tfrecord")
    assert message in str(caught.value)
    assert str(copy) in str(caught.value)


def test_patterns(digits, tmp_path):
    with pytest.raises(DataError, match=r"no file matches. Write shards with python -m seqclf"):
        load_dataset(f"tfrecord:{tmp_path}/nothing/*.tfrecord")
    with pytest.raises(DataError, match=r"lists are not there, or not matched, such as test-0"):
        load_dataset(f"tfrecord:{digits}/train-*.tfrecord")
    shutil.copytree(digits, tmp_path / "b")
    shutil.copytree(digits, tmp_path / "c")
    with pytest.raises(DataError, match="lie in one folder"):
        load_dataset(f"tfrecord:{tmp_path}/*/*.tfrecord")
    with pytest.raises(ConfigError, match="names no file or folder. Received: 'tfrecord:'"):
        load_dataset("tfrecord:")
    with pytest.raises(
        ConfigError, match="resizes images of folders and of tensorflow-datasets only"
    ):
        load_dataset(f"tfrecord:{digits}", image_size=(8, 8))
    with pytest.raises(DataError, match=r"unknown://a/\*: cannot be opened: File system scheme"):
        load_dataset("tfrecord:unknown://a/*")


def test_other_file_systems(digits):
    """A cloud's addresses go to tf.io.gfile as they are; this one is in memory."""
    out = "ram://bucket/digits"
    write_shards(open_source("digits"), out, shards=16)
    dataset = load_dataset(f"tfrecord:{out}/*.tfrecord")
    here = load_dataset(f"tfrecord:{digits}/*.tfrecord")
    assert dataset.train.schema.shards == here.train.schema.shards
    assert len(dataset.test.take(np.arange(5))) == 5
    assert not tf.io.gfile.glob("ram://bucket/.tmp-*")
    with pytest.raises(ConfigError, match="new folder. Received: 'ram://bucket/digits'"):
        write_shards(open_source("digits"), out, shards=16)
    assert tf.io.gfile.exists(f"{out}/schema.json")


def flip(file, place):
    content = bytearray(file.read_bytes())
    content[place] ^= 4
    file.write_bytes(content)


def rewrite(file, examples):
    """Puts records of other examples into a shard, its size in the schema along with them."""
    with tf.io.TFRecordWriter(str(file)) as writer:
        for record in examples:
            writer.write(record)
    schema = json.loads((file.parent / "schema.json").read_text())
    for shard in schema["shards"]["train"]:
        if shard["file"] == file.name:
            shard["bytes"] = file.stat().st_size
    (file.parent / "schema.json").write_text(json.dumps(schema))


def image(shape=(8, 8), dtype=np.uint8):
    return np.zeros(shape, dtype)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: flip(f, 700), r"damaged \(corrupted record at "),
        (lambda f: flip(f, 3), r"damaged \(corrupted record at 0"),
        (
            lambda f: rewrite(f, [b"what?"] * 81),
            "record 0 is not .*: it is not a tf.Example with x,",
        ),
        (
            lambda f: rewrite(f, [serialize(image(), 3)] * 5 + [serialize(image(), 10)] * 76),
            r"record 5 is not as the schema says: its label is not in 0\.\.9",
        ),
        (lambda f: rewrite(f, [serialize(image(), -1)] * 81), "record 0 .*label is not in"),
        (
            lambda f: rewrite(f, [serialize(image((8, 9)), 1)] * 81),
            "record 0 .*its size is not that of its shape",
        ),
        (
            lambda f: rewrite(f, [serialize(image((7, 8)), 1)] * 81),
            r"record 0 .*its length is not in 8\.\.8",
        ),
        (
            lambda f: rewrite(f, [serialize(image((8, 8), np.float32), 1)] * 81),
            "record 0 .*its size is not that",
        ),
        (lambda f: rewrite(f, [serialize(image(), 1)] * 30), r"holds 30 records. The schema lists"),
        (lambda f: f.unlink(), "no such file; the schema lists it"),
    ],
)
def test_records_that_are_not_what_was_written(copy, spoil, message):
    file = copy / "train-00003-of-00016.tfrecord"
    if message.startswith("no such"):
        dataset = load_dataset(f"tfrecord:{copy}")  # it vanishes later
        spoil(file)
    else:
        spoil(file)
        dataset = load_dataset(f"tfrecord:{copy}")
    with pytest.raises(DataError, match=f"train-00003-of-00016.tfrecord: .*{message}"):
        list(training_batches(dataset.train, dataset.spec, 64, 0).take(20))
    with pytest.raises(DataError, match="train-00003-of-00016.tfrecord: "):
        list(evaluation_batches(dataset.train, dataset.spec))


def test_a_damaged_shard_ends_the_command_in_one_message(copy, tmp_path):
    flip(copy / "validation-00001-of-00002.tfrecord", 500)
    command = [*python(), "-m", "seqclf.train", "--config.model.units=8", "--config.steps=20"]
    command += [f"--config.data.source=tfrecord:{copy}/*.tfrecord", "--config.jit_compile=false"]
    done = subprocess.run(
        [*command, f"--workdir={tmp_path}/run"],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 1, done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert "validation-00001-of-00002.tfrecord: truncated or damaged" in errors[0]
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["run [1]", "a*b", "what?", "x{y}", "c\\d", "~tilde", "é, #%"])
def test_folders_whose_names_a_pattern_would_interpret(tmp_path, name):
    dataset = numbered(tmp_path / name, 8, shards=2)
    assert len(dataset.train.take(np.arange(8)).y) == 8
    assert len(load_dataset(f"tfrecord:{tmp_path / name}").train) == 8
    with pytest.raises(DataError, match="not matched, such as test-"):
        load_dataset(f"tfrecord:{tmp_path / name}/validation-*")


def test_patterns_of_folders_and_home(tmp_path, monkeypatch):
    numbered(tmp_path / "shards-1", 8, shards=2)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(load_dataset("tfrecord:~/shards-1/*.tfrecord").train) == 8
    assert len(load_dataset(f"tfrecord:{tmp_path}/shards-?/*.tfrecord").train) == 8
    monkeypatch.chdir(tmp_path / "shards-1")
    assert len(load_dataset("tfrecord:*.tfrecord").train) == 8
