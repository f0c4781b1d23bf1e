"""Batches: complete, shuffled, reproducible, resumable."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqclf.data.augmentation import Augmentation
from seqclf.data.dataset import DatasetSpec, Split
from seqclf.data.pipeline import evaluation_batches, steps_per_epoch, training_batches
from seqclf.data.sources import load_dataset
from seqclf.errors import ConfigError


def numbered(count, lengths=None):
    """A split whose labels and pixels are the index of the example."""
    index = np.arange(count, dtype=np.int32)
    x = np.broadcast_to(index[:, None, None], (count, 3, 2)).astype(np.float32)
    spec = DatasetSpec("test", "rows", (3, 2), "float32", ("a",) * count, lengths is not None)
    return Split(x, index, lengths), spec


def labels(dataset, count):
    return np.stack([y.numpy() for _, y in dataset.take(count)])


@given(
    count=st.integers(2, 40),
    batch=st.integers(1, 12),
    seed=st.integers(0, 2**31 - 1),
    first=st.integers(0, 30),
)
def test_the_batch_of_a_step_depends_on_seed_and_step_alone(count, batch, seed, first):
    split, spec = numbered(count)
    batch = min(batch, count)
    whole = labels(training_batches(split, spec, batch, seed), first + 4)
    resumed = labels(training_batches(split, spec, batch, seed, first), 4)
    np.testing.assert_array_equal(resumed, whole[first:])


@given(count=st.integers(1, 50), seed=st.integers(0, 2**31 - 1))
def test_an_epoch_takes_every_example_once(count, seed):
    split, spec = numbered(count)
    epochs = labels(training_batches(split, spec, 1, seed), 2 * count).reshape(2, count)
    for epoch in epochs:
        assert sorted(epoch) == list(range(count))


def test_epochs_and_seeds_differ_in_their_order():
    split, spec = numbered(64)
    a = labels(training_batches(split, spec, 16, 0), 8)
    b = labels(training_batches(split, spec, 16, 1), 8)
    assert a[:4].tolist() != a[4:].tolist()
    assert a.tolist() != b.tolist()


def test_every_position_is_equally_likely():
    """A chi-squared test of the shuffle: example by position, over 2,000 epochs."""
    from scipy.stats import chisquare

    split, spec = numbered(10)
    epochs = labels(training_batches(split, spec, 10, 5), 2000)
    counts = np.array([np.bincount(epochs[:, p], minlength=10) for p in range(10)])
    assert chisquare(counts.ravel()).pvalue > 1e-3


def test_inputs_go_with_their_labels():
    lengths = (np.arange(20, dtype=np.int32) % 3) + 1
    split, spec = numbered(20, lengths)
    for inputs, y in training_batches(split, spec, 4, 0).take(5):
        np.testing.assert_array_equal(inputs["sequences"][:, 0, 0], y)
        np.testing.assert_array_equal(inputs["lengths"], lengths[y.numpy()])


@pytest.mark.parametrize("batch", [1, 7, 20, 50])
def test_evaluation_takes_every_example_once_in_order(batch):
    split, spec = numbered(20)
    seen = np.concatenate([y for _, y in evaluation_batches(split, spec, batch)])
    np.testing.assert_array_equal(seen, np.arange(20))


def test_a_batch_larger_than_the_split_is_refused():
    with pytest.raises(ConfigError, match="more examples .* than the 5 .* Received: 6"):
        steps_per_epoch(numbered(5)[0], 6)


def test_splits_are_disjoint_stratified_and_fixed_by_their_seed():
    first, again = load_dataset("digits"), load_dataset("digits")
    other = load_dataset("digits", split_seed=1)
    assert first.fingerprint() == again.fingerprint() != other.fingerprint()
    assert sum(len(split) for _, split in first.splits()) == 1797
    images = [{x.tobytes() for x in split.x} for _, split in first.splits()]
    assert not images[0] & images[1] and not images[0] & images[2] and not images[1] & images[2]
    for _, split in first.splits():
        fractions = np.bincount(split.y) / len(split)
        assert np.abs(fractions - 0.1).max() < 0.02


def distorted(steps, seed=0, first=0):
    """Returns augmented images, their labels, and the labels without augmentation, by step."""
    x = np.random.default_rng(0).integers(0, 256, (8, 6, 6)).astype(np.uint8)
    spec = DatasetSpec("test", "rows", (6, 6), "uint8", ("a", "b"))
    split = Split(x, np.arange(8, dtype=np.int32))
    batches = training_batches(split, spec, 4, seed, first, Augmentation(rotation=30, elastic=0.05))
    plain = training_batches(split, spec, 4, seed, first)
    pairs = list(zip(batches.take(steps), plain.take(steps), strict=True))
    return [(ours[0].numpy(), ours[1].numpy(), theirs[1].numpy()) for ours, theirs in pairs]


def test_every_step_draws_new_distortions():
    steps = distorted(6)
    for _, labels, plain in steps:
        np.testing.assert_array_equal(labels, plain)
    of_image = [images[labels == 3] for images, labels, _ in steps if 3 in labels]
    assert len(of_image) == 3  # once in each epoch
    for a, b in itertools.combinations(of_image, 2):
        assert np.abs(a - b).max() > 1


def test_distortions_are_a_function_of_seed_and_step():
    whole = distorted(5)
    for (images, *_), (again, *_) in zip(whole[2:], distorted(3, first=2), strict=True):
        np.testing.assert_array_equal(images, again)
    of_image = [i[labels == 3] for seed in (0, 1) for i, labels, _ in distorted(2, seed)]
    a, b = (images for images in of_image if len(images))
    assert np.abs(a - b).max() > 1


def test_sequences_are_not_distorted():
    split = Split(np.zeros((4, 3, 2), np.float32), np.zeros(4, np.int32))
    spec = DatasetSpec("test", "rows", (3, 2), "float32", ("a", "b"))
    with pytest.raises(ValueError, match="Only images"):
        training_batches(split, spec, 2, 0, augmentation=Augmentation(shift=0.1))
