"""Scores of probabilities, against scikit-learn's own functions and sums by hand."""

import numpy as np
import pytest
from sklearn import metrics

from seqclf.training import scores

ALL = (
    *("accuracy", "balanced_accuracy", "macro_f1", "roc_auc", "average_precision"),
    *("log_loss", "calibration_error"),
)


def random_case(seed, classes=4, count=60):
    """Returns labels, some of which are predicted, and probabilities."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(classes, count, p=np.arange(1, classes + 1) / sum(range(classes + 1)))
    logits = 2 * rng.normal(size=(count, classes)) + np.eye(classes)[labels]
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    return labels, probabilities.astype(np.float32)


@pytest.mark.parametrize("seed", range(3))
def test_several_classes_are_scored_as_by_scikit_learn(seed):
    labels, probabilities = random_case(seed)
    predicted, exact = probabilities.argmax(-1), probabilities.astype(np.float64)
    exact /= exact.sum(-1, keepdims=True)
    expected = {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
        "macro_f1": metrics.f1_score(labels, predicted, average="macro"),
        "roc_auc": metrics.roc_auc_score(labels, exact, multi_class="ovr"),
        "average_precision": np.mean(
            [metrics.average_precision_score(labels == c, exact[:, c]) for c in range(4)]
        ),
        "log_loss": metrics.log_loss(labels, exact),
    }
    for name, value in expected.items():
        assert getattr(scores, name)(labels, probabilities) == pytest.approx(value, abs=1e-6), name


def test_two_classes_have_the_ordinary_roc_auc():
    labels, probabilities = random_case(5, classes=2)
    expected = metrics.roc_auc_score(labels, probabilities[:, 1])
    assert 0.55 < expected < 0.99
    assert scores.roc_auc(labels, probabilities) == pytest.approx(expected)


def test_the_calibration_error_of_three_bins_by_hand():
    confident = np.array([0.95, 0.97, 0.99, 0.62, 0.61, 0.52])  # bins 14, 14, 14, 9, 9, 7
    right = np.array([True, True, False, True, False, True])
    probabilities = np.stack([confident, 1 - confident], -1)
    labels = np.where(right, 0, 1)
    by_hand = (
        3 * abs(2 / 3 - np.mean([0.95, 0.97, 0.99])) + 2 * abs(1 / 2 - 0.615) + abs(1 - 0.52)
    ) / 6
    assert scores.calibration_error(labels, probabilities) == pytest.approx(by_hand)
    assert by_hand == pytest.approx((0.91 + 0.23 + 0.48) / 6)


def test_confidences_on_the_edge_of_a_bin_belong_to_the_lower_one():
    probabilities = np.array([[1.0, 0.0], [0.5, 0.5]])
    count, confidence, right = scores.calibration_bins(np.array([0, 1]), probabilities, bins=2)
    assert (count.tolist(), confidence.tolist(), right.tolist()) == ([1, 1], [0.5, 1], [0, 1])


def test_what_is_not_defined_is_none_without_a_warning():
    probabilities = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]], np.float32)
    one_class = np.array([0, 0])
    assert scores.roc_auc(one_class, probabilities) is None
    assert scores.average_precision(one_class, probabilities) is None
    assert scores.balanced_accuracy(one_class, probabilities) == 0.5  # class 1 is predicted once
    assert scores.macro_f1(one_class, probabilities) == pytest.approx((2 / 3 + 0) / 2)
    assert scores.roc_auc(np.array([0, 1]), probabilities) == 1.0  # class 2 has no example
    assert scores.average_precision(np.array([0, 1]), probabilities) == 1.0
    for name in ALL:
        nothing = getattr(scores, name)(np.zeros(0, int), np.zeros([0, 3], np.float32))
        assert nothing is None, name
    broken = np.full([2, 3], np.nan)
    for name in ("roc_auc", "average_precision", "log_loss", "calibration_error"):
        assert getattr(scores, name)(np.array([0, 1]), broken) is None, name


def test_a_probability_of_zero_is_a_large_loss_and_no_infinity():
    loss = scores.log_loss(np.array([0]), np.array([[0.0, 1.0]], np.float32))
    assert 80 < loss < 100
