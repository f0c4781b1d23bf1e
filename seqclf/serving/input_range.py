"""`InputRange`: warns about inputs that are far outside the range of the training inputs."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class InputRange:
    """The range of the training inputs, from the entry `input_range` of a manifest.

    Attributes:
        low: lowest value, a scalar, or `[D]` for the last axis of an input.
        high: highest value, of the same shape.
    """

    low: np.ndarray
    high: np.ndarray

    @classmethod
    def from_json(cls, entry: Any) -> "InputRange | None":
        """Returns the range in an entry `{"low": …, "high": …}`; None for anything else."""
        try:
            low, high = (np.asarray(entry[key], np.float64) for key in ("low", "high"))
        except (TypeError, KeyError, ValueError):
            return None
        valid = low.ndim <= 1 and low.shape == high.shape and low.size and (low <= high).all()
        return cls(low, high) if valid else None

    def warning(self, x: np.ndarray, lengths: np.ndarray | None = None) -> str:
        """Returns a warning for inputs far outside the range, or an empty string.

        Inputs are far outside if they exceed the range by more than its own width.

        Args:
            x: `[N, …]`, raw values.
            lengths: `[N]`, numbers of valid time steps; None: all are valid.
        """
        if x.dtype.kind not in "biuf" or x.ndim < 2 or not x.size:
            return ""
        if self.low.ndim and x.shape[-1] != self.low.size:
            return ""
        if lengths is not None:
            valid = np.arange(x.shape[1]) < np.asarray(lengths)[:, None]
            x = x[valid]
        if not x.size:
            return ""
        values = x.reshape(-1, x.shape[-1]).astype(np.float64)
        low, high = np.fmin.reduce(values), np.fmax.reduce(values)  # without missing values
        width = self.high - self.low
        # A feature that was constant in training gets the width of all features.
        width = np.where(width > 0, width, self.high.max() - self.low.min())
        if not ((low < self.low - width) | (high > self.high + width)).any():
            return ""
        return (
            f"the inputs go from {np.fmin.reduce(low):g} to {np.fmax.reduce(high):g}, but the "
            f"training inputs went from {self.low.min():g} to {self.high.max():g}: if they are "
            "scaled otherwise, the predictions are wrong"
        )
