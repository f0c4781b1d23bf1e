"""`.tsv` files of the UCR archive: labels, ends of series, and one message for each mistake."""

import numpy as np
import pandas as pd
import pytest

from seqclf.data.sources import load_dataset
from seqclf.errors import DataError


def write(path, rows):
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    return path


def rows(count, labels=(1, 2), steps=4):
    return [[labels[i % len(labels)], *(i + t / 8 for t in range(steps))] for i in range(count)]


def test_values_are_those_that_pandas_reads(tmp_path):
    train, test = write(tmp_path / "a_TRAIN.tsv", rows(30)), write(tmp_path / "a_TEST.tsv", rows(7))
    dataset = load_dataset(f"tsv:{train},{test}")
    theirs = pd.read_csv(test, sep="\t", header=None)
    np.testing.assert_array_equal(dataset.test.x[:, :, 0], theirs.iloc[:, 1:].astype("float32"))
    np.testing.assert_array_equal(dataset.test.y + 1, theirs[0])
    assert [len(split) for _, split in dataset.splits()] == [27, 3, 7]
    (note,) = dataset.notes  # the test file has the first rows of the other
    assert "7 test examples are equal to training examples" in note


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ((-1, 1), ("-1", "1")),
        (("2.0000000e+00", "1.0", "10"), ("1", "2", "10")),
        (("0.5", "1.0"), ("0.5", "1.0")),
        (("b", "a"), ("a", "b")),
    ],
)
def test_names_of_classes(tmp_path, labels, names):
    path = write(tmp_path / "a.tsv", rows(45, labels))
    assert load_dataset(f"tsv:{path}").spec.class_names == names


def test_missing_values_at_the_end_are_the_end(tmp_path):
    table = rows(20)
    table[3][3:] = ["NaN", "NaN"]
    table[5][2] = "NaN"
    train = write(tmp_path / "a.tsv", rows(20))
    test = write(tmp_path / "b.tsv", table)
    dataset = load_dataset(f"tsv:{train},{test}", missing="interpolate")
    assert dataset.test.lengths[3:6].tolist() == [2, 4, 4]
    assert np.isnan(dataset.test.x).sum() == 1 and np.isnan(dataset.test.x[5, 1, 0])
    assert dataset.notes[0] == "1 of 40 series end in missing values, which are read as their end"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2,3\n", "line 1: a line must be a class and the values of a series, all separated by"),
        ("1\t2\t3\n1\t2\n", "line 2: every line must have 2 values behind the class"),
        ("1\t2\t3\n\t2\t3\n", "line 2: the class is missing"),
        ("1\t2\t3\n1\t2\tb\n", "line 2: value 2 must be a number"),
        ("1\tNaN\tNaN\n", "line 1: the series has no values"),
        ("\n\n", "the file is empty"),
    ],
)
def test_mistakes_are_named_with_their_line(tmp_path, text, message):
    path = tmp_path / "bad.tsv"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        load_dataset(f"tsv:{path}")
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_a_class_that_only_the_test_file_has(tmp_path):
    train, test = write(tmp_path / "a.tsv", rows(30)), write(tmp_path / "b.tsv", rows(9, (1, 2, 3)))
    with pytest.raises(DataError, match=r"b\.tsv: must have the classes of .*Received: '3'"):
        load_dataset(f"tsv:{train},{test}")
