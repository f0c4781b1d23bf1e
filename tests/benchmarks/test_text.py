"""The contenders of `benchmarks.text` train one model; the n-gram baseline is a distribution."""

import itertools
import math

import numpy as np
import pytest

from benchmarks.ngram import KneserNey
from benchmarks.text import table, textbook_batches
from benchmarks.text_contenders import CONTENDERS, Task


@pytest.fixture(scope="module")
def task():
    tokens = np.random.default_rng(0).integers(0, 5, [2, 3, 7]).astype(np.int32)
    return Task(tokens, size=5, units=4, rate=1.0)


@pytest.mark.parametrize("form", ["before", "after"])
def test_contenders_of_one_form_have_the_same_losses(task, form):
    losses = {}
    for name, (make, its_form) in CONTENDERS.items():
        if its_form == form and "XLA" not in name:
            if "orch" in name:
                pytest.importorskip("torch", reason="PyTorch is not installed (extra `peers`)")
            epoch = make(task)
            losses[name] = [epoch() for _ in range(2)]
    assert len(losses) == 3
    for a, b in itertools.combinations(losses.values(), 2):
        np.testing.assert_allclose(a, b, rtol=1e-4)


def test_the_batches_are_the_textbooks():
    batches, size = textbook_batches()
    assert batches.shape == (8, 32, 36) and size == 28
    np.testing.assert_array_equal(batches[0, :, -1], batches[1, :, 0])


def test_kneser_ney_by_hand():
    """Two tokens, order 2: "ab ab aa", D = 0.5, each figure written out."""
    model = KneserNey([0, 1, 0, 1, 0, 0], order=2, size=2, discount=0.5)
    # After a (0): b twice, a once. What stands before a: the start, b and a; before b: a.
    lower_a = (3 - 0.5) / 4 + 0.5 * 2 / 4 * (1 / 2)
    expected = (1 - 0.5) / 3 + 0.5 * 2 / 3 * lower_a
    assert model.probability([0], 0) == pytest.approx(expected)


def test_probabilities_sum_to_one():
    text = np.random.default_rng(1).integers(0, 4, 200).tolist()
    model = KneserNey(text, order=3, size=5)
    for context in ([], [0], [2, 3], [4, 4], [1, 2, 3]):
        assert math.isclose(sum(model.probability(context, t) for t in range(5)), 1.0)


def test_bits_of_a_text_that_follows_a_rule():
    model = KneserNey([0, 1, 2] * 100, order=3, size=3)
    assert model.bits([0, 1, 2] * 20, first=10) < 0.05
    assert KneserNey([], order=1, size=4).bits([0, 1, 2, 3], first=0) == 2.0


def test_the_table_says_how_many_times_as_fast():
    one = {"tokens_per_second": 200.0, "tokens_per_cpu_second": 100.0, "perplexities": [9.0]}
    two = {"tokens_per_second": 100.0, "tokens_per_cpu_second": 80.0, "perplexities": [8.0]}
    written = table({"seqclf": one, "other": two})
    assert "| other | 100 | 2.00 | 80 | 1.25 | 8.000 |" in written
    assert "No epoch" in table({})
