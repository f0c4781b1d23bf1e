"""Labels of time steps: the forms they come in, what counts, and how sequences are held out."""

import dataclasses

import numpy as np
import pytest

import seqclf
from seqclf.data.spec import DatasetSpec
from seqclf.errors import ConfigError, DataError

RNG = np.random.default_rng(2)
LENGTHS = np.tile(np.arange(3, 11), 5)
SEQUENCES = [RNG.normal(size=(n, 2)).astype("float32") for n in LENGTHS]
LABELS = [RNG.integers(0, 3, n) for n in LENGTHS]
NAMES = ["rest", "walk", "run"]


def padded(values, fill, dtype):
    out = np.full((len(values), 10, *np.shape(values[0])[1:]), fill, dtype)
    for row, each in zip(out, values, strict=True):
        row[: len(each)] = each
    return out


def npz(tmp_path, **arrays):
    given = {"x": padded(SEQUENCES, 0, "float32"), "lengths": LENGTHS, **arrays}
    np.savez(tmp_path / "steps.npz", **given)
    return f"npz:{tmp_path / 'steps.npz'}"


def content(dataset):
    return dataclasses.replace(dataset, spec=dataclasses.replace(dataset.spec, source=""))


def test_lists_arrays_and_files_of_integers_and_strings_are_one_dataset(tmp_path):
    names = [np.array(NAMES)[each] for each in LABELS]
    junk = padded(LABELS, 99, "int64")  # what stands behind the end is not looked at
    options = {"lengths": LENGTHS, "class_names": NAMES}
    found = [
        seqclf.Dataset.from_arrays(SEQUENCES, LABELS, class_names=NAMES),
        seqclf.Dataset.from_arrays(SEQUENCES, names, class_names=NAMES),
        seqclf.Dataset.from_arrays(padded(SEQUENCES, 7, "float32"), junk, **options),
        seqclf.load_dataset(npz(tmp_path, y=junk, class_names=np.array(NAMES))),
        seqclf.load_dataset(npz(tmp_path, y=padded(names, "", "U9"), class_names=np.array(NAMES))),
    ]
    first, *others = [content(each).fingerprint() for each in found]
    assert others == [first] * 4
    train = found[0].train
    assert found[0].spec.per_step and train.y.dtype == np.int32
    behind = np.arange(10) >= train.lengths[:, None]
    assert (train.y[behind] == -1).all() and (train.y[~behind] >= 0).all()
    sequences = {each.tobytes(): labels for each, labels in zip(SEQUENCES, LABELS, strict=True)}
    for x, y, n in zip(train.x, train.y, train.lengths, strict=True):
        np.testing.assert_array_equal(sequences[x[:n].tobytes()], y[:n])


def test_classes_are_the_labels_that_occur():
    numbers = [each + 4 for each in LABELS]
    numbers[0][:2] = -1
    dataset = seqclf.Dataset.from_arrays(SEQUENCES, numbers)
    assert dataset.spec.class_names == ("4", "5", "6")
    counted = sum(int((split.y >= 0).sum()) for _, split in dataset.splits())
    assert counted == LENGTHS.sum() - 2
    assert dataset.notes[0].startswith(f"2 of {LENGTHS.sum()} time steps have no label")


def test_sequences_are_held_out_as_a_whole_with_their_classes():
    one_class = [np.full(n, i % 3) for i, n in enumerate(LENGTHS)]
    dataset = seqclf.Dataset.from_arrays(SEQUENCES, one_class, class_names=NAMES)
    assert "held out at random by sequence" in dataset.division
    rows = [x.tobytes() for _, split in dataset.splits() for x in split.x]
    assert len(set(rows)) == len(SEQUENCES)
    steps = {name: np.bincount(split.y[split.y >= 0]) for name, split in dataset.splits()}
    fractions = {name: counts.sum() / LENGTHS.sum() for name, counts in steps.items()}
    assert fractions == pytest.approx({"train": 0.72, "validation": 0.08, "test": 0.2}, abs=0.03)
    assert all((counts > 0).all() and len(counts) == 3 for counts in steps.values())
    again = seqclf.Dataset.from_arrays(SEQUENCES, one_class, class_names=NAMES, split_seed=1)
    assert again.fingerprint() != dataset.fingerprint()


def test_splits_of_a_source_are_padded_alike(tmp_path):
    longer = RNG.normal(size=(4, 12, 2)).astype("float32")
    source = npz(
        tmp_path, y=padded(LABELS, 5, int), x_test=longer, y_test=np.arange(48).reshape(4, 12) % 3
    )
    dataset = seqclf.load_dataset(source)
    assert dataset.train.y.shape[1] == 12 and (dataset.train.y[:, 10:] == -1).all()
    np.testing.assert_array_equal(dataset.test.y, np.arange(48).reshape(4, 12) % 3)


def test_labels_behind_the_ends_are_said_unless_they_are_one_filler(tmp_path):
    y = padded(LABELS, 0, int)
    assert seqclf.load_dataset(npz(tmp_path, y=y)).notes == ()
    y[0, 3:5] = [1, 2]
    behind = 400 - LENGTHS.sum()
    (note,) = seqclf.load_dataset(npz(tmp_path, y=y)).notes
    assert note.startswith(f"{behind} labels stand behind the ends") and "`lengths`" in note


def test_the_labels_of_all_splits_are_of_one_kind(tmp_path):
    source = npz(
        tmp_path, y=padded(LABELS, 0, int), x_test=padded(SEQUENCES, 0, "f4"), y_test=[0, 1] * 20
    )
    with pytest.raises(DataError, match=r"of all splits.*\[N, T\] for train, .* for test"):
        seqclf.load_dataset(source)


def test_windows_of_arrays_keep_the_labels_of_their_time_steps():
    labels = [each.copy() for each in LABELS]
    labels[7][:4] = -1  # a window of the first 4 time steps has no label
    ids = [f"s{i}" for i in range(len(LENGTHS))]
    dataset = seqclf.Dataset.from_arrays(SEQUENCES, labels, class_names=NAMES, ids=ids, window=4)
    expected = {
        f"s{i}:{start}": (SEQUENCES[i][start : start + 4], labels[i][start : start + 4])
        for i, n in enumerate(LENGTHS)
        for start in range(0, n - 3, 4)
    }
    expected.pop("s7:0")
    for _, split in dataset.splits():
        for name, x, y in zip(split.ids, split.x, split.y, strict=True):
            np.testing.assert_array_equal(x, expected[name][0])
            np.testing.assert_array_equal(y, expected.pop(name)[1])
    assert not expected and dataset.notes[0].endswith("1 windows without any label are left out")


def test_the_spec_tells_it_only_where_it_is_so():
    steps = seqclf.Dataset.from_arrays(SEQUENCES, LABELS).spec
    whole = seqclf.Dataset.from_arrays(SEQUENCES, ["a", "b"] * 20).spec
    assert "per_step" not in whole.to_json()
    assert DatasetSpec.from_json(steps.to_json()) == steps


def without_labels(i):
    labels = [each.copy() for each in LABELS]
    labels[i][:] = -1
    return labels


MISTAKES = {
    "another T": ({"y": padded(LABELS, 0, int)[:, :9]}, r"\[40, 10\], one for each time step.*9\]"),
    "no label": ({"y": padded(without_labels(5), -1, int)}, "none at example 5. Leave it out"),
    "NaN": ({"y": padded(LABELS, np.nan, float)}, "integers or strings. Received: dtype float64"),
    "another class": (
        {"y": padded(LABELS, 0, int) + 1, "class_names": np.array(NAMES)},
        r"lie in 0\.\.2 .*Received: 3 at example 0, time step \d",
    ),
    "negative": (
        {"y": padded(LABELS, 0, int) - 3},
        r"count from 0. Received: -\d at example 0, time step \d",
    ),
    "no name": (
        {"y": np.array(["rest", "sit"])[padded(LABELS, 0, int) % 2], "class_names": NAMES[:1]},
        r"Received: 'sit' at example 0, time step \d",
    ),
    "bytes": ({"x": padded(SEQUENCES, 0, "uint8"), "y": padded(LABELS, 0, int)}, "astype"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_in_files(name, tmp_path):
    arrays, message = MISTAKES[name]
    with pytest.raises(DataError, match=message):
        seqclf.load_dataset(npz(tmp_path, **arrays))


def test_mistakes_in_lists():
    with pytest.raises(DataError, match=r"Received: \[2\] for a sequence of 3 time steps, at seq"):
        seqclf.Dataset.from_arrays(SEQUENCES, [LABELS[0][:2], *LABELS[1:]])
    with pytest.raises(DataError, match="must have 40 entries.*Received: 39"):
        seqclf.Dataset.from_arrays(SEQUENCES, LABELS[1:])
    missing = [each.astype(object) for each in LABELS]
    missing[3][1] = None
    with pytest.raises(DataError, match="example 3, time step 1 has no label. A time step without"):
        seqclf.Dataset.from_arrays(SEQUENCES, missing)


@pytest.mark.parametrize("wrong", [3, None, np.array([0.5, 1]), np.array([0, np.nan, 1])])
def test_a_list_in_which_one_sequence_has_other_labels(wrong):
    with pytest.raises(DataError, match=r"Labels (of time steps must be a list|must be integers)"):
        seqclf.Dataset.from_arrays(SEQUENCES, [wrong, *LABELS[1:]])


def test_what_labels_of_time_steps_do_not_go_with():
    with pytest.raises(ConfigError, match="here each time step keeps its own: .*Received: 'last'"):
        seqclf.Dataset.from_arrays(SEQUENCES, LABELS, window=3, window_label="last")
    with pytest.raises(DataError, match="with labels of time steps can only be read by `rows`"):
        seqclf.Dataset.from_arrays(SEQUENCES, LABELS, reading="columns")
