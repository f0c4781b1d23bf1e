"""The converter: sources, splits, files, and that nothing is left behind when it fails."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf
from numbered_shards import numbered
from PIL import Image
from running import python

from seqclf.data.shards.convert import open_source
from seqclf.data.shards.folder import ImageOptions
from seqclf.data.shards.progress import ShardProgress
from seqclf.data.shards.writing import write_shards
from seqclf.data.sources import load_dataset
from seqclf.errors import ConfigError, DataError

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def write_image(path, value, mode="L", size=(6, 5)):
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = value if mode == "L" else (value,) * len(mode)
    Image.new(mode, size, colour).save(path)


def folder_of_images(root, count=20, names=("cat", "dog")):
    for y, name in enumerate(names):
        for i in range(count):
            write_image(root / name / f"{i}.png", 100 * y + i)
    return f"folder:{root}"


def convert(source, out, shards=4, **options):
    write_shards(open_source(source, **options), str(out), shards=shards)
    return load_dataset(f"tfrecord:{out}")


def values(split):
    """Returns the first value of each example and its label."""
    examples = split.take(np.arange(len(split)))
    return [(int(x.flat[0]), int(y)) for x, y in zip(examples.x, examples.y, strict=True)]


def test_a_folder_of_classes(tmp_path):
    dataset = convert(folder_of_images(tmp_path / "in"), tmp_path / "out")
    assert dataset.spec.class_names == ("cat", "dog")
    assert (dataset.spec.raw_shape, dataset.spec.raw_dtype) == ((5, 6), "uint8")
    assert [len(split) for _, split in dataset.splits()] == [28, 4, 8]
    everything = [pair for _, split in dataset.splits() for pair in values(split)]
    assert sorted(everything) == [(100 * y + i, y) for y in (0, 1) for i in range(20)]
    for _, split in dataset.splits():
        assert 2 * sum(y for _, y in values(split)) == len(
            split
        )  # the classes keep their proportions
    order = [y for _, y in values(dataset.train)]
    assert order != sorted(order) and order != sorted(order, reverse=True)


def test_seeds_and_names_decide_the_splits(tmp_path):
    name = folder_of_images(tmp_path / "in")
    a, b, c = (convert(name, tmp_path / f"out{i}", seed=seed) for i, seed in enumerate((0, 0, 1)))
    assert values(a.test) == values(b.test) != values(c.test)
    assert values(a.train) == values(b.train) != values(c.train)


def test_folders_of_splits(tmp_path):
    root = tmp_path / "in"
    folder_of_images(root / "train", 10)
    folder_of_images(root / "test", 3)
    (root / "train/.DS_Store").write_text("")
    (root / "train/cat/notes.txt").write_text("")
    dataset = convert(f"folder:{root}", tmp_path / "out")
    assert [len(split) for _, split in dataset.splits()] == [18, 2, 6]
    assert values(dataset.test) == [(100 * y + i, y) for y in (0, 1) for i in range(3)]


def test_images_of_other_kinds(tmp_path):
    root = tmp_path / "in"
    for name in ("a", "b"):
        for i in range(4):
            write_image(root / name / f"{i}.jpg", 9, "RGB", size=(4 + i, 7))
        write_image(root / name / "4.png", 0, "RGBA")
    with pytest.raises(DataError, match=r"of one shape. Received: .*--image_size=HEIGHT,WIDTH"):
        convert(f"folder:{root}", tmp_path / "out")
    grey = ImageOptions((5, 4), 1)
    dataset = convert(f"folder:{root}", tmp_path / "out", images=grey)
    assert dataset.spec.raw_shape == (5, 4)
    everything = [value for _, split in dataset.splits() for value, _ in values(split)]
    assert everything.count(255) == 2  # what is transparent is laid on white
    colour = convert(f"folder:{root}", tmp_path / "rgb", images=ImageOptions((5, 4)))
    assert colour.spec.raw_shape == (5, 4, 3)


def test_arrays_of_varying_lengths(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("calm", "busy"):
        (tmp_path / "in" / name).mkdir(parents=True)
        for i in range(12):
            x = rng.normal(i, 1, (1 + i % 5, 3))
            np.save(tmp_path / "in" / name / f"{i}.npy", x)
    dataset = convert(f"folder:{tmp_path}/in", tmp_path / "out")
    spec = dataset.spec
    assert (spec.raw_shape, spec.raw_dtype, spec.variable_length) == ((5, 3), "float32", True)
    assert spec.class_names == ("busy", "calm")
    train = dataset.train.take(np.arange(len(dataset.train)))
    steps = np.concatenate([x[:n] for x, n in zip(train.x, train.lengths, strict=True)])
    np.testing.assert_allclose(spec.shift, steps.mean(0), rtol=1e-6)
    np.testing.assert_allclose(spec.scale, 1 / steps.std(0), rtol=1e-5)


def test_files_are_equal_in_size_and_numbered(tmp_path):
    dataset = numbered(tmp_path / "a", 30, shards=4, held_out=16)
    schema = dataset.train.schema
    assert [shard.examples for shard in schema.shards["train"]] == [7, 8, 7, 8]
    assert len(schema.shards["validation"]) == 2
    assert schema.lanes == 4
    assert schema.shards["train"][3].file == "train-00003-of-00004.tfrecord"
    for shards in schema.shards.values():
        for shard in shards:
            path = tmp_path / "a" / shard.file
            assert path.stat().st_size == shard.bytes
            assert sum(1 for _ in tf.data.TFRecordDataset(str(path))) == shard.examples


@pytest.mark.parametrize(("shards", "lanes"), [(32, 8), (12, 6), (7, 7), (11, 1), (1, 1)])
def test_lanes_divide_the_shards(tmp_path, shards, lanes):
    assert numbered(tmp_path / "a", 40, shards=shards).train.schema.lanes == lanes


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shards": 41}, "--shards must be from 1 to .* 40. Received: 41"),
        ({"shards": 10, "lanes": 4}, "divide the number of shards, 10. Received: 4; .*--shards=12"),
    ],
)
def test_numbers_that_do_not_fit(tmp_path, options, message):
    with pytest.raises(ConfigError, match=message):
        numbered(tmp_path / "a", 40, **options)
    assert not list(tmp_path.iterdir())


def test_an_existing_folder_is_left_as_it_is(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(ConfigError, match="--out must name a new folder. Received: .*which exists"):
        numbered(tmp_path / "a", 8, shards=2)
    assert not list((tmp_path / "a").iterdir())


def test_an_unknown_file_system():
    with pytest.raises(DataError, match="unknown://a/b: cannot be reached: File system scheme"):
        numbered("unknown://a/b", 8, shards=2)


def spoilt(tmp_path, name, content):
    """A folder of .npy files, one of which is spoilt."""
    for y in ("a", "b"):
        (tmp_path / "in" / y).mkdir(parents=True)
        for i in range(6):
            np.save(tmp_path / f"in/{y}/{i}.npy", np.zeros((4, 3), np.float32))
    if isinstance(content, bytes):
        (tmp_path / "in/b" / name).write_bytes(content)
    else:
        np.save(tmp_path / "in/b" / name, content, allow_pickle=True)
    return f"folder:{tmp_path}/in"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x93NUMPY what", r"5\.npy: truncated, damaged or no .npy file"),
        (np.array([{}]), r"5\.npy: truncated, damaged or no .npy file .*allow_pickle"),
        (np.zeros(4), r"5\.npy: must hold one array .*Received: float64 \[4\]"),
        (np.full((4, 3), np.nan), r"5\.npy: 12 values are missing"),
        (np.zeros((4, 2), np.float32), r"of one shape \[any, D\]. Received: .*\[4, [23]\], after"),
        (np.zeros((0, 3), np.float32), r"5\.npy: (has no time steps|is empty)"),
        (np.zeros((4, 3), np.uint8), r"examples must be of one dtype. Received"),
    ],
)
def test_spoilt_files_are_named_and_nothing_is_left(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        convert(spoilt(tmp_path, "5.npy", content), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_folders_that_hold_no_data_set(tmp_path):
    def refused(message, prepare):
        root = tmp_path / str(len(list(tmp_path.iterdir())))
        prepare(root)
        with pytest.raises(DataError, match=message):
            convert(f"folder:{root}", tmp_path / "out")

    refused("no such folder", lambda root: None)
    refused("no examples|at least two classes", lambda root: root.mkdir())
    refused("at least two classes", lambda root: folder_of_images(root, names=("a",)))
    refused("too few examples of class 'cat'", lambda root: folder_of_images(root, 1))

    def lacking(root):
        folder_of_images(root)
        (root / "bird").mkdir()

    refused("class 'bird' has no example to train on", lacking)

    def unknown(root):
        folder_of_images(root / "train")
        folder_of_images(root / "test", names=("cat", "cow"))

    refused("cow: the training examples have no class of that name", unknown)

    def mixed(root):
        folder_of_images(root)
        np.save(root / "cat/a.npy", np.zeros((3, 3)))

    refused("holds images and .npy arrays. Put them into folders of their own", mixed)

    def damaged(root):
        folder_of_images(root)
        (root / "cat/7.png").write_bytes((root / "cat/7.png").read_bytes()[:45])

    refused(r"7\.png: not a readable image", damaged)
    assert not (tmp_path / "out").exists()
    for name in ("tfrecord:x", "folder:"):
        with pytest.raises(ConfigError, match="--source must be folder:DIR"):
            open_source(name)


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    class Full(tf.io.TFRecordWriter):
        def write(self, record):
            raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monkeypatch.setattr(tf.io, "TFRecordWriter", Full)
    with pytest.raises(DataError, match=r"cannot be written \(No space left on device\). Nothing"):
        numbered(tmp_path / "a", 8, shards=2)
    assert not list(tmp_path.iterdir())


def test_an_interruption_leaves_nothing(tmp_path):
    folder_of_images(tmp_path / "in", 2_500)
    command = [*python(), "-m", "seqclf.shard", f"--source=folder:{tmp_path}/in"]
    with subprocess.Popen(
        [*command, f"--out={tmp_path}/out"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        text=True,
    ) as process:
        while not list(tmp_path.glob(".tmp-out-*/train-00001*")):
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_the_command(tmp_path):
    name = folder_of_images(tmp_path / "in")
    out = tmp_path / "shards/out"

    def shard(*flags, status=0):
        done = subprocess.run(
            [*python(), "-m", "seqclf.shard", f"--source={name}", f"--out={out}", *flags],
            capture_output=True,
            text=True,
            timeout=120,
            env=ENVIRONMENT,
        )
        assert done.returncode == status, done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        return done.stderr if status else done.stdout

    said = shard("--shards=4", "--image_size=8,6")
    assert "train      28/28" in said
    assert "Examples  train 28, validation 4, test 8; uint8 [8, 6], 2 classes" in said
    assert f"-m seqclf.train --config.data.source='tfrecord:{out}/*.tfrecord'" in said
    assert json.loads((out / "schema.json").read_text())["shape"] == [8, 6]
    assert "--out must name a new folder" in shard(status=2)
    assert "--image_size must be HEIGHT,WIDTH. Received: '8'" in shard("--image_size=8", status=2)


def test_progress(capsys, monkeypatch):
    now = iter([0.0, 1.0, 6.0, 10.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(now))
    report = ShardProgress()
    for done in (1, 100, 600, 1000):
        report("train", done, 1000)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "train        600/1,000  100/s  left 0:04",
        "train      1,000/1,000  100/s  left 0:00",
    ]
