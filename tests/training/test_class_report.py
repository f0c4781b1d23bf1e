"""The numbers of a report: what they are of an uneven split, of one class, and their intervals."""

import json

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from seqclf.training.class_report import class_report
from seqclf.training.evaluation import Score
from seqclf.training.intervals import bootstrap_intervals


def scored(labels, probabilities):
    labels, probabilities = np.asarray(labels), np.asarray(probabilities, np.float32)
    loss = float(-np.log(probabilities[np.arange(len(labels)), labels]).mean())
    return Score(probabilities, labels, loss, float((probabilities.argmax(-1) == labels).mean()))


def test_a_model_that_never_predicts_the_rare_class_cannot_hide_it():
    report = class_report(scored([0] * 52 + [1] * 8, [[0.8, 0.2]] * 60), ("ok", "fault"))
    assert report["accuracy"] == report["majority"]["accuracy"] == pytest.approx(52 / 60)
    assert report["majority"]["class"] == "ok"
    assert report["balanced_accuracy"] == report["roc_auc"] == 0.5
    assert report["macro_f1"] == pytest.approx((2 * 52 / (2 * 52 + 8)) / 2)
    assert report["calibration_error"] == pytest.approx(52 / 60 - 0.8, abs=1e-6)
    assert report["never_predicted"] == ["fault"]


def test_one_class_in_the_split_leaves_null_and_no_nan():
    report = class_report(scored([1, 1, 1], [[0.4, 0.5, 0.1]] * 3), ("a", "b", "c"))
    assert report["roc_auc"] is None and report["average_precision"] is None
    assert report["balanced_accuracy"] == 1.0
    assert report["never_predicted"] == []  # classes without examples are not to be predicted
    assert "NaN" not in json.dumps(report)
    json.dumps(report, allow_nan=False)


def test_bootstrap_intervals_are_those_of_scipy():
    rng = np.random.default_rng(3)
    labels = rng.choice(3, 150, p=[0.7, 0.2, 0.1])
    predicted = np.where(rng.random(150) < 0.7, labels, rng.choice(3, 150))
    ours = bootstrap_intervals(metrics.confusion_matrix(labels, predicted))

    def balanced(labels, predicted):
        return metrics.recall_score(labels, predicted, average="macro", labels=np.unique(labels))

    def macro_f1(labels, predicted):
        return metrics.f1_score(labels, predicted, average="macro")

    for name, statistic in (("balanced_accuracy", balanced), ("macro_f1", macro_f1)):
        theirs = stats.bootstrap(
            (labels, predicted),
            statistic,
            paired=True,
            vectorized=False,
            n_resamples=150,
            method="percentile",
            rng=np.random.default_rng(0),
        ).confidence_interval
        assert ours[name] == pytest.approx(list(theirs), abs=0.03), name
        assert ours[name][1] - ours[name][0] > 0.1


def test_intervals_are_the_same_each_time_and_of_many_classes_quick():
    confusion = np.diag(np.arange(1, 1001))
    assert bootstrap_intervals(confusion) == bootstrap_intervals(confusion)
    assert bootstrap_intervals(confusion)["balanced_accuracy"] == [1.0, 1.0]
