"""Batches from shards, and a worker's rows of batches: complete, reproducible, resumable."""

import contextlib
import dataclasses
import tempfile

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numbered_shards import numbered

from seqclf.data.augmentation import Augmentation
from seqclf.data.dataset import DatasetSpec, Split
from seqclf.data.pipeline import evaluation_batches, steps_per_epoch, training_batches, worker_part
from seqclf.errors import ConfigError


def labels(batches, count):
    return np.stack([y.numpy() for _, y in batches.take(count)])


def arrays(batches, count):
    return [(x.numpy(), y.numpy()) for x, y in batches.take(count)]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """50 examples in 8 shards of 6 or 7, read in 4 lanes, with a buffer of 12 in all."""
    return numbered(tmp_path_factory.mktemp("shards") / "a", 50, shards=8, lanes=4, buffer=12)


@contextlib.contextmanager
def numbered_in_a_new_folder(*arguments, **options):
    with tempfile.TemporaryDirectory() as folder:
        yield numbered(f"{folder}/a", *arguments, **options)


@settings(max_examples=3, phases=[Phase.generate])  # to shrink a failure would take minutes
@given(
    per_shard=st.integers(1, 5),
    more=st.integers(0, 3),
    rows=st.integers(1, 2),
    buffer=st.integers(1, 40),
    seed=st.integers(0, 2**31 - 1),
    first=st.integers(0, 12),
)
def test_the_workers_rows_are_the_batch_of_one_process(per_shard, more, rows, buffer, seed, first):
    with numbered_in_a_new_folder(
        8 * per_shard + more, shards=8, lanes=4, buffer=buffer
    ) as dataset:
        split, spec = dataset.train, dataset.spec
        whole = labels(training_batches(split, spec, 4 * rows, seed), first + 3)
        for workers in (2, 4):
            parts = [
                labels(training_batches(split, spec, 4 * rows, seed, first, None, w, workers), 3)
                for w in range(workers)
            ]
            np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole[first:])


@pytest.mark.parametrize("augmentation", [None, Augmentation(rotation=30, shift=0.2, elastic=0.1)])
@pytest.mark.parametrize("workers", [2, 4])
def test_the_workers_rows_of_arrays_in_memory(augmentation, workers):
    x = np.random.default_rng(0).integers(0, 256, (22, 6, 6)).astype(np.uint8)
    spec = DatasetSpec("test", "rows", (6, 6), "uint8", ("a", "b"))
    split = Split(x, np.arange(22, dtype=np.int32))
    whole = arrays(training_batches(split, spec, 8, 3, 1, augmentation), 4)
    parts = [
        arrays(training_batches(split, spec, 8, 3, 1, augmentation, w, workers), 4)
        for w in range(workers)
    ]
    for step, (images, y) in enumerate(whole):
        np.testing.assert_array_equal(np.concatenate([part[step][1] for part in parts]), y)
        rows = np.concatenate([part[step][0] for part in parts])
        np.testing.assert_allclose(rows, images, atol=1e-4)


def test_streamed_images_are_augmented_like_images_in_memory(tmp_path):
    """The same example at the same position of the same step, whether it is in a file or not."""
    dataset = numbered(tmp_path / "a", 16, shards=4, shape=(6, 6), dtype="uint8")
    strong = Augmentation(rotation=30, elastic=0.1)
    streamed = arrays(training_batches(dataset.train, dataset.spec, 8, 3, 5, strong), 2)
    for step, (images, y) in enumerate(streamed):
        assert np.ptp(images, axis=(1, 2)).max() < 1e-3  # an even grey stays one
        plain = arrays(training_batches(dataset.train, dataset.spec, 8, 3, 5 + step), 1)[0]
        np.testing.assert_array_equal(y, plain[1])
        np.testing.assert_allclose(images, plain[0], atol=1e-3)


@pytest.mark.parametrize("first", [1, 5, 11, 12, 13, 30])
def test_a_resumed_run_sees_the_batches_that_it_would_have_seen(dataset, first):
    whole = labels(training_batches(dataset.train, dataset.spec, 4, 9), first + 4)
    resumed = labels(training_batches(dataset.train, dataset.spec, 4, 9, first), 4)
    np.testing.assert_array_equal(resumed, whole[first:])


def test_an_epoch_repeats_no_example_and_leaves_out_others_each_time(dataset):
    steps = steps_per_epoch(dataset.train, 4)
    assert steps == 12  # of 50 examples every lane is sure to have 12
    epochs = labels(training_batches(dataset.train, dataset.spec, 4, 0), 6 * steps)
    epochs = epochs.reshape(6, steps * 4)
    for epoch in epochs:
        assert len(set(epoch)) == len(epoch)
    assert len(set(epochs.ravel())) == 50
    assert len({tuple(epoch) for epoch in epochs}) == 6


@pytest.mark.parametrize("buffer", [12, 1])
def test_the_order_depends_on_seed_and_epoch_alone(dataset, buffer):
    """With a buffer of 1 nothing but the shards is shuffled."""
    split = dataclasses.replace(dataset.train, buffer=buffer)
    a = labels(training_batches(split, dataset.spec, 4, 1), 24)
    tf.random.set_seed(77)
    b = labels(training_batches(split, dataset.spec, 4, 1), 24)
    other = labels(training_batches(split, dataset.spec, 4, 2), 12)
    np.testing.assert_array_equal(a, b)
    assert a[:12].tolist() != other.tolist()
    assert a[:12].tolist() != a[12:].tolist()


def test_the_buffer_is_a_bound(tmp_path):
    """With one shard in one lane, each example stays within its block."""
    dataset = numbered(tmp_path / "a", 64, shards=1, buffer=16)
    order = labels(training_batches(dataset.train, dataset.spec, 1, 0), 64).ravel()
    blocks = order.reshape(8, 8)
    np.testing.assert_array_equal(np.sort(blocks, axis=1), np.arange(64).reshape(8, 8))
    assert len({tuple(block % 8) for block in blocks}) > 1


def test_every_position_in_a_block_is_equally_likely(tmp_path):
    from scipy.stats import chisquare

    dataset = numbered(tmp_path / "a", 10, shards=1, buffer=20)
    epochs = labels(training_batches(dataset.train, dataset.spec, 10, 5), 1000)
    counts = np.array([np.bincount(epochs[:, p], minlength=10) for p in range(10)])
    assert chisquare(counts.ravel()).pvalue > 1e-3


def test_a_worker_reads_its_own_shards_alone(tmp_path):
    dataset = numbered(tmp_path / "a", 16, shards=2, lanes=2)
    batches = training_batches(dataset.train, dataset.spec, 4, 0, worker=1, workers=2)
    seen = labels(batches, 4)
    not_its = "00000" if seen.min() >= 8 else "00001"
    (tmp_path / f"a/train-{not_its}-of-00002.tfrecord").unlink()
    np.testing.assert_array_equal(labels(batches, 4), seen)
    assert sorted(seen.ravel()) == list(range(8, 16) if not_its == "00000" else range(8))


def test_lanes_that_do_not_divide_the_batch(dataset):
    """With 4 lanes, batches of 6 use 2 and batches of 7 use 1; an epoch loses less than a shard."""
    for batch in (6, 7):
        steps = steps_per_epoch(dataset.train, batch)
        epoch = labels(training_batches(dataset.train, dataset.spec, batch, 0), steps)
        assert len(set(epoch.ravel())) == steps * batch > 50 - batch - 2
        assert labels(training_batches(dataset.train, dataset.spec, batch, 0, 3), 2).tolist() == (
            labels(training_batches(dataset.train, dataset.spec, batch, 0), 5)[3:].tolist()
        )


def test_workers_that_cannot_share_are_refused(dataset):
    def start(batch, workers):
        return training_batches(dataset.train, dataset.spec, batch, 0, worker=0, workers=workers)

    with pytest.raises(ConfigError, match="multiple of the 3 workers.* Received: 8"):
        start(8, 3)
    with pytest.raises(ConfigError, match="both the 4 lanes .* 6 examples .*Received: 3 workers"):
        start(6, 3)
    with pytest.raises(ConfigError, match="both the 4 lanes .* 8 examples .*Received: 8 workers"):
        start(8, 8)
    with pytest.raises(ConfigError, match="more examples .* than the 50 .*Received: 51"):
        steps_per_epoch(dataset.train, 51)
    split = Split(np.zeros((9, 2, 2), np.float32), np.zeros(9, np.int32))
    with pytest.raises(ConfigError, match="multiple of the 2 workers.* Received: 9"):
        training_batches(split, dataset.spec, 9, 0, workers=2)


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
@pytest.mark.parametrize("streamed", [True, False])
def test_evaluation_takes_every_example_once_in_order(dataset, streamed, workers):
    split = dataset.train if streamed else dataset.train.take(np.arange(50))
    seen = []
    for worker in range(workers):
        batches = evaluation_batches(split, dataset.spec, 4, worker, workers)
        own = [(x.numpy(), y.numpy()) for x, y in batches]
        part = worker_part(50, worker, workers)
        assert [i for _, y in own for i in y] == list(part)
        assert all((x[:, 0, 0] == y).all() for x, y in own)
        seen += part
    assert seen == list(range(50))


def test_more_workers_than_examples():
    assert [len(worker_part(5, worker, 4)) for worker in range(4)] == [2, 2, 1, 0]


def test_a_worker_without_examples_has_no_batches(dataset):
    assert not list(evaluation_batches(dataset.test, dataset.spec, 4, 3, 4))
