"""Length buckets: complete epochs, exact resume, no more padding than the bucket needs."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqclf.data.dataset import DatasetSpec, Split
from seqclf.data.length_buckets import bucket_bounds, in_length_buckets
from seqclf.data.pipeline import (
    ExampleWeights,
    evaluation_batches,
    steps_per_epoch,
    training_batches,
)
from seqclf.errors import ConfigError

SPEC = DatasetSpec("test", "rows", (30, 1), "float32", ("a",) * 60, variable_length=True)


def numbered(lengths):
    """A split whose valid values are all 1; the label is the index of the example."""
    lengths = np.asarray(lengths, np.int32)
    x = (np.arange(30) < lengths[:, None])[..., None].astype(np.float32)
    return Split(x, np.arange(len(lengths), dtype=np.int32), lengths)


def read(batches, count):
    """Returns labels, lengths and sequences of each batch."""
    return [
        (y.numpy().tolist(), inputs["lengths"].numpy(), inputs["sequences"].numpy())
        for inputs, y in batches.take(count)
    ]


LENGTHS = st.lists(st.integers(1, 30), min_size=2, max_size=40)
SEEDS = st.integers(0, 2**31 - 1)
COUNTS = st.integers(1, 6)


@settings(max_examples=10)
@given(lengths=LENGTHS, batch=st.integers(1, 12), count=COUNTS, seed=SEEDS)
def test_an_epoch_takes_the_examples_that_it_takes_without_buckets(lengths, batch, count, seed):
    split = numbered(lengths)
    batch = min(batch, len(split))
    steps = steps_per_epoch(split, batch)
    plain = read(training_batches(split, SPEC, batch, seed), 2 * steps)
    ours = read(training_batches(in_length_buckets(split, count), SPEC, batch, seed), 2 * steps)
    for epoch in (slice(0, steps), slice(steps, 2 * steps)):
        seen = list(itertools.chain(*(labels for labels, *_ in ours[epoch])))
        assert len(set(seen)) == steps * batch
        assert sorted(seen) == sorted(itertools.chain(*(labels for labels, *_ in plain[epoch])))


@settings(max_examples=10)
@given(lengths=LENGTHS, batch=st.integers(1, 6), seed=SEEDS, first=st.integers(0, 20))
def test_the_batch_of_a_step_depends_on_seed_and_step_alone(lengths, batch, seed, first):
    split = in_length_buckets(numbered(lengths), 3)
    batch = min(batch, len(split))
    whole = read(training_batches(split, SPEC, batch, seed), first + 3)
    resumed = read(training_batches(split, SPEC, batch, seed, first), 3)
    for (labels, _, x), (labels_again, _, x_again) in zip(whole[first:], resumed, strict=True):
        assert labels == labels_again
        np.testing.assert_array_equal(x, x_again)


@settings(max_examples=10)
@given(lengths=LENGTHS, count=COUNTS, seed=SEEDS)
def test_every_valid_time_step_is_kept_and_a_batch_has_the_length_of_its_bucket(
    lengths, count, seed
):
    split = in_length_buckets(numbered(lengths), count)
    for labels, valid, x in read(training_batches(split, SPEC, 2, seed), len(split) // 2):
        assert valid.tolist() == [lengths[i] for i in labels]
        assert x.sum(axis=(1, 2)).tolist() == valid.tolist()
        assert x.shape[1] == min(bound for bound in split.bounds if bound >= valid.max())


def test_workers_have_their_rows_of_one_batch_padded_alike():
    split = in_length_buckets(numbered(np.arange(24) + 1), 3)  # some batches are of two buckets
    whole = read(training_batches(split, SPEC, 6, 5, 2), 6)
    parts = [read(training_batches(split, SPEC, 6, 5, 2, worker=w, workers=3), 6) for w in range(3)]
    for (labels, _, x), *rows in zip(whole, *parts, strict=True):
        assert labels == list(itertools.chain(*(part[0] for part in rows)))
        np.testing.assert_array_equal(x, np.concatenate([part[2] for part in rows]))


def test_batches_are_of_like_length_in_another_order_and_company_every_epoch():
    split = in_length_buckets(numbered([3] * 20 + [9] * 20 + [30] * 20), 3)
    batches = read(training_batches(split, SPEC, 5, 0), 24)
    assert all(x.shape[1] == valid.min() == valid.max() for _, valid, x in batches)
    first, second = ([x.shape[1] for *_, x in part] for part in (batches[:12], batches[12:]))
    assert sorted(first) == sorted(second) == [3] * 4 + [9] * 4 + [30] * 4
    assert first != second and first != sorted(first)
    companies = [{frozenset(labels) for labels, *_ in p} for p in (batches[:12], batches[12:])]
    assert not companies[0] & companies[1]
    other_seed = read(training_batches(split, SPEC, 5, 1), 12)
    assert [labels for labels, *_ in other_seed] != [labels for labels, *_ in batches[:12]]


def test_weights_of_examples_go_with_them():
    split = in_length_buckets(numbered(np.arange(20) + 1), 3)
    weights = ExampleWeights(np.ones(60, np.float32), np.arange(20, dtype=np.float32))
    for _, y, weight in training_batches(split, SPEC, 4, 0, weights=weights).take(5):
        np.testing.assert_array_equal(weight, y)


def test_evaluation_of_a_split_with_buckets_is_that_of_the_split():
    split = numbered([3, 30, 5])
    ((inputs, y),) = evaluation_batches(in_length_buckets(split, 2), SPEC)
    assert y.numpy().tolist() == [0, 1, 2] and inputs["sequences"].shape == (3, 30, 1)


@given(lengths=LENGTHS, count=COUNTS)
def test_no_other_bounds_need_less_padding(lengths, count):
    """All other choices of bounds are tried."""

    def steps(bounds):
        return sum(min(bound for bound in bounds if bound >= length) for length in lengths)

    *shorter, longest = sorted(set(lengths))
    found = bucket_bounds(np.array(lengths), count)
    assert found == tuple(sorted(set(found))) and found[-1] == longest and len(found) <= count
    choices = itertools.combinations(shorter, min(count - 1, len(shorter), 3))
    assert steps(found) <= min(steps((*choice, longest)) for choice in choices)


def test_bounds_among_many_lengths():
    lengths = np.random.default_rng(0).integers(1, 50_000, 20_000)
    bounds = bucket_bounds(lengths, 4)
    assert bounds[-1] == lengths.max() and len(bounds) == 4
    quarters = np.array([12_500, 25_000, 37_500, 50_000])
    ours, theirs = (
        ends[np.searchsorted(ends, lengths)].sum() for ends in (np.array(bounds), quarters)
    )
    assert ours < 1.001 * theirs


def test_how_much_is_padding():
    split = in_length_buckets(numbered([2, 3, 9, 10]), 2)
    assert split.bounds == (3, 10)
    without, with_buckets = split.padding(2, 0)
    assert without == pytest.approx(1 - 24 / (4 * 30))
    assert with_buckets == pytest.approx(1 - 24 / (2 * 3 + 2 * 10))


def test_0_is_off():
    split = numbered([2, 3, 9])
    assert in_length_buckets(split, 0) is split


def test_examples_of_one_length_are_refused():
    split = Split(np.zeros([4, 3, 2], np.float32), np.zeros(4, np.int32))
    with pytest.raises(ConfigError, match="`length_buckets` is for .* varying .* Received: 4"):
        in_length_buckets(split, 4)
