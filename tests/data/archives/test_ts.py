"""`.ts` files: what is read, beside aeon's own reader, and one message for each mistake."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from seqclf.data.archives.ts import TsFile
from seqclf.data.sources import load_dataset
from seqclf.errors import ConfigError, DataError

HEADER = """# A comment with a byte that is no UTF-8: \udcfc
% and another
@problemName  Small
@timeStamps false
@missing true
@univariate false
@Dimensions 2
@equalLength false

@classLabel true walk run
@DATA
"""
NAN = float("nan")


def write(path, text):
    path.write_bytes(text.encode(errors="surrogateescape"))
    return path


def cases(header, count=30, dimensions=2):
    """Returns the text of a file whose cases have lengths from 3 to 6."""
    lines = []
    for i in range(count):
        series = [
            ",".join(str(i + 0.5 * d + t) for t in range(3 + i % 4)) for d in range(dimensions)
        ]
        lines.append(":".join([*series, ("walk", "run")[i % 2]]))
    return header + "\n".join(lines) + "\n"


def test_cases_become_time_steps_by_features(tmp_path):
    file = TsFile(
        write(tmp_path / "a.ts", HEADER + "1,2,?: 4 ,NaN,6:run\n# no case\n7:8e-1:walk\n")
    )
    first, second = file
    np.testing.assert_array_equal(first.x, np.array([[1, 4], [2, NAN], [NAN, 6]], np.float32))
    np.testing.assert_array_equal(second.x, np.array([[7, 0.8]], np.float32))
    assert (first.label, second.label, second.line) == ("run", "walk", 14)
    assert first.x.dtype == np.float32
    assert file.header.class_names == ("walk", "run")


def test_a_file_to_train_on_and_one_to_test_on(tmp_path):
    train = write(tmp_path / "S_TRAIN.ts", cases(HEADER))
    test = write(tmp_path / "S_TEST.ts", cases(HEADER.replace("walk run", "run walk"), 6))
    dataset = load_dataset(f"ts:{train},{test}", validation=0.2)
    assert [len(split) for _, split in dataset.splits()] == [24, 6, 6]
    assert dataset.spec.class_names == ("walk", "run")  # as the header of TRAIN has them
    assert dataset.spec.raw_shape == (6, 2)
    np.testing.assert_array_equal(dataset.test.y, [0, 1] * 3)
    np.testing.assert_array_equal(dataset.test.lengths, [3, 4, 5, 6, 3, 4])
    np.testing.assert_array_equal(dataset.test.x[1, :4, 1], [1.5, 2.5, 3.5, 4.5])
    assert not dataset.test.x[1, 4:].any()
    (note,) = dataset.notes  # the test file has the first cases of the other
    assert "6 test examples are equal to training examples" in note


def test_one_file_is_split_and_the_test_file_beside_it_is_named(tmp_path):
    train = write(tmp_path / "S_TRAIN.ts", cases(HEADER))
    assert not load_dataset(f"ts:{train}").notes
    test = write(tmp_path / "S_TEST.ts", cases(HEADER, 6))
    dataset = load_dataset(f"ts:{train}")
    assert sum(len(split) for _, split in dataset.splits()) == 30
    assert f"set `data.source` to ts:{train},{test}" in dataset.notes[0]


def test_labels_that_are_written_in_two_ways(tmp_path):
    header = HEADER.replace("walk run", "-1 1")
    file = TsFile(write(tmp_path / "a.ts", header + "1:2:1.0\n1:2:-1\n"))
    assert [case.label for case in file] == ["1", "-1"]


def test_missing_values_are_counted_by_dimension(tmp_path):
    path = write(tmp_path / "a.ts", cases(HEADER) + "1,2,?:?,?,6:run\n")
    with pytest.raises(DataError, match=r"feature 0 1 of \d+, feature 1 2 of .*data\.missing"):
        load_dataset(f"ts:{path}")


EQUAL = HEADER.replace("@equalLength false", "@equalLength true")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        (HEADER, "has no cases behind the line @data"),
        (HEADER.replace("@DATA", ""), "has no line @data"),
        (
            HEADER.replace("@DATA", "") + "1:2:run",
            "line 12: a .ts file has a header that ends with",
        ),
        (HEADER + "1,2:walk", "line 12: a case must have 2 dimensions, as the header says"),
        (HEADER + "1,2:3,4:5,6:walk", "Received: 3 dimensions"),
        (
            HEADER.replace("@Dimensions 2", "") + "1:2:run\n1:run",
            "line 13: a case must have 2 dimensions, as the first case has",
        ),
        (
            HEADER.replace("@univariate false\n@Dimensions 2", "@univariate true") + "1:2:run",
            "1 dim",
        ),
        (HEADER + "1,2:3,4", "line 12: the class of the case is missing"),
        (HEADER + "1,2:3,4:", "line 12: the class of the case is missing"),
        (HEADER + "1,2:3,4:jump", "lists in @classLabel: walk, run. Received: 'jump'"),
        (
            HEADER + "1,2:3,x4:run",
            "line 12, dimension 2: value 2 must be a number, or ? or NaN where it is missing. "
            "Received: 'x4'",
        ),
        (HEADER + "1,,2:3,4,5:run", "dimension 1: value 2 must be a number"),
        (HEADER + "1,1e39:3,4:run", "value 2 must be finite (in float32). Received: '1e39'"),
        (HEADER + "1,2,3:4,5:run", "Received: 3 in dimension 1, 2 in dimension 2"),
        (EQUAL + "1,2:3,4:run\n1:2:run", "line 13: every case must have 2 time steps"),
        (HEADER.replace("timeStamps false", "timeStamps true"), "line 4: time stamps (pairs"),
        (
            HEADER.replace("@classLabel", "@targetlabel true\n@classLabel"),
            "line 10: the file gives a",
        ),
        (HEADER.replace("@classLabel", "@other"), "Received: no line @classLabel"),
        (HEADER.replace("true walk run", "false"), "Received: line 10: @classLabel false"),
        (HEADER.replace("true walk run", "true"), "line 10: @classLabel true must be followed"),
        (
            HEADER.replace("timeStamps false", "timeStamps no"),
            "must be true or false. Received: 'no'",
        ),
        (HEADER.replace("Dimensions 2", "Dimensions two"), "@dimensions must be a number of 1 or"),
        ("@RELATION a\n@ATTRIBUTE b numeric\n@DATA\n", "line 1: is an .arff file"),
        ("\x1f\x8b\x08\0\0", "compressed (gzip). Unpack it first"),
        ("PK\3\4", "a zip file"),
        ("@\0d\0a\0t\0a\0", "no text file in UTF-8"),
    ],
)
def test_mistakes_are_named_with_their_line(tmp_path, text, message):
    path = tmp_path / "bad.ts"
    path.write_bytes(text.encode("latin-1", errors="surrogateescape"))
    with pytest.raises(DataError) as caught:
        load_dataset(f"ts:{path}")
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_two_files_that_do_not_belong_together(tmp_path):
    train = write(tmp_path / "a_TRAIN.ts", cases(HEADER))
    other = write(tmp_path / "b.ts", cases(HEADER.replace("walk run", "walk run fly"), 6))
    with pytest.raises(DataError, match=r"b\.ts: must have the classes of .*Received: 'fly'"):
        load_dataset(f"ts:{train},{other}")
    other = write(tmp_path / "c.ts", cases(HEADER.replace("sions 2", "sions 3"), 6, 3))
    with pytest.raises(DataError, match=r"c\.ts: must have as many dimensions as .*, 2.*: 3"):
        load_dataset(f"ts:{train},{other}")
    with pytest.raises(ConfigError, match="must be ts:TRAIN,TEST or ts:FILE. Received: 'ts:a,b,c'"):
        load_dataset("ts:a,b,c")
    with pytest.raises(DataError, match="no such file"):
        load_dataset(f"ts:{train},{tmp_path / 'none.ts'}")
    with pytest.raises(DataError, match="is a folder, not a file"):
        load_dataset(f"ts:{tmp_path}")


def test_one_file_is_not_trained_and_tested_on(tmp_path):
    path = write(tmp_path / "a.ts", cases(HEADER))
    with pytest.raises(ConfigError, match="the same file to train on and to test on"):
        load_dataset(f"ts:{path},{tmp_path}/../{tmp_path.name}/a.ts")


def test_a_name_with_a_comma(tmp_path):
    path = write(tmp_path / "a,b.ts", cases(HEADER))
    assert len(load_dataset(f"ts:{path}").train) == 21


def test_files_that_aeon_bundles_are_read_as_aeon_reads_them():
    if importlib.util.find_spec("aeon") is None:
        pytest.skip("aeon is not installed: its reader and its files are the reference")
    import aeon
    from aeon.datasets import load_from_ts_file

    folder = Path(aeon.__file__).parent / "datasets" / "data"
    for name in ("ItalyPowerDemand", "GunPoint", "BasicMotions", "JapaneseVowels", "UnitTest"):
        for part in ("TRAIN", "TEST"):
            path = folder / name / f"{name}_{part}.ts"
            theirs, labels = load_from_ts_file(str(path))
            for case, x, label in zip(TsFile(path), theirs, labels, strict=True):
                np.testing.assert_array_equal(case.x, np.asarray(x, np.float32).T)
                assert case.label.lower() == label.strip()  # aeon turns labels into small letters
