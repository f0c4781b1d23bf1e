"""`RangeSoFar`: compares the inputs of a file with the range of the training inputs, in batches."""

import numpy as np

from seqclf.serving.input_range import InputRange


class RangeSoFar:
    """The lowest and the highest values of inputs that come in batches.

    Args:
        training: the range of the training inputs; None: it is not known, and nothing is compared.
    """

    def __init__(self, training: InputRange | None):
        self._training = training
        self._low: np.ndarray | None = None
        self._high: np.ndarray | None = None

    def add(self, x: np.ndarray, lengths: np.ndarray | None = None) -> None:
        """Takes note of a batch.

        Args:
            x: `[B, …]` raw values; missing ones (NaN) do not count.
            lengths: `[B]` numbers of valid time steps; None: all are valid.
        """
        if self._training is None or x.ndim < 2 or not x.size:
            return
        valid = x if lengths is None else x[np.arange(x.shape[1]) < lengths[:, None]]
        values = valid.reshape(-1, x.shape[-1])
        low, high = np.fmin.reduce(values), np.fmax.reduce(values)
        self._low = low if self._low is None else np.fmin(self._low, low)
        self._high = high if self._high is None else np.fmax(self._high, high)

    def warning(self) -> str:
        """Returns a sentence if the inputs are far outside the range, otherwise ""."""
        if self._training is None or self._low is None or self._high is None:
            return ""
        known = ~np.isnan(self._low)  # a feature may be missing everywhere
        if self._training.low.ndim and self._training.low.shape != known.shape:
            return ""
        low = np.where(known, self._low, self._training.low)
        high = np.where(known, self._high, self._training.low)
        return self._training.warning(np.stack([low, high])[np.newaxis])
