"""Windows of a text: contiguous or from anywhere, a pure function of the seed and the step."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqclf.data.dataset import DatasetSpec
from seqclf.data.pipeline import steps_per_epoch, training_batches
from seqclf.data.text.split import TextSplit
from seqclf.data.text.token_spec import TokenSpec
from seqclf.errors import ConfigError


def text_split(count, window, consecutive=True):
    """A text in which each token is its own place."""
    return TextSplit(np.arange(count, dtype=np.int32), window, consecutive)


def spec(window):
    return DatasetSpec("text:t", "rows", (window, 1), "int32", ("<unk>",), tokens=TokenSpec())


def batches(split, batch, seed=0, first=0, take=6, **options):
    found = training_batches(split, spec(split.window), batch, seed, first, **options).take(take)
    return [(x["tokens"].numpy(), x["goes_on"].numpy(), y.numpy()) for x, y in found]


@given(st.integers(12, 200), st.integers(1, 7), st.integers(1, 5), st.booleans(), st.integers(0, 9))
@settings(deadline=None, max_examples=40)
def test_the_laws_of_an_epoch(count, window, batch, consecutive, seed):
    split = text_split(count, window, consecutive)
    steps = split.epoch_examples(batch) // batch
    if not steps:
        with pytest.raises(ConfigError, match="must not read more examples"):
            steps_per_epoch(split, batch)
        return
    found = batches(split, batch, seed, take=2 * steps)
    for x, _, y in found:
        np.testing.assert_array_equal(y, x + 1)  # the labels are the tokens that come next
        assert x.shape == (batch, window) and y.max() < count
    for epoch in (found[:steps], found[steps:]):
        read = np.concatenate([x.ravel() for x, *_ in epoch])
        assert len(set(read)) == len(read), "a token is read twice in an epoch"
        assert (epoch[0][1] == 0).all()
        for (before, *_), (after, goes_on, _) in itertools.pairwise(epoch):
            assert (goes_on == consecutive).all()
            if consecutive:
                np.testing.assert_array_equal(after[:, 0], before[:, -1] + 1)


@pytest.mark.parametrize("consecutive", [True, False])
def test_any_step_can_be_reached_and_workers_share_the_rows(consecutive):
    split = text_split(100, 4, consecutive)
    whole = batches(split, 4, seed=3, take=9)
    late = batches(split, 4, seed=3, first=4, take=5)
    halves = [batches(split, 4, seed=3, take=9, worker=w, workers=2) for w in (0, 1)]
    for step, (x, goes_on, y) in enumerate(whole):
        for part, expected in enumerate((x, goes_on, y)):
            joined = np.concatenate([half[step][part] for half in halves])
            np.testing.assert_array_equal(joined, expected)
            if step >= 4:
                np.testing.assert_array_equal(late[step - 4][part], expected)


def test_epochs_begin_at_different_tokens():
    split = text_split(100, 8)
    steps = split.epoch_steps(2)
    found = batches(split, 2, take=60 * steps)[::steps]
    assert {int(x[0, 0]) for x, *_ in found} == set(range(8))


def test_random_windows_come_in_another_order_each_epoch():
    split = text_split(2000, 4, consecutive=False)
    first, second = (batches(split, 100, first=e * 4, take=1)[0][0][:, 0] // 4 for e in (0, 1))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.4
    assert abs(np.corrcoef(first, np.arange(100))[0, 1]) < 0.4


def test_windows_can_be_taken():
    split = text_split(30, 5)
    taken = split.take(np.array([2, 0]))
    np.testing.assert_array_equal(split.labels[[2, 0]], taken.y)
    assert split.labels.shape == (len(split), 5)
    np.testing.assert_array_equal(taken.x, [[10, 11, 12, 13, 14], [0, 1, 2, 3, 4]])
    np.testing.assert_array_equal(taken.y, taken.x + 1)
