"""Temperature and threshold: how probabilities are corrected and when a class is answered."""

from typing import NamedTuple

import numpy as np

from seqclf.errors import DataError
from seqclf.training.scores import log_loss

LOWEST, HIGHEST = 0.05, 20.0  # temperatures; those beyond say that no temperature is best


class ChosenThreshold(NamedTuple):
    """A threshold and what it gives on the examples from which it was chosen.

    Attributes:
        probability: the class is answered from this probability on, a float32 number.
        recall: the fraction of the examples of the class that is found.
        precision: the fraction of the answers with the class that is right.
    """

    probability: float
    recall: float
    precision: float


def at_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Returns the probabilities that a model gives whose logits are divided by a temperature.

    Args:
        probabilities: float `[N, C]`.
        temperature: a number above 0.

    Returns:
        float32 `[N, C]`.
    """
    tiny = np.finfo(np.float32).tiny
    logits = np.log(np.maximum(probabilities, tiny).astype(np.float64)) / temperature
    scaled = np.exp(logits - logits.max(-1, keepdims=True))
    normalised: np.ndarray = scaled / scaled.sum(-1, keepdims=True)
    return normalised.astype(np.float32)


def fit_temperature(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Returns the temperature of the lowest log loss (Guo et al. 2017, arXiv:1706.04599).

    Args:
        labels: the true classes, int `[N]`, of examples that were not trained on.
        probabilities: float `[N, C]`, those of the model without a temperature.

    Raises:
        DataError: no temperature is best, because each example is predicted right, or because the
            model knows no more than chance.
    """
    from scipy.optimize import minimize_scalar

    right = int((probabilities.argmax(-1) == labels).sum())

    def loss_at(logarithm: float) -> float:
        value = log_loss(labels, at_temperature(probabilities, float(np.exp(logarithm))))
        return float("inf") if value is None else value

    ends = np.log([LOWEST, HIGHEST])
    best = minimize_scalar(loss_at, bounds=ends, method="bounded", options={"xatol": 1e-5})
    if right == len(labels) or min(abs(best.x - ends)) < 1e-3:
        raise DataError(
            f"No temperature from {LOWEST:g} to {HIGHEST:g} is best on the validation split, as "
            "where every example is predicted right, or where the model knows no more than chance. "
            "Leave the calibration out, or hold out more validation examples. Received: "
            f"{len(labels):,} examples, {right:,} predicted right"
        )
    return float(np.exp(best.x))


def choose_threshold(
    of_class: np.ndarray, probabilities: np.ndarray, kind: str, target: float
) -> ChosenThreshold:
    """Returns the threshold of a class that reaches a target and is best otherwise.

    For a recall it is the highest threshold that reaches it, which has few false alarms; for a
    precision it is the lowest, which finds as many examples as possible. It lies half-way between
    two probabilities that occur.

    Args:
        of_class: bool `[N]`, whether each example is of the class; both must occur.
        probabilities: float32 `[N]`, the probability of the class.
        kind: `recall` or `precision`.
        target: the fraction to reach, above 0 and up to 1.

    Raises:
        DataError: no threshold reaches the target, or the examples are all of the class or none.
    """
    from sklearn.metrics import precision_recall_curve

    if of_class.all() or not of_class.any():
        raise DataError(
            "A threshold is chosen from validation examples of both classes: hold out examples of "
            f"both, or leave the target out. Received: {len(of_class):,} examples, "
            f"{int(of_class.sum()):,} of them of the class"
        )
    precisions, recalls, thresholds = precision_recall_curve(of_class, probabilities)
    precisions, recalls = precisions[:-1], recalls[:-1]  # the last is of no answer at all
    reached = np.flatnonzero((recalls if kind == "recall" else precisions) >= target - 1e-9)
    if not len(reached):
        best = int(precisions.argmax())
        raise DataError(
            f"A precision of {target:g} is not reached on the validation split. The best that can "
            f"be reached is {precisions[best]:.4f}, at a recall of {recalls[best]:.4f}: give that "
            "or less."
        )
    i = int(reached[-1] if kind == "recall" else reached[0])
    lower = thresholds[i - 1] if i else 0.0
    middle = np.float32((float(lower) + float(thresholds[i])) / 2)
    chosen = middle if middle > lower else thresholds[i]
    return ChosenThreshold(float(chosen), float(recalls[i]), float(precisions[i]))
