"""The temperature and the threshold that are chosen on a split, against searches by brute force."""

import numpy as np
import pytest
from sklearn import metrics

from seqclf.errors import DataError
from seqclf.training.calibration import at_temperature, choose_threshold, fit_temperature


def overconfident(seed=0, count=400, classes=3):
    """Returns labels, and probabilities whose logits are 2.5 times as large as they should be."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(count, classes))
    right = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    labels = np.array([rng.choice(classes, p=p) for p in right])
    wrong = np.exp(2.5 * logits) / np.exp(2.5 * logits).sum(-1, keepdims=True)
    return labels, wrong.astype(np.float32), right


def test_the_temperature_is_that_of_the_lowest_log_loss():
    labels, probabilities, _ = overconfident()
    fitted = fit_temperature(labels, probabilities)

    def loss_at(temperature):
        powers = probabilities.astype(np.float64) ** (1 / temperature)
        return metrics.log_loss(labels, powers / powers.sum(-1, keepdims=True))

    grid = np.arange(0.5, 6, 0.01)
    assert fitted == pytest.approx(grid[np.argmin([loss_at(t) for t in grid])], abs=0.01)
    assert 1.8 < fitted < 3.5  # 2.5 but for the sample


def test_probabilities_at_a_temperature():
    _, probabilities, right = overconfident()
    np.testing.assert_allclose(at_temperature(probabilities, 2.5), right, atol=1e-5)
    certain = at_temperature(np.array([[1.0, 0.0]], np.float32), 2.0)
    assert np.isfinite(certain).all() and certain.sum() == pytest.approx(1)


def test_no_temperature_is_fitted_to_a_split_without_mistakes():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]] * 5, np.float32)
    with pytest.raises(DataError, match="Received: 10 examples, 10 predicted right"):
        fit_temperature(np.array([0, 1] * 5), probabilities)
    with pytest.raises(DataError, match="Received: 10 examples, 0 predicted right"):
        fit_temperature(np.array([1, 0] * 5), probabilities)


def cases():
    rng = np.random.default_rng(1)
    of_class = rng.random(200) < 0.2
    return of_class, (0.25 * of_class + 0.75 * rng.random(200)).astype(np.float32)


@pytest.mark.parametrize("target", [0.3, 0.75, 0.9, 1.0])
def test_the_highest_threshold_reaches_a_recall(target):
    of_class, p = cases()
    chosen = choose_threshold(of_class, p, "recall", target)
    answered = p >= np.float32(chosen.probability)
    assert chosen.recall == metrics.recall_score(of_class, answered) >= target
    assert chosen.precision == metrics.precision_score(of_class, answered)
    higher = p > p[answered].min()  # the next higher threshold
    assert metrics.recall_score(of_class, higher) < target
    assert p[~answered].max() < chosen.probability < p[answered].min()


def test_the_lowest_threshold_reaches_a_precision():
    of_class, p = cases()
    chosen = choose_threshold(of_class, p, "precision", 0.5)
    answered = p >= np.float32(chosen.probability)
    assert chosen.precision == metrics.precision_score(of_class, answered) >= 0.5
    assert chosen.recall == metrics.recall_score(of_class, answered)
    for lower in p[p < chosen.probability]:
        assert metrics.precision_score(of_class, p >= lower) < 0.5


def test_what_cannot_be_reached_is_one_message_with_the_best():
    of_class = np.array([True, False, True, False])
    p = np.array([0.6, 0.9, 0.5, 0.2], np.float32)
    with pytest.raises(DataError, match=r"best that can be reached is 0.6667, at a recall of 1.00"):
        choose_threshold(of_class, p, "precision", 0.9)
    with pytest.raises(DataError, match="Received: 4 examples, 0 of them of the class"):
        choose_threshold(np.zeros(4, bool), p, "recall", 0.9)


def test_neighbours_that_are_one_float_apart_are_told_apart():
    p = np.array([0.5, np.nextafter(np.float32(0.5), np.float32(1))], np.float32)
    chosen = choose_threshold(np.array([False, True]), p, "precision", 1.0)
    assert (p >= np.float32(chosen.probability)).tolist() == [False, True]
