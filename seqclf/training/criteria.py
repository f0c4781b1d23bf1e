"""The quantities by which a validation can be better than another: what `select` may name."""

from collections.abc import Callable, Sequence

import numpy as np

from seqclf.config import CRITERIA
from seqclf.data.dataset import ExampleStore
from seqclf.data.step_labels import labels_that_count
from seqclf.errors import ConfigError
from seqclf.training import scores
from seqclf.training.scoring import AnyScore
from seqclf.training.text_evaluation import TextScore

CLASS_MEANS: dict[str, Callable[[np.ndarray, np.ndarray], float | None]] = {
    "macro_f1": scores.macro_f1,
    "balanced_accuracy": scores.balanced_accuracy,
    "roc_auc": scores.roc_auc,
    "average_precision": scores.average_precision,
}


def value_of(criterion: str, score: AnyScore) -> float | None:
    """Returns one of the quantities of a score; None where it is not defined.

    Args:
        criterion: one of `CRITERIA`, or of a text also "perplexity".
        score: the score of a model on a split.
    """
    if isinstance(score, TextScore):
        return float(getattr(score, criterion))
    if criterion == "loss":
        return score.loss
    if criterion == "accuracy":
        return score.accuracy
    return CLASS_MEANS[criterion](score.labels, score.probabilities)


def rank_of(criterion: str, score: AnyScore) -> tuple[float, float]:
    """Returns a pair that is larger for a better score; of equally good ones the loss decides.

    Args:
        criterion: one of `CRITERIA`.
        score: the score of a model on the validation split.
    """
    value = value_of(criterion, score)
    if value is None or np.isnan(value):
        return -np.inf, -np.inf
    sign = 1.0 if CRITERIA[criterion] == "max" else -1.0
    return sign * value, -score.loss


def check_defined(
    criterion: str, what: str, split: ExampleStore, class_names: Sequence[str]
) -> None:
    """Checks that a quantity is defined on a validation split.

    Args:
        criterion: one of `CRITERIA`.
        what: what asks for it, such as "`select` 'macro_f1'", as the beginning of the message.
        split: the validation split.
        class_names: the name of each class, by index.

    Raises:
        ConfigError: it is a mean over the classes, and a class has no example in the split.
    """
    if criterion not in CLASS_MEANS:
        return
    counts = np.bincount(labels_that_count(split.labels), minlength=len(class_names))
    missing = [repr(name) for name, count in zip(class_names, counts, strict=True) if not count]
    if not missing:
        return
    shown = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
    raise ConfigError(
        f"{what} is a mean over the classes, and is not defined where a class has no example to "
        f"validate on. Received: none of {shown} among {len(split):,}. Take 'best' (accuracy) or "
        "'loss', or choose the validation split so that every class is in it."
    )
