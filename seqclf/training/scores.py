"""How good probabilities are, as one number: F1, balanced accuracy, ROC AUC, calibration, …

Each function takes the true classes and the probabilities of N examples, and returns a number, or
None where the number is not defined. They are scikit-learn's, except for the calibration error,
which it lacks. The predicted class of an example is its most probable one.

scikit-learn is imported by the first call, because commands that score nothing need not wait for
it.
"""

import numpy as np

CALIBRATION_BINS = 15


def accuracy(labels: np.ndarray, probabilities: np.ndarray) -> float | None:
    """Returns the fraction of the examples whose most probable class is the true one.

    Args:
        labels: the true classes, int `[N]`.
        probabilities: float `[N, C]`.

    Returns:
        A number from 0 to 1; None if there is no example.
    """
    return float((probabilities.argmax(-1) == labels).mean()) if len(labels) else None


def balanced_accuracy(labels: np.ndarray, probabilities: np.ndarray) -> float | None:
    """Returns the mean of the recall over the classes that have examples.

    Args:
        labels: the true classes, int `[N]`.
        probabilities: float `[N, C]`.

    Returns:
        A number from 0 to 1; None if there is no example.
    """
    from sklearn.metrics import recall_score

    if not len(labels):
        return None
    # scikit-learn's `balanced_accuracy_score` is this, with a warning of classes without examples.
    predicted, present = probabilities.argmax(-1), np.unique(labels)
    return float(recall_score(labels, predicted, labels=present, average="macro"))


def macro_f1(labels: np.ndarray, probabilities: np.ndarray) -> float | None:
    """Returns the mean of F1 over the classes that have examples or are predicted.

    F1 is the harmonic mean of precision and recall. It is 0 for a class that is never predicted.

    Args:
        labels: the true classes, int `[N]`.
        probabilities: float `[N, C]`.

    Returns:
        A number from 0 to 1; None if there is no example.
    """
    from sklearn.metrics import f1_score

    if not len(labels):
        return None
    predicted = probabilities.argmax(-1)
    return float(f1_score(labels, predicted, average="macro", zero_division=0.0))


def roc_auc(labels: np.ndarray, probabilities: np.ndarray) -> float | None:
    """Returns the area under the receiver operating characteristic.

    It is the probability that, of an example of a class and an example of another class, the former
    has the higher probability of the class. For two classes it is the same for both. For more
    classes it is the mean over the classes that have examples, each against all others.

    Args:
        labels: the true classes, int `[N]`.
        probabilities: float `[N, C]`.

    Returns:
        A number from 0 to 1, 0.5 for a model that knows nothing; None if fewer than two classes
        have examples, or a probability is NaN.
    """
    from sklearn.metrics import roc_auc_score

    if not _ranks_are_defined(labels, probabilities):
        return None
    if probabilities.shape[1] == 2:
        return float(roc_auc_score(labels == 1, probabilities[:, 1]))
    present = np.unique(labels)
    return float(roc_auc_score(labels[:, None] == present, probabilities[:, present]))


def average_precision(labels: np.ndarray, probabilities: np.ndarray) -> float | None:
    """Returns the mean, over the classes that have examples, of their average precision.

    The average precision of a class is the area under its precision–recall curve, by steps. For a
    model that knows nothing it is the fraction of the examples that are of this class, so that the
    mean is 1 divided by the number of classes that have examples.

    Args:
        labels: the true classes, int `[N]`.
        probabilities: float `[N, C]`.

    Returns:
        A number from 0 to 1; None if fewer than two classes have examples, or a probability is NaN.
    """
    from sklearn.metrics import average_precision_score

    if not _ranks_are_defined(labels, probabilities):
        return None
    present = np.unique(labels)
    return float(average_precision_score(labels[:, None] == present, probabilities[:, present]))


def log_loss(labels: np.ndarray, probabilities: np.ndarray) -> float | None:
    """Returns the mean of -ln p, where p is the probability of the true class.

    Args:
        labels: the true classes, int `[N]`.
        probabilities: float `[N, C]`. Those below the smallest normal number count as that number.

    Returns:
        A number of nats, 0 or more; None if there is no example, or a probability is NaN.
    """
    if not len(labels) or np.isnan(probabilities).any():
        return None
    of_truth = np.maximum(probabilities[np.arange(len(labels)), labels], np.finfo(np.float32).tiny)
    return float(-np.log(of_truth.astype(np.float64)).mean())


def calibration_error(labels: np.ndarray, probabilities: np.ndarray) -> float | None:
    """Returns the expected calibration error (ECE; Guo et al. 2017, arXiv:1706.04599).

    The examples are divided by their confidence, the highest of their probabilities, into 15 bins
    of equal width. The error is the mean over the bins of |accuracy - mean confidence|, weighted by
    the number of examples in each bin.

    Args:
        labels: the true classes, int `[N]`.
        probabilities: float `[N, C]`.

    Returns:
        A number from 0, of a model whose confidence is right, to 1; None if there is no example, or
        a probability is NaN.
    """
    if not len(labels) or np.isnan(probabilities).any():
        return None
    count, confidence, right = calibration_bins(labels, probabilities)
    filled = count > 0
    return float((count * np.abs(right - confidence))[filled].sum() / len(labels))


def calibration_bins(
    labels: np.ndarray, probabilities: np.ndarray, bins: int = CALIBRATION_BINS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns what a reliability diagram shows of each bin of confidences.

    Bin k holds the confidences c with k / bins < c ≤ (k + 1) / bins.

    Args:
        labels: the true classes, int `[N]`.
        probabilities: float `[N, C]`, none of them NaN.
        bins: K, the number of bins of equal width between 0 and 1.

    Returns:
        The number of examples, their mean confidence and their accuracy, `[K]` each. Confidence and
        accuracy of an empty bin are 0.
    """
    confidence = probabilities.max(-1).astype(np.float64)
    right = probabilities.argmax(-1) == labels
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)  # [N]
    count = np.bincount(place, minlength=bins)
    divisor = np.maximum(count, 1)
    return (
        count,
        np.bincount(place, confidence, bins) / divisor,
        np.bincount(place, right, bins) / divisor,
    )


def _ranks_are_defined(labels: np.ndarray, probabilities: np.ndarray) -> bool:
    """Returns whether two classes or more have examples and no probability is NaN."""
    return len(np.unique(labels)) > 1 and not bool(np.isnan(probabilities).any())
