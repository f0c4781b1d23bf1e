"""`RunningScores`: counts predictions and compares them with labels, in memory that stays level."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

SHOWN = 5  # labels that are no class and are counted by name; the others are counted together


class RunningScores:
    """Counts of predicted classes, and of pairs of label and predicted class.

    Args:
        names: the class names, by index.

    Attributes:
        predicted: `[C]`, how often each class was predicted.
        pairs: `[C, C]`, how often examples of a class (row) were predicted as a class (column).
        unknown: label that is no class of the model → how many examples have it; the first `SHOWN`.
        other_unknown: how many examples have another label that is no class of the model.
        unlabelled: how many examples have no label.
    """

    def __init__(self, names: Sequence[str]):
        self._index = {name: i for i, name in enumerate(names)}
        self._names = tuple(names)
        self.predicted = np.zeros(len(names), np.int64)
        self.pairs = np.zeros((len(names), len(names)), np.int64)
        self.unknown: Counter[str] = Counter()
        self.other_unknown = 0
        self.unlabelled = 0

    def add(self, labels: Sequence[str | None], predicted: np.ndarray) -> None:
        """Takes note of a batch.

        Args:
            labels: the class of each example; None: it is not known.
            predicted: `[B]`, the index of the class that the model predicts.
        """
        np.add.at(self.predicted, predicted, 1)
        for label, index in zip(labels, predicted.tolist(), strict=True):
            if label is None:
                self.unlabelled += 1
            elif label in self._index:
                self.pairs[self._index[label], index] += 1
            elif label in self.unknown or len(self.unknown) < SHOWN:
                self.unknown[label] += 1
            else:
                self.other_unknown += 1

    @property
    def compared(self) -> int:
        """The number of examples whose label is a class of the model."""
        return int(self.pairs.sum())

    @property
    def accuracy(self) -> float:
        """The fraction of the compared examples that are predicted right."""
        return float(np.trace(self.pairs) / self.compared)

    @property
    def balanced_accuracy(self) -> float:
        """The mean of the recall over the classes that have examples."""
        there = self.pairs.sum(1) > 0
        return float((np.diag(self.pairs)[there] / self.pairs.sum(1)[there]).mean())

    @property
    def macro_f1(self) -> float:
        """The mean of F1 over the classes that are labels or predictions of compared examples."""
        right, both = np.diag(self.pairs), self.pairs.sum(0) + self.pairs.sum(1)
        return float((2 * right[both > 0] / both[both > 0]).mean())

    def in_words(self) -> list[str]:
        """Returns lines with the predicted classes, the scores, and the labels left out."""
        order = np.argsort(-self.predicted, kind="stable")
        counts = [f"{self._names[i]} {self.predicted[i]:,}" for i in order if self.predicted[i]]
        more = len(counts) - 10
        if more > 0:
            counts[10:] = [f"and {more} more classes"]
        lines = [f"Predicted  {', '.join(counts)}"]
        if self.compared:
            lines.append(
                f"Accuracy   {self.accuracy:.2%} of {self.compared:,} rows with a label; balanced "
                f"accuracy {self.balanced_accuracy:.2%}, macro F1 {self.macro_f1:.2%}"
            )
        if self.unknown:
            named = [f"{label!r} {count:,}" for label, count in self.unknown.most_common()]
            named += [f"others {self.other_unknown:,}"] if self.other_unknown else []
            count = sum(self.unknown.values()) + self.other_unknown
            lines.append(
                f"Left out   {count:,} rows whose label is no class of the model: "
                f"{', '.join(named)}"
            )
        return lines
