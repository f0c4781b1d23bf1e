"""`LongSequences`: warns about sequences that are much longer than those of the training."""

import numpy as np

from seqclf.data.spec import DatasetSpec

TIMES = 2  # a sequence is much longer if it is more than so many times as long as the longest


class LongSequences:
    """Counts the sequences that are much longer than the longest one of the training data.

    Args:
        spec: the spec of the training data; None: it is not known, and nothing is counted. Nor is
            it where all sequences have one length, because a model of these takes no others.
    """

    def __init__(self, spec: DatasetSpec | None):
        self._longest = spec.time_steps if spec and spec.variable_length else None
        self._count = self._long = self._most = 0

    def add(self, lengths: np.ndarray) -> None:
        """Takes note of sequences.

        Args:
            lengths: `[N]`, the number of valid time steps of each.
        """
        if self._longest is None or not lengths.size:
            return
        self._count += len(lengths)
        self._long += int((lengths > TIMES * self._longest).sum())
        self._most = max(self._most, int(lengths.max()))

    def warning(self) -> str:
        """Returns a sentence if some are much longer, otherwise ""."""
        if not self._long:
            return ""
        return (
            f"{self._long:,} of {self._count:,} sequences are more than twice as long as the "
            f"longest one of the training data: they have up to {self._most:,} time steps, and "
            f"that had {self._longest:,}. The model has not learnt from such long ones, and its "
            "predictions for them may be wrong"
        )
