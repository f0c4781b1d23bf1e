"""Folders of images as people have them: which folders are splits, and what is left out."""

import numpy as np
import pytest
from PIL import Image

from seqclf.config import DataConfig
from seqclf.data.shards.folder import folder_source
from seqclf.errors import DataError


def fill(folder, count=10, suffix="png"):
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        Image.new("L", (4, 4), i).save(folder / f"{i}.{suffix}")


def counts(root):
    source = folder_source(str(root))
    return {name: part.count for name, part in source.parts.items()}, source.notes


@pytest.mark.parametrize("name", ["validation", "val", "valid", "dev", "Val"])
def test_the_usual_names_of_the_validation_folder(tmp_path, name):
    for split, count in (("train", 10), (name, 4), ("test", 3)):
        fill(tmp_path / split / "a", count)
        fill(tmp_path / split / "b", count)
    assert counts(tmp_path) == ({"train": 20, "validation": 8, "test": 6}, ())


def test_training_and_testing(tmp_path):
    for split, count in (("training", 10), ("testing", 3)):
        fill(tmp_path / split / "a", count)
        fill(tmp_path / split / "b", count)
    assert counts(tmp_path)[0] == {"train": 18, "validation": 2, "test": 6}


@pytest.mark.parametrize("stray", [False, True])
def test_a_class_named_train(tmp_path, stray):
    for name in ("bus", "car", "train"):
        fill(tmp_path / name)
    if stray:
        fill(tmp_path / "train/thumbnails", 2)
    source = folder_source(str(tmp_path))
    assert source.class_names == ("bus", "car", "train")
    assert sum(part.count for part in source.parts.values()) == 30
    inside = "in a folder inside the folder of a class"
    expected = f"left out: 2 files {inside}: train/thumbnails/0.png, train/thumbnails/1.png"
    assert source.notes == ((expected,) if stray else ())


def test_all_that_is_left_out_is_said(tmp_path):
    for name in ("a", "b"):
        fill(tmp_path / "train" / name)
        fill(tmp_path / "train" / name, 4, "bmp")
    for name in ("train/a/1.heic", "train/a/2.heic", "train/b/3.HEIC", "train/b/read.me"):
        (tmp_path / name).write_bytes(b"?")
    (tmp_path / "train/a/.DS_Store").write_bytes(b"?")
    (tmp_path / "train/labels.csv").write_bytes(b"?")
    (tmp_path / "README").write_bytes(b"?")
    fill(tmp_path / "test", 5)
    fill(tmp_path / "unlabelled/more", 6)
    found, notes = counts(tmp_path)
    assert sum(found.values()) == 28
    assert set(notes) == {
        "left out: 1 file beside the folders of the splits: README",
        "left out: 5 files in test/, which holds no folders of classes: "
        "test/0.png, test/1.png, test/2.png, …",
        "left out: 6 files in unlabelled/, which is no folder of a split: "
        "unlabelled/more/0.png, unlabelled/more/1.png, unlabelled/more/2.png, …",
        "left out: 1 file hidden: train/a/.DS_Store",
        "left out: 4 files of a format that is not read (.heic 3, .me 1): "
        "train/a/1.heic, train/a/2.heic, train/b/3.HEIC, …",
        "left out: 1 file beside the folders of the classes: train/labels.csv",
    }


def test_a_class_without_test_examples_is_said(tmp_path):
    for name in ("a", "b"):
        fill(tmp_path / "train" / name)
    fill(tmp_path / "test/a", 3)
    assert counts(tmp_path)[1] == ("no example of 1 of the 2 classes in the test split: 'b'",)


@pytest.mark.parametrize("count", range(1, 8))
@pytest.mark.parametrize("fraction", [0.01, 0.5])
def test_every_class_is_in_every_split(tmp_path, count, fraction):
    fill(tmp_path / "a", 10)
    fill(tmp_path / "b", count)
    if count < 3:
        with pytest.raises(
            DataError, match=f"too few examples of class 'b' .*: {count}, and 3 are"
        ):
            folder_source(str(tmp_path), DataConfig(validation=fraction, test=fraction))
        return
    source = folder_source(str(tmp_path), DataConfig(validation=fraction, test=fraction))
    for part in source.parts.values():
        assert {example.y for example in part.examples()} == {0, 1}


def test_folders_that_are_ambiguous_are_refused(tmp_path):
    for split in ("train", "val", "dev"):
        fill(tmp_path / "two" / split / "a")
    with pytest.raises(DataError, match="dev/ and val/ are both folders for validation"):
        folder_source(str(tmp_path / "two"))
    fill(tmp_path / "none/val/a")
    with pytest.raises(DataError, match="holds val/ with folders of classes, but no train/"):
        folder_source(str(tmp_path / "none"))
    for name in ("caf\u00e9", "cafe\u0301"):
        fill(tmp_path / "twins" / name)
    with pytest.raises(DataError, match="class names must differ"):
        folder_source(str(tmp_path / "twins"))


def test_names_of_arrays_in_any_case(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(5):
            with (tmp_path / name / f"{i}.NPY").open("wb") as file:
                np.save(file, np.zeros((2, 3), np.float32))
    assert next(folder_source(str(tmp_path)).parts["train"].examples()).x.shape == (2, 3)
