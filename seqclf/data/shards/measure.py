"""Finds the properties of the examples that a schema records, while they are written."""

import numpy as np

from seqclf.data.normalization import Moments
from seqclf.data.shards.examples import Example
from seqclf.data.values import REMEDY_OF_SHARDS
from seqclf.errors import DataError

EXAMPLES_AT_ONCE = 256  # how many examples are held and summed together


class Measure:
    """Checks examples, and sums up those of the training split.

    Args:
        variable_length: whether lengths may vary; None: the lengths decide.
        keep_missing: whether values may be missing (NaN).

    Attributes:
        dtype: "uint8" or "float32", the dtype of the first example.
        variable_length: the argument, or whether lengths have varied so far.
        missing: for each split with missing values how many each feature lacks so far, where
            images have one feature for each number of a row.
    """

    def __init__(self, variable_length: bool | None = None, keep_missing: bool = False):
        self.dtype = ""
        self.missing: dict[str, np.ndarray] = {}
        self._keep_missing = keep_missing
        self.variable_length = bool(variable_length)
        self._may_vary = variable_length is not False
        self._first: Example | None = None
        self._longest = 0
        self._held: list[np.ndarray] = []
        self._rows: Moments | None = None
        self._columns: Moments | None = None
        self._pixels: Moments | None = None
        self._low: np.ndarray | None = None
        self._high: np.ndarray | None = None
        self._border = np.zeros(2)  # sum and count

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of an example; of the longest one where lengths vary."""
        assert self._first is not None
        return (self._longest, *self._first.x.shape[1:])

    def add(self, example: Example, split: str) -> np.ndarray:
        """Records an example and returns its x, uint8 or float32.

        Args:
            example: the next example.
            split: the split that it belongs to; the moments are those of `train`.

        Raises:
            DataError: its shape or dtype is not that of the first, or a value is infinite, or
                missing although that is not allowed.
        """
        x = example.x if example.x.dtype == np.uint8 else example.x.astype(np.float32)
        if self._first is None:
            if 0 in x.shape:
                raise DataError(f"{example.name}: is empty, of shape {list(x.shape)}")
            self._first, self.dtype, self._longest = example, str(x.dtype), len(x)
        self._check(x, example)
        self._check_values(x, example, split)
        if len(x) != self._longest or self.variable_length:
            self.variable_length = True
            self._longest = max(self._longest, len(x))
        if split == "train":
            self._held.append(x)
            if len(self._held) == EXAMPLES_AT_ONCE:
                self._sum()
        return x

    def moments(self) -> dict[str, Moments]:
        """Returns the moments of the training split, by reading."""
        self._sum()
        assert self._rows is not None
        if self.variable_length or self._columns is None or self._pixels is None:
            return {"rows": self._rows}
        return {"rows": self._rows, "columns": self._columns, "pixels": self._pixels}

    def input_range(self) -> dict[str, tuple[float, ...]] | None:
        """Returns the range of the training split, by reading.

        Returns:
            `low` and `high`: the lowest and the highest value at each index of the last axis of an
            example. None for images, whose values go from 0 to full scale.
        """
        self._sum()
        if self.dtype == "uint8" and not self.variable_length:
            return None
        assert self._low is not None and self._high is not None
        return {"low": tuple(self._low.tolist()), "high": tuple(self._high.tolist())}

    def background(self, full_scale: float) -> float:
        """Returns the mean of the images' borders as a fraction of full scale; 0 for sequences."""
        self._sum()
        if self.dtype != "uint8" or self.variable_length:
            return 0.0
        return round(float(self._border[0] / self._border[1] / full_scale), 4)

    def _check(self, x: np.ndarray, example: Example) -> None:
        first = self._first
        assert first is not None
        if str(x.dtype) != self.dtype:
            raise DataError(
                f"{example.name}: examples must be of one dtype. Received: {x.dtype}, after "
                f"{self.dtype} ({first.name})"
            )
        may_vary = self._may_vary and x.ndim == 2
        if x.shape[1:] != first.x.shape[1:] or (not may_vary and len(x) != self._longest):
            raise DataError(
                f"{example.name}: examples must be of one shape{' [any, D]' * may_vary}. Received: "
                f"{list(x.shape)}, after {list(first.x.shape)} ({first.name}). Images can "
                "be resized to one size with --image_size=HEIGHT,WIDTH, and made grey or RGB with "
                "--channels=1 or 3."
            )
        if not len(x):
            raise DataError(f"{example.name}: has no time steps, its shape is {list(x.shape)}")

    def _check_values(self, x: np.ndarray, example: Example, split: str) -> None:
        if x.dtype == np.uint8 or np.isfinite(x).all():
            return
        if np.isinf(x).any():
            raise DataError(f"{example.name}: must be finite (in float32); some values are not.")
        lacking = np.isnan(x).reshape(len(x), -1).sum(0)
        if not self._keep_missing:
            raise DataError(
                f"{example.name}: {lacking.sum():,} values are missing (NaN). {REMEDY_OF_SHARDS}"
            )
        self.missing[split] = self.missing.get(split, 0) + lacking

    def _sum(self) -> None:
        held, self._held = self._held, []
        if not held:
            return
        steps = np.concatenate([x.reshape(len(x), -1) for x in held])
        self._rows = _plus(self._rows, Moments.of(steps))
        values = steps.reshape(-1, held[0].shape[-1])
        low, high = np.fmin.reduce(values), np.fmax.reduce(values)  # NaN if all are missing
        self._low = low if self._low is None else np.fmin(low, self._low)
        self._high = high if self._high is None else np.fmax(high, self._high)
        if self.variable_length:
            return
        images = np.stack(held)  # [n, H, W] or [n, H, W, C]
        n, height, width, *rest = images.shape
        channels = rest[0] if rest else 1
        turned = np.swapaxes(images, 1, 2).reshape(n * width, height * channels)
        self._columns = _plus(self._columns, Moments.of(turned))
        self._pixels = _plus(self._pixels, Moments.of(images.reshape(-1, channels)))
        border = np.ones((height, width), bool)
        border[1:-1, 1:-1] = False
        around = images[:, border]
        self._border += (around.sum(dtype=np.float64), around.size)


def _plus(sum_: Moments | None, part: Moments) -> Moments:
    return part if sum_ is None else sum_ + part
