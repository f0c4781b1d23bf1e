"""Windows of recordings, beside NumPy's sliding windows; no recording comes into two splits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqclf.data.dataset import Dataset
from seqclf.data.sequences import RawData, Sequences
from seqclf.data.windows import with_windows
from seqclf.errors import DataError


def recordings(lengths, features=2):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(len(lengths), max(lengths), features)).astype(np.float32)
    labels = np.array(["a", "b"] * len(lengths), object)[: len(lengths)]
    return Sequences(x, labels, np.array(lengths))


def cut(part, window, stride, rule="majority"):
    raw = with_windows(RawData({"train": part}, "origin", "file"), window, stride, rule)
    return raw.parts["train"], raw.notes[0]


@settings(deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=6), st.integers(1, 6), st.integers(1, 5))
def test_windows_are_those_of_numpy(lengths, window, stride):
    part = recordings(lengths)
    if max(lengths) < window:
        with pytest.raises(DataError, match=f"has {max(lengths)} time steps. Received: {window}"):
            cut(part, window, stride)
        return
    windows, note = cut(part, window, stride)
    expected, names, left = [], [], 0
    for i, length in enumerate(lengths):
        if length < window:
            continue
        views = np.lib.stride_tricks.sliding_window_view(part.x[i, :length], window, axis=0)
        views = views[::stride].transpose(0, 2, 1)  # [n, window, D]
        expected.append(views)
        names += [f"{i}:{n * stride}" for n in range(len(views))]
        left += length - (len(views) - 1) * stride - window
    np.testing.assert_array_equal(windows.x, np.concatenate(expected))
    assert windows.ids.tolist() == names
    assert windows.lengths is None
    found = [int(name.split(":")[0]) for name in names]
    np.testing.assert_array_equal(windows.recordings, found)
    np.testing.assert_array_equal(windows.labels, part.labels[found])
    short = sum(length < window for length in lengths)
    assert f"{len(names)} windows of {window} time steps" in note
    assert (f"{short} recordings are shorter than a window" in note) == bool(short)
    assert (f"{left} time steps at the ends of recordings" in note) == bool(left)


def test_labels_of_time_steps():
    part = recordings([6, 5])
    steps = np.array([[0, 1, 1, 2, 2, 2], [2, 0, 0, 1, 1, 0]])
    names = ("rest", "walk", "run")
    part = Sequences(part.x, None, part.lengths, step_labels=steps, step_label_names=names)
    assert cut(part, 3, 1, "last")[0].labels.tolist() == [
        *("walk", "run", "run", "run"),
        *("rest", "walk", "walk"),
    ]
    # of three different labels the one of the lower index
    assert cut(part, 3, 1)[0].labels.tolist() == [
        *("walk", "walk", "run", "run"),
        *("rest", "rest", "walk"),
    ]


def load(count=12, length=30, groups=None, **options):
    rng = np.random.default_rng(1)
    sequences = [rng.normal(size=(length + i % 3, 2)) for i in range(count)]
    labels = np.array(["a", "b"])[np.arange(count) % 2]
    return Dataset.from_arrays(
        sequences, labels, groups=groups, window=5, stride=2, ids=np.arange(count), **options
    )


def in_splits(dataset):
    return [{name.split(":")[0] for name in split.ids} for _, split in dataset.splits()]


@pytest.mark.parametrize("split_by", ["class", "group"])
@pytest.mark.parametrize("seed", range(3))
def test_no_recording_is_in_two_splits(split_by, seed):
    dataset = load(split_by=split_by, split_seed=seed)
    found = in_splits(dataset)
    assert sum(map(len, found)) == len(set.union(*found)) == 12
    assert all(set(split.y) == {0, 1} for name, split in dataset.splits() if name != "validation")
    train, validation, test = map(len, found)
    note = f"none of which is in two: train {train}, test {test}, validation {validation}"
    assert dataset.notes[1] == f"random splits by recording, {note}"


def test_groups_of_recordings_are_kept_together():
    groups = np.arange(12) // 3
    found = in_splits(load(groups=groups, split_by="group"))
    assert sum(len({int(name) // 3 for name in names}) for names in found) == 4
    # by class the groups do not matter, but recordings still do
    found = in_splits(load(groups=groups))
    assert sum(map(len, found)) == 12


def test_too_few_recordings():
    with pytest.raises(DataError, match=r"at least 3 recordings.*Received: 2.*`data\.split`"):
        load(count=2)


def test_own_splits_are_kept():
    dataset = load(splits=["train"] * 6 + ["validation"] * 3 + ["test"] * 3)
    assert in_splits(dataset)[1:] == [{"6", "7", "8"}, {"9", "10", "11"}]
    assert len(dataset.notes) == 1


def test_images_are_not_cut():
    with pytest.raises(DataError, match="`data.window` cuts sequences"):
        Dataset.from_arrays(np.zeros((9, 4, 4), np.uint8), [0, 1, 0] * 3, window=2)
