"""Labels: which class names they give, in which order, and what is no label."""

import numpy as np
import pandas as pd
import pytest

from seqclf.data.dataset import Dataset
from seqclf.data.labels import sorted_names
from seqclf.errors import DataError


def dataset(labels, **options):
    rng = np.random.default_rng(0)
    return Dataset.from_arrays(rng.normal(size=(len(labels), 3, 2)), labels, **options)


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["b", "a", "C"], ("C", "a", "b")),
        (["10", "9", "-1"], ("-1", "9", "10")),
        (["10.0", "2.0", "1.5"], ("1.5", "2.0", "10.0")),
        (["9", "10", "inf"], ("10", "9", "inf")),  # a word is among them
        (["1", "2", "x"], ("1", "2", "x")),
        ([3, 7, 10], ("3", "7", "10")),
        ([True, False], ("False", "True")),
    ],
)
def test_the_order_of_the_names(labels, names):
    loaded = dataset(labels * 15)
    assert loaded.spec.class_names == names
    assert not loaded.notes
    assert sorted_names(np.array(list(map(str, labels)))) == names


def test_labels_become_the_indices_of_their_names():
    labels = np.random.default_rng(0).choice(["walk", "run", "rest"], 80)
    loaded = dataset(labels, ids=np.arange(80), class_names=("walk", "rest", "run"))
    assert loaded.spec.class_names == ("walk", "rest", "run")
    for _, split in loaded.splits():
        assert split.y.dtype == np.int32
        names = np.array(loaded.spec.class_names)[split.y]
        np.testing.assert_array_equal(names, labels[split.ids.astype(int)])


def test_integers_with_class_names_are_their_indices():
    loaded = dataset([1, 0] * 20, ids=np.arange(40), class_names=("a", "b"))
    assert all((split.y != split.ids.astype(int) % 2).all() for _, split in loaded.splits())


@pytest.mark.parametrize("alike", [("walk", "Walk"), ("walk", " walk"), ("1", "1.0"), ("1", "01")])
def test_names_that_one_may_have_meant_as_one_are_said(alike):
    loaded = dataset([*alike, "z"] * 15)
    first, second = sorted(alike)
    assert loaded.notes == (f"the labels {first!r} and {second!r} are read as two classes",)


@pytest.mark.parametrize("nothing", [None, float("nan"), pd.NA, pd.NaT, ""])
def test_an_example_without_a_label(nothing):
    labels = np.array(["a", "b"] * 20, object)
    labels[7] = nothing
    with pytest.raises(DataError, match="arrays: example 7 has no label"):
        dataset(labels)


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        ([0.5, 1.5] * 20, {}, r"labels must be integers or strings.*float64.*astype\(int\)"),
        (
            ["a", "c"] * 20,
            {"class_names": "ab"},
            "one of the class names a, b. Received: 'c' at ex",
        ),
        ([0, 2] * 20, {"class_names": "ab"}, "labels must lie in 0..1 .2 classes.. Received: 2"),
        (["a"] * 40, {}, "at least two classes are needed.* Received: 1, 'a'"),
        (["a"], {}, "at least two classes are needed.* another class. Received: 1, 'a'"),
        (
            ["a", "b", "c"] * 9,
            {"splits": ["train", "validation", "test"] * 9},
            "needs examples to train on. Received: 9 in validation and none in train of class 'b'. "
            "Move some to train, or leave the class out",
        ),
        (["a", "b"], {}, "too few examples .* 2 in all, 1 of class 'a'. .* Supply more"),
        (list(map(str, range(40))), {}, "40 classes for 40 training.*is the label a number"),
        (["a", "b", ""] * 9, {}, "example 2 has no label"),
    ],
)
def test_labels_that_cannot_be_learned(labels, options, message):
    with pytest.raises(DataError, match=message):
        dataset(labels, **options)


def test_many_classes_of_few_examples_are_said():
    labels = [f"c{i % 15:02d}" for i in range(75)]
    notes = dataset(labels, validation=0.25, test=0.2).notes
    assert notes[0].startswith("15 classes for 45 training examples, 3.0 for each class on average")


@pytest.mark.parametrize("labels", [["a", "b"], [0, 1]])
def test_a_class_that_only_the_test_split_has(labels):
    splits = ["train"] * 20 + ["test"] * 20
    with pytest.raises(
        DataError, match="Received: 20 in test and none in train of class '[b1]'. Move"
    ):
        dataset([labels[0]] * 20 + [labels[1]] * 20, splits=splits)
