"""`class_report`: the numbers of a report about a model on a split."""

from typing import Any

import numpy as np

from seqclf.training import scores
from seqclf.training.evaluation import Score
from seqclf.training.intervals import bootstrap_intervals, sequence_intervals, wilson_interval


def class_report(score: Score, class_names: tuple[str, ...]) -> dict[str, Any]:
    """Returns the numbers of a report, ready for JSON.

    Args:
        score: the score of a model on a split, of at least one example.
        class_names: the names of the classes, by index.

    Returns:
        A dictionary with these entries; a number that is not defined is None:

        - `accuracy`, `accuracy_interval` (95 %, Wilson 1927);
        - `loss`, the log loss in nats; `examples`;
        - `balanced_accuracy`, `macro_f1`, and the 95 % interval of each by the bootstrap,
          `balanced_accuracy_interval` and `macro_f1_interval`;
        - `roc_auc`, `average_precision`, `calibration_error`; see `seqclf.training.scores`;
        - `majority`: `class`, the name of the most frequent class of the split, and `accuracy`,
          that of a model which always answers with it;
        - `never_predicted`: names of the classes that have examples and are never predicted;
        - `classes`: name, precision, recall, f1 and support of each class;
        - `confusion`: `[C][C]`, rows are true classes.

        Where time steps have labels, all of these are about time steps: `examples` is their number
        and `support` counts them. The entry `unit` is then "steps", and `sequences` the number of
        sequences that they are from. Intervals are by the bootstrap of whole sequences, and left
        out if there is one sequence alone.
    """
    from sklearn.metrics import confusion_matrix

    labels, probabilities = score.labels, score.probabilities
    predicted = probabilities.argmax(-1)
    confusion = confusion_matrix(labels, predicted, labels=np.arange(len(class_names)))
    ends = _intervals(score, predicted, confusion)
    support = confusion.sum(1)
    most = int(support.argmax())
    ignored = np.flatnonzero((support > 0) & (confusion.sum(0) == 0))
    return {
        "accuracy": score.accuracy,
        **ends.get("accuracy", {}),
        "loss": score.loss,
        "examples": len(labels),
        "balanced_accuracy": scores.balanced_accuracy(labels, probabilities),
        **ends.get("balanced_accuracy", {}),
        "macro_f1": scores.macro_f1(labels, probabilities),
        **ends.get("macro_f1", {}),
        "roc_auc": scores.roc_auc(labels, probabilities),
        "average_precision": scores.average_precision(labels, probabilities),
        "calibration_error": scores.calibration_error(labels, probabilities),
        "majority": {"class": class_names[most], "accuracy": float(support[most] / len(labels))},
        "never_predicted": [class_names[i] for i in ignored],
        "classes": _by_class(labels, predicted, class_names),
        "confusion": confusion.tolist(),
        **_unit(score),
    }


def _intervals(
    score: Score, predicted: np.ndarray, confusion: np.ndarray
) -> dict[str, dict[str, list[float]]]:
    """Returns for the name of a score the entry of the report with its 95 % interval."""
    if score.sequences is None:
        accuracy = wilson_interval(score.accuracy, len(score.labels))
        ends = {"accuracy": accuracy, **bootstrap_intervals(confusion)}
    else:
        ends = sequence_intervals(score.labels, predicted, score.sequences, len(confusion))
    return {name: {f"{name}_interval": interval} for name, interval in ends.items()}


def _unit(score: Score) -> dict[str, Any]:
    """Returns the entries that say what is counted, if it is not examples."""
    if score.sequences is None:
        return {}
    return {"unit": "steps", "sequences": len(np.unique(score.sequences))}


def _by_class(
    labels: np.ndarray, predicted: np.ndarray, class_names: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Returns name, precision, recall, F1 and number of examples of each class."""
    from sklearn.metrics import precision_recall_fscore_support

    indices = np.arange(len(class_names))
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, predicted, labels=indices, zero_division=0.0
    )
    return [
        {
            "name": class_names[i],
            "precision": float(precision[i]),
            "recall": float(recall[i]),
            "f1": float(f1[i]),
            "support": int(support[i]),
        }
        for i in indices
    ]
