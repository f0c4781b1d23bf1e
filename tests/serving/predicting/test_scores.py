"""The scores of `predict --out`, against scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from seqclf.serving.predicting.scores import RunningScores

NAMES = ("a", "b", "c", "never seen")


def running(labels, predicted, part=7):
    scores = RunningScores(NAMES)
    for i in range(0, len(labels), part):
        scores.add(labels[i : i + part], np.array(predicted[i : i + part], np.int32))
    return scores


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_those_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    truth = rng.choice(["a", "a", "a", "b"], 100).tolist()  # c is predicted, but no label
    predicted = rng.integers(0, 3, 100).tolist()
    guessed = [NAMES[i] for i in predicted]
    scores = running(truth, predicted)
    assert scores.accuracy == pytest.approx(accuracy_score(truth, guessed))
    with pytest.warns(UserWarning, match="y_pred contains classes not in y_true"):
        assert scores.balanced_accuracy == pytest.approx(balanced_accuracy_score(truth, guessed))
    assert scores.macro_f1 == pytest.approx(f1_score(truth, guessed, average="macro"))


def test_rows_without_a_label_or_with_an_unknown_one_are_left_out():
    labels = ["a", None, "b", "x", "y", "x", "b"]
    scores = running(labels, [0, 1, 0, 0, 0, 0, 1])
    assert (scores.compared, scores.unlabelled) == (3, 1)
    assert scores.accuracy == pytest.approx(2 / 3)
    assert scores.in_words() == [
        "Predicted  a 5, b 2",
        "Accuracy   66.67% of 3 rows with a label; balanced accuracy 75.00%, macro F1 66.67%",
        "Left out   3 rows whose label is no class of the model: 'x' 2, 'y' 1",
    ]


def test_any_number_of_unknown_labels_is_counted_in_little_memory():
    scores = running([f"unknown {i}" for i in range(1000)], [0] * 1000)
    assert len(scores.unknown) == 5
    assert "1,000 rows whose label is no class" in scores.in_words()[-1]
    assert scores.in_words()[-1].endswith("others 995")
    assert not any(line.startswith("Accuracy") for line in scores.in_words())
