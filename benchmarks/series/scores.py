"""The figures of a contender on one split."""

import numpy as np
from sklearn.metrics import accuracy_score, f1_score


def scores_of(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Returns accuracy, balanced accuracy and macro F1, each from 0 to 1.

    Args:
        truth: `[N]`, the class of each example.
        predicted: `[N]`, the class that was predicted.
    """
    found = [(predicted[truth == name] == name).mean() for name in np.unique(truth)]
    return {
        "accuracy": float(accuracy_score(truth, predicted)),
        "balanced_accuracy": float(np.mean(found)),  # scikit-learn's warns of classes without any
        "macro_f1": float(f1_score(truth, predicted, average="macro", zero_division=0)),
    }
