"""`FlatSequences`: warns about sequences of one value, if each is scaled by itself."""

import numpy as np

from seqclf.data.spec import DatasetSpec
from seqclf.data.values import one_value_only


class FlatSequences:
    """Counts the sequences of which every feature has one value only.

    Args:
        spec: the spec of the training data. Nothing is counted if it is not known (None), or if
            sequences are not scaled by themselves.
    """

    def __init__(self, spec: DatasetSpec | None):
        self._counts = bool(spec and spec.own_scale)
        self._count = self._flat = 0

    def add(self, x: np.ndarray, lengths: np.ndarray | None) -> None:
        """Takes note of sequences.

        Args:
            x: `[N, T, …]`, raw values; a missing value is NaN.
            lengths: `[N]`, the number of valid time steps of each; None: all are valid.
        """
        if not self._counts or not x.size:
            return
        self._count += len(x)
        self._flat += int(one_value_only(x, lengths).reshape(len(x), -1).all(1).sum())

    def warning(self) -> str:
        """Returns a sentence if there are such sequences, otherwise ""."""
        if not self._flat:
            return ""
        have = "has" if self._flat == 1 else "have"
        return (
            f"{self._flat:,} of {self._count:,} sequences {have} one value only in every feature. "
            "This model scales each sequence by itself, so that they are all alike to it, and its "
            "predictions for them say nothing"
        )
