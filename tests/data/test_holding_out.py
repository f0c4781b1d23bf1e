"""What is held out at random: every class in every split, no group in two, the splits of 0.1."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from seqclf.data.group_splits import Groups
from seqclf.data.holding_out import held_out
from seqclf.data.sources import load_dataset
from seqclf.errors import DataError

FRACTIONS = {"test": 0.2, "validation": 0.1}


def divided(labels, groups=None, seed=0, fractions=None):
    labels = np.asarray(labels)
    names = tuple(map(str, range(labels.max() + 1)))
    return held_out(labels, groups, fractions or FRACTIONS, seed, "file", names)


def assert_partition(splits, count):
    everything = np.concatenate(list(splits.values()))
    assert sorted(everything.tolist()) == list(range(count))
    assert all((np.diff(indices) > 0).all() for indices in splits.values())


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(3, 40), min_size=2, max_size=5),
    st.floats(0.05, 0.5),
    st.floats(0.05, 0.5),
    st.integers(0, 99),
)
def test_every_class_is_in_every_split(counts, test, validation, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    np.random.default_rng(seed).shuffle(labels)
    try:
        splits = divided(labels, None, seed, {"test": test, "validation": validation})
    except DataError as error:
        assert "too few examples to hold out" in str(error)
        rest = len(labels) - round(test * len(labels))
        assert min(round(test * len(labels)), round(validation * rest)) <= len(counts) + 1
        return
    assert_partition(splits, len(labels))
    assert all(set(labels[indices]) == set(range(len(counts))) for indices in splits.values())
    assert abs(len(splits["test"]) - test * len(labels)) <= len(counts)


def test_the_splits_of_digits_are_those_of_version_0_1():
    bunch = load_digits()
    every = np.arange(len(bunch.target))
    kept, test = train_test_split(every, test_size=0.2, stratify=bunch.target, random_state=3)
    kept = np.sort(kept)
    train, validation = train_test_split(
        kept, test_size=0.1, stratify=bunch.target[kept], random_state=3
    )
    dataset = load_dataset("digits", split_seed=3)
    for indices, (_, split) in zip((train, validation, test), dataset.splits(), strict=True):
        np.testing.assert_array_equal(split.x, bunch.images[np.sort(indices)].astype(np.uint8))
        np.testing.assert_array_equal(split.y, bunch.target[np.sort(indices)])


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(1, 30), min_size=3, max_size=12),
    st.integers(1, 3),
    st.integers(0, 99),
    st.data(),
)
def test_no_group_is_in_two_splits(sizes, classes, seed, data):
    groups = np.repeat([f"g{i}" for i in range(len(sizes))], sizes)
    labels = np.array(
        data.draw(st.lists(st.integers(0, classes), min_size=len(groups), max_size=len(groups)))
    )
    labels = np.unique(labels, return_inverse=True)[1]
    try:
        splits = divided(labels, Groups(groups), seed)
    except DataError as error:
        assert "no random split by group leaves examples of every class" in str(error)
        # only a class of few groups can be the reason
        assert min(len(set(groups[labels == y])) for y in set(labels)) <= 2
        return
    assert_partition(splits, len(groups))
    found = [set(groups[indices]) for indices in splits.values()]
    assert all(found) and sum(map(len, found)) == len(sizes)
    assert set(labels[splits["train"]]) == set(labels)


def test_groups_are_chosen_so_that_classes_and_sizes_fit():
    """Ten groups of one class each and of unlike sizes: both classes are in every split."""
    sizes = np.array([4, 40, 8, 30, 16, 20, 4, 12, 24, 42])
    groups = np.repeat(np.arange(10), sizes)
    labels = (groups % 2).astype(int)
    for seed in range(5):
        splits = divided(labels, Groups(groups), seed, {"test": 0.25, "validation": 0.25})
        assert all(set(labels[indices]) == {0, 1} for indices in splits.values())
        assert 0.15 < len(splits["test"]) / 200 < 0.35
    again = divided(labels, Groups(groups), 4, {"test": 0.25, "validation": 0.25})
    assert all((again[name] == splits[name]).all() for name in splits)


def test_a_class_of_few_groups_is_in_every_split_all_the_same():
    """Three large groups have one example each of a rare class: a small part of any distance."""
    groups = np.repeat(np.arange(15), [50] * 3 + [20] * 12)
    labels = np.zeros(len(groups), int)
    labels[[0, 50, 100]] = 1
    for seed in range(5):
        splits = divided(labels, Groups(groups), seed)
        assert all(set(labels[indices]) == {0, 1} for indices in splits.values())


def test_too_few_groups():
    with pytest.raises(DataError, match=r"at least 3 groups.*Received: 2\. Supply more groups, or"):
        divided([0, 1] * 10, Groups(np.repeat([1, 2], 10)))
    with pytest.raises(DataError, match=r"no random split by group.*are 3 groups.*from 1 of them"):
        divided([0] * 10 + [1] * 10 + [2] * 10, Groups(np.repeat([1, 2, 3], 10)))
