"""`Dataset.from_arrays`: what it takes, what it refuses, and that it changes nobody's arrays."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from seqclf.data.dataset import Dataset
from seqclf.errors import ConfigError, DataError

COUNT = 40
LABELS = ["a", "b"] * (COUNT // 2)
NAMES = [f"s{i}" for i in range(COUNT)]


def values(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=(COUNT, *shape))


def ragged():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(3 + i % 4, 2)) for i in range(COUNT)]


def assert_holds(dataset, sequences):
    """Asserts that every example of the dataset has the values of the sequence of its name."""
    seen = []
    for _, split in dataset.splits():
        for row, name in enumerate(split.ids):
            expected = np.asarray(sequences[int(name[1:])], np.float32)
            length = split.x.shape[1] if split.lengths is None else split.lengths[row]
            np.testing.assert_array_equal(split.x[row, :length], expected)
            assert not split.x[row, length:].any()
            assert split.y[row] == int(name[1:]) % 2
            seen.append(name)
    assert sorted(seen) == sorted(NAMES)


def test_sequences_of_different_lengths():
    dataset = Dataset.from_arrays(ragged(), LABELS, ids=NAMES)
    assert dataset.spec.raw_shape == (6, 2) and dataset.spec.variable_length
    assert_holds(dataset, ragged())


def test_an_object_array_and_sequences_of_one_feature():
    objects = np.empty(COUNT, object)
    objects[:] = [each[:, 0] for each in ragged()]
    dataset = Dataset.from_arrays(objects, LABELS, ids=NAMES)
    assert_holds(dataset, [each[:, :1] for each in ragged()])


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int16, bool])
def test_one_array(kind):
    x = (values(5, 3) * 9).astype(kind)
    dataset = Dataset.from_arrays(x, LABELS, ids=NAMES)
    assert not dataset.spec.variable_length and dataset.train.x.dtype == np.float32
    assert_holds(dataset, x)


def test_one_feature_and_tensors():
    x = values(6)
    dataset = Dataset.from_arrays(x, LABELS, ids=NAMES)
    assert dataset.spec.raw_shape == (6, 1)
    assert_holds(dataset, x[:, :, None])
    x = tf.constant(values(6, 2))
    assert_holds(Dataset.from_arrays(x, tf.constant(LABELS).numpy().astype(str), ids=NAMES), x)


def test_images():
    images = np.random.default_rng(0).integers(0, 256, (COUNT, 4, 5, 3)).astype(np.uint8)
    dataset = Dataset.from_arrays(images, LABELS, ids=NAMES)
    assert dataset.spec.raw_dtype == "uint8" and dataset.spec.features == 15
    assert_holds(dataset, images)


def test_lengths_and_padding_of_the_user():
    x, lengths = values(5, 2), np.arange(COUNT) % 5 + 1
    x[np.arange(5) >= lengths[:, None]] = np.nan
    dataset = Dataset.from_arrays(x, LABELS, lengths=lengths.tolist(), ids=NAMES)
    assert_holds(dataset, [each[:length] for each, length in zip(x, lengths, strict=True)])


@pytest.mark.parametrize("splits", [None, ["train", "val", "test", "Train"] * 10])
@pytest.mark.parametrize("window", [0, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_the_arrays_of_the_user_stay_as_they_are(splits, window, dtype):
    if window and dtype == np.uint8:
        pytest.skip("images are not cut")
    x = (values(5, 2) * 9).astype(dtype)
    lengths = np.arange(COUNT) % 5 + 1
    if dtype != np.uint8:
        x[np.arange(5) >= lengths[:, None]] = 77
    given = (x, lengths, np.array(LABELS * 1), np.array(NAMES))
    before = [array.copy() for array in given]
    dataset = Dataset.from_arrays(
        x, given[2], lengths=lengths, ids=given[3], splits=splits, window=window
    )
    for _, split in dataset.splits():
        split.x[:] = 0
        split.y[:] = 0
    for array, old in zip(given, before, strict=True):
        np.testing.assert_array_equal(array, old)


def test_own_splits_are_kept_under_all_their_names():
    names = ["train", "Val ", "testing", " TRAIN"] * 10
    dataset = Dataset.from_arrays(ragged(), LABELS, ids=NAMES, splits=names)
    assert dataset.train.ids.tolist() == [NAMES[i] for i in range(COUNT) if i % 4 in (0, 3)]
    assert dataset.validation.ids.tolist() == NAMES[1::4]
    assert dataset.test.ids.tolist() == NAMES[2::4]
    assert dataset.notes == (
        "no example of 1 of the 2 classes in the validation split: 'a'",
        "no example of 1 of the 2 classes in the test split: 'b'",
    )
    assert_holds(dataset, ragged())


def test_a_split_that_is_lacking_is_held_out():
    dataset = Dataset.from_arrays(
        ragged(), LABELS, ids=NAMES, splits=["train"] * 30 + ["test"] * 10
    )
    assert dataset.test.ids.tolist() == NAMES[30:]
    assert (len(dataset.train), len(dataset.validation)) == (27, 3)
    assert_holds(dataset, ragged())


def test_groups_in_two_splits_of_ones_own_are_said():
    groups = np.arange(COUNT) // 4
    splits = ["train"] * 21 + ["validation"] * 9 + ["test"] * 10
    notes = Dataset.from_arrays(ragged(), LABELS, groups=groups, splits=splits).notes
    assert notes == (
        "1 group has examples in both train and validation: 5",
        "1 group has examples in both validation and test: 7",
    )


def test_groups_in_two_random_splits_are_said_with_the_remedy():
    groups = np.arange(COUNT) // 10
    notes = Dataset.from_arrays(ragged(), LABELS, groups=groups).notes
    assert notes[0] == "3 groups have examples in both train and validation: 0, 1, 3"
    assert "set `data.split_by` to group to have each group in one random split only" in notes
    notes = Dataset.from_arrays(ragged(), LABELS, groups=groups, split_by="group").notes
    assert not any("in both" in note or "set `data.split_by`" in note for note in notes)


def test_constant_features_are_said():
    x, lengths = values(5, 4), np.arange(COUNT) % 5 + 1
    x[:, :, 1] = 3
    x[:, :, 3] = np.where(np.arange(5) < lengths[:, None], -2, 9)  # constant where it counts
    dataset = Dataset.from_arrays(x, LABELS, lengths=lengths, feature_names=["a", "b", "c", "d"])
    assert dataset.notes == (
        "2 of 4 features have one value only in the training split, of which the model can learn "
        "nothing: b, d",
    )
    assert not Dataset.from_arrays(np.zeros((COUNT, 4, 4), np.uint8), LABELS).notes


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"sequences": []}, DataError, "there are no sequences"),
        ({"sequences": 7}, DataError, "must be a list of arrays .T_i, D.*Received: int"),
        ({"sequences": [[[1, 2], [3]]]}, DataError, "must be a list of arrays"),
        ({"sequences": values()}, DataError, r"Received: an array \[40\]"),
        ({"sequences": np.float64(3)}, DataError, r"Received: an array \[\]"),
        ({"sequences": [*ragged()[:3], np.zeros((2, 3))]}, DataError, r"float64 \[2, 3\] at seq"),
        ({"sequences": [np.zeros((0, 2))]}, DataError, "sequence 0 has no time steps"),
        ({"sequences": [["a", "b"]]}, DataError, r"real numbers.*Received: <U1 \[2, 1\] at seq"),
        (
            {"sequences": [each.T for each in ragged()]},
            DataError,
            r"All have 2 rows: if these are the features, give \[s\.T for s in sequences\]",
        ),
        ({"labels": LABELS[1:]}, DataError, r"`labels` must be of shape \[40\].*Received: \[39\]"),
        ({"labels": None}, DataError, r"`labels` must be of shape \[40\].*Received: \[\]"),
        ({"lengths": [3] * 40}, DataError, "Received: both a list and `lengths`"),
        ({"sequences": values(5, 2), "lengths": [6] * 40}, DataError, r"in 1\.\.5.*Received: 6"),
        (
            {"sequences": values(5, 2), "lengths": [6] * 40, "window": 2},
            DataError,
            r"`lengths` must lie in 1\.\.5, the time steps of `x`. Received: 6 at example 0",
        ),
        ({"ids": ["a"]}, DataError, r"`ids` must be of shape \[40\].*Received: \[1\]"),
        ({"groups": [None] * 40, "split_by": "group"}, DataError, "example 0 has no group"),
        ({"split_by": "group"}, ConfigError, "needs the group of each example"),
        ({"splits": ["train", "other"] * 20}, DataError, "Received: 'other', 'train'"),
        ({"splits": ["val", "test"] * 20}, DataError, "and one is train. Received: 'test', 'val'"),
        ({"splits": ["train", "val", "dev", "train"] * 10}, DataError, "one split must have one"),
        ({"feature_names": ["a"]}, DataError, "there must be 2 feature names"),
        ({"feature_names": ["a", "a"]}, DataError, "feature names must differ.*features 0 and 1"),
        ({"normalise": "none"}, ConfigError, "takes the options normalize, .*'normalise'"),
    ],
)
def test_mistakes(changes, error, message):
    arguments = {"sequences": ragged(), "labels": LABELS} | changes
    with pytest.raises(error, match=message):
        Dataset.from_arrays(**arguments)


@pytest.mark.parametrize("as_list", [False, True])
def test_masked_values_are_missing(as_list):
    plain = values(4, 2)
    masked = np.ma.masked_less(plain, 0)
    given = list(masked) if as_list else masked
    dataset = Dataset.from_arrays(given, LABELS, ids=NAMES, missing="mean")
    assert_holds(dataset, np.where(plain < 0, np.nan, plain))
    with pytest.raises(DataError, match="values are missing"):
        Dataset.from_arrays(given, LABELS)


def test_data_frames_whose_columns_differ_are_refused():
    frames = [pd.DataFrame(x, columns=["p", "q"]) for x in values(4, 2)]
    assert_holds(Dataset.from_arrays(frames, LABELS, ids=NAMES), values(4, 2))
    frames[3] = frames[3][["q", "p"]]
    with pytest.raises(DataError, match="Received: q, p at sequence 3, and before it p, q"):
        Dataset.from_arrays(frames, LABELS)
