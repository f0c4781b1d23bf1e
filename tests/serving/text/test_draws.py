"""The next token of a text: the same draw in NumPy and in a graph, as probable as it should be."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from seqclf.serving.text import draws, graph_draws

SEEDS = [0, 1, -7, 2**63 - 1, -(2**63)]


def split_mix(state):
    """SplitMix64 as its paper has it, with NumPy's numbers of 64 bits."""
    state = np.uint64(state % 2**64)
    with np.errstate(over="ignore"):
        while True:
            state += np.uint64(0x9E3779B97F4A7C15)
            z = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            yield int(z ^ (z >> np.uint64(31)))


def test_the_reference_is_split_mix():
    """The numbers of its authors' program for the seed 1234567."""
    numbers = split_mix(1234567)
    known = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert [next(numbers) for _ in known] == known


@pytest.mark.parametrize("seed", SEEDS)
def test_uniform_numbers(seed):
    key = next(split_mix(seed))
    numbers = split_mix(key)
    for position in range(5):
        wanted = (next(numbers) >> 11) / 2**53
        assert draws.uniform(seed, position) == wanted
        found = graph_draws.uniform(tf.constant([3, seed], tf.int64), tf.constant(position))
        assert found[1] == wanted


def test_they_are_uniform():
    found = [draws.uniform(seed, place) for seed in range(100) for place in range(100)]
    assert stats.kstest(found, "uniform").pvalue > 0.01


def chosen(probabilities, temperature, top_k, count):
    """Returns tokens that are drawn in NumPy, after a check that a graph draws the same ones."""
    drawn = [draws.uniform(seed, 0) for seed in range(count)]
    found = [draws.choose(probabilities, temperature, top_k, each) for each in drawn]
    graph = graph_draws.choose(
        tf.constant(np.tile(probabilities, [count, 1])),
        tf.fill([count], tf.constant(temperature, tf.float32)),
        tf.fill([count], top_k),
        tf.constant(drawn, tf.float64),
    )
    assert graph.numpy().tolist() == found
    return np.array(found)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
@pytest.mark.parametrize("top_k", [0, 3])
def test_tokens_are_as_probable_as_the_logits_by_the_temperature_say(temperature, top_k):
    logits = np.random.default_rng(3).normal(0, 1.5, 8)
    probabilities = np.exp(logits - logits.max()).astype("float32")
    probabilities /= probabilities.sum()
    found = chosen(probabilities, temperature, top_k, 4000)

    scaled = np.exp(logits / temperature)
    scaled[0] = 0  # the unknown token
    if top_k:
        scaled[np.argsort(scaled)[:-top_k]] = 0
    counts = np.bincount(found, minlength=8)
    possible = scaled > 0
    assert counts[~possible].sum() == 0
    expected = scaled[possible] / scaled.sum() * len(found)
    assert stats.chisquare(counts[possible], expected).pvalue > 0.01


@pytest.mark.parametrize("temperature", [0.0, 1e-30])
def test_without_temperature_the_most_probable_one_is_taken(temperature):
    probabilities = np.array([0.9, 0.02, 0.04, 0.0, 0.04], "float32")  # of equal ones the first
    assert set(chosen(probabilities, temperature, 0, 20)) <= {2, 4}
    if not temperature:
        assert set(chosen(probabilities, temperature, 0, 20)) == {2}


def test_an_unknown_token_that_is_all_but_certain_is_not_written():
    probabilities = np.array([1.0, 0.0, 0.0, 0.0], "float32")
    assert set(chosen(probabilities, 1.0, 0, 200)) == {1, 2, 3}


def test_top_k_of_all_is_no_limit():
    probabilities = np.full(5, 0.2, "float32")
    assert set(chosen(probabilities, 1.0, 5, 200)) == {1, 2, 3, 4}
    assert set(chosen(probabilities, 1.0, 1, 50)) == {1}
