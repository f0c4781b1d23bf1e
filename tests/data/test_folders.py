"""`folder:` as a source: one file for each sequence or image; one message for each mistake."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from seqclf.config import DataConfig
from seqclf.data.shards.folder import folder_source
from seqclf.data.sources import load_dataset
from seqclf.errors import ConfigError, DataError

COLUMNS = ["t", "temp", "vib"]


def sequence(i):
    rng = np.random.default_rng(i)
    x = rng.normal(size=(4 + i % 3, 2)).round(3)
    return pd.DataFrame({"t": np.arange(len(x)), "temp": x[:, 0], "vib": x[:, 1]})


def write_csv(path, i, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    sequence(i).to_csv(path, index=False, **options)


@pytest.fixture
def classes(tmp_path):
    """20 CSV files in two folders, of which one has its columns in another order."""
    for i in range(20):
        write_csv(tmp_path / "in" / ("walk", "run")[i % 2] / f"{i}.csv", i)
    write_csv(tmp_path / "in/walk/4.csv", 4, columns=["vib", "temp", "t"])
    return tmp_path / "in"


def assert_holds(dataset, count):
    seen = 0
    for _, split in dataset.splits():
        for row, name in enumerate(split.ids):
            i = int(name.split("/")[-1].split(".")[0])
            expected = sequence(i)[["temp", "vib"]].to_numpy(np.float32)
            np.testing.assert_array_equal(split.x[row, : split.lengths[row]], expected)
            assert dataset.spec.class_names[split.y[row]] == ("walk", "run")[i % 2]
            seen += 1
    assert seen == count


def test_csv_files_by_the_names_of_their_columns(classes):
    (classes / "walk/plot.png").write_bytes(b"?")
    (classes / "notes.txt").write_bytes(b"?")
    dataset = load_dataset(f"folder:{classes}")
    assert dataset.spec.class_names == ("run", "walk")
    assert dataset.spec.feature_names == dataset.spec.table.values == ("temp", "vib")
    assert_holds(dataset, 20)
    assert set(dataset.notes) == {
        "left out: 1 file beside the folders of the classes: notes.txt",
        "left out: 1 file of a format that is not read (.png 1): walk/plot.png",
        "by the names of the columns: data.time=t",
        "data.features: all numbers are features: temp, vib",
    }


def test_own_splits_and_named_columns(tmp_path):
    for i in range(24):
        split = ("train", "train", "val", "test")[i // 6]
        write_csv(tmp_path / split / ("walk", "run")[i % 2] / f"{i}.csv", i, sep=";", decimal=",")
    dataset = load_dataset(
        f"folder:{tmp_path}", separator=";", decimal=",", features="temp, vib", time="t"
    )
    assert [len(split) for _, split in dataset.splits()] == [12, 6, 6]
    assert_holds(dataset, 24)
    assert not dataset.notes


def test_a_labels_file(tmp_path):
    rows = []
    for i in range(22):
        write_csv(tmp_path / f"data/{i}.csv", i)
        split = ("train", "train", "test", "validation")[i // 2 % 4]
        rows.append((f"data/{i}.csv", ("walk", "run")[i % 2], split, f"m{i // 8}"))
    rows = pd.DataFrame(rows, columns=["file", "label", "split", "group"])
    rows[:20].to_csv(tmp_path / "labels.csv", index=False)
    dataset = load_dataset(f"folder:{tmp_path}", labels="labels.csv")
    assert [len(split) for _, split in dataset.splits()] == [12, 4, 4]
    assert_holds(dataset, 20)
    notes = "\n".join(dataset.notes)
    assert "left out: 2 files not named in labels.csv: data/20.csv, data/21.csv" in notes
    assert "2 groups have examples in both train and test: m0, m1" in notes
    rows[["file", "label", "group"]].to_csv(tmp_path / "labels.csv", index=False)
    dataset = load_dataset(f"folder:{tmp_path}", labels="labels.csv", split_by="group")
    groups = [{int(n.split("/")[1][:-4]) // 8 for n in split.ids} for _, split in dataset.splits()]
    assert sorted(map(len, groups)) == [1, 1, 1] and len(set.union(*groups)) == 3


def test_windows_of_files(classes):
    dataset = load_dataset(f"folder:{classes}", window=3, stride=1)
    files = [{name.split(":")[0] for name in split.ids} for _, split in dataset.splits()]
    assert sum(map(len, files)) == len(set.union(*files)) == 20


def test_arrays_and_images(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(20):
        for kind in ("arrays", "images"):
            (tmp_path / kind / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
        np.save(tmp_path / "arrays" / "ab"[i % 2] / f"{i}.npy", rng.normal(size=(3 + i % 2, 2)))
        pixels = np.full((6, 5 + i % 2, 3), i, np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / "ab"[i % 2] / f"{i}.png")
    dataset = load_dataset(f"folder:{tmp_path}/arrays")
    assert dataset.spec.raw_shape == (4, 2) and dataset.spec.variable_length
    with pytest.raises(DataError, match=r"must be uint8 \[6, 5, 3\].*Received: uint8 \[6, 6, 3\]"):
        load_dataset(f"folder:{tmp_path}/images")
    dataset = load_dataset(f"folder:{tmp_path}/images", image_size=(4, 5))
    assert dataset.spec.raw_shape == (4, 5, 3) and dataset.spec.raw_dtype == "uint8"
    for _, split in dataset.splits():
        values = [int(name.split("/")[1].split(".")[0]) for name in split.ids]
        np.testing.assert_array_equal(split.x[:, 0, 0, 0], values)


def test_shards_hold_what_training_reads(classes):
    source = folder_source(str(classes))
    assert source.notes[0] == "by the names of the columns: data.time=t"
    assert source.feature_names == source.table.values == ("temp", "vib")
    seen = 0
    for part in source.parts.values():
        for example in part.examples():
            i = int(example.name.split("/")[-1].split(".")[0])
            expected = sequence(i)[["temp", "vib"]].to_numpy(np.float32)
            np.testing.assert_array_equal(example.x, expected)
            seen += 1
    assert seen == 20


def spoil(name, text):
    def apply(root):
        (root / name).write_text(text)

    return apply


@pytest.mark.parametrize(
    ("spoiler", "options", "message"),
    [
        (spoil("run/5.csv", "t,temp\n0,1\n"), {}, r"run/5\.csv: there is no column 'vib'"),
        (spoil("run/5.csv", "t,temp,vib\n0,1,2\n1,2,x\n"), {}, r"run/5\.csv: line 3.*'x'"),
        (spoil("run/5.csv", "t,temp,vib\n"), {}, r"run/5\.csv"),
        (spoil("run/5.csv", ""), {}, r"run/5\.csv"),
        (spoil("run/1.csv", "0,1,2\n1,2,3\n"), {}, r"run/1\.csv, line 1: the first line of a CSV"),
        (spoil("run/1.csv", "t,a\n0,x\n"), {}, r"run/1\.csv: no column of numbers"),
        (spoil("run/5.csv", "t,temp,vib\n0,1,\n"), {}, "1 value is missing.*vib 1 of"),
        (spoil("run/5.csv", "t,temp,vib\n0,1,2\n0,1,3\n"), {}, r"run/5\.csv: line 3"),
        (None, {"features": "temp,press"}, r"run/1\.csv: there is no column 'press'"),
        (None, {"labels": "none.csv"}, "none.csv: no such file, neither here nor in"),
        (spoil("l.csv", "file,class\n"), {"labels": "l.csv"}, "line 1: the columns file and label"),
        (spoil("l.csv", "file,label\n"), {"labels": "l.csv"}, "names no file"),
        (
            spoil("l.csv", "file,label\nrun/1.csv,\n"),
            {"labels": "l.csv"},
            "line 2: the column label",
        ),
        (
            spoil("l.csv", "file,label\nrun/0.csv,a\n"),
            {"labels": "l.csv"},
            "line 2: there is no file",
        ),
        (
            spoil("l.csv", "file,label\nrun/1.csv,a\nrun/1.csv,b\n"),
            {"labels": "l.csv"},
            "line 3: a file must be named once. Received: 'run/1.csv' again",
        ),
    ],
)
def test_mistakes_are_named_with_their_file(classes, spoiler, options, message):
    if spoiler:
        spoiler(classes)
    with pytest.raises(DataError, match=message):
        load_dataset(f"folder:{classes}", **options)


def test_folders_that_cannot_be_read(tmp_path, classes):
    with pytest.raises(DataError, match="folder:none: no such folder"):
        load_dataset("folder:none")
    with pytest.raises(ConfigError, match="`data.window` cannot be used when a folder is written"):
        folder_source(str(classes), DataConfig(window=3))
    with pytest.raises(ConfigError, match="`data.label` names a column of one table"):
        load_dataset(f"folder:{classes}", label="state")
    for name in ("a", "b"):
        (tmp_path / "empty" / name).mkdir(parents=True)
    with pytest.raises(DataError, match="holds no examples"):
        load_dataset(f"folder:{tmp_path}/empty")
    write_csv(tmp_path / "flat/1.csv", 1)
    with pytest.raises(DataError, match=r"holds no folder.*label in `data.labels`"):
        load_dataset(f"folder:{tmp_path}/flat")
    (classes / "none").mkdir()
    with pytest.raises(DataError, match="folder of the class 'none' holds no example"):
        load_dataset(f"folder:{classes}")
