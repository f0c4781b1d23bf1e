"""Convolutions that read a sequence beside the recurrent layers, pooled over its time steps."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from seqclf.layers.pooling import mean_over_time, means_so_far, zero_where_masked

SMALLEST_DEVIATION = 1e-6
POOLINGS = ("mean", "max")
KERNELS = (8, 5, 3)  # time steps; further convolutions have the last of them


def kernel_sizes(count: int) -> tuple[int, ...]:
    """Returns the kernel sizes of so many convolutions, in time steps, first to last."""
    return (KERNELS + KERNELS[-1:] * count)[:count]


@keras.saving.register_keras_serializable(package="seqclf")
class ConvolutionBranch(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Convolutions over the time steps of a sequence, and the mean of what the last one gives.

    Beside the mean it can give the largest value of each filter, which a short shape in a long
    sequence changes more than the mean (Oquab et al. 2015, CVPR).

    Each convolution is followed by ReLU. This is the convolutional half of
    GRU-FCN (Elsayed et al. 2018, arXiv:1812.07683), the FCN of Wang et al. (2017, arXiv:1611.06455)
    with its kernels of 8, 5 and 3 time steps. It finds short shapes wherever they are in a
    sequence, which a recurrent layer learns slowly from few examples.

    Two things differ from the publications. The convolutions are causal: a time step is computed
    from itself and those before it, with zeros before the first. So padding behind a sequence
    changes nothing, and the mean is known after each time step. And there is no batch
    normalisation: `fit_initial_weights` scales the weights once, before the training, so that what
    each filter gives has mean 0 and deviation 1 over the training examples (Krähenbühl et al. 2016,
    arXiv:1511.06856). There are no statistics to carry along, and an example's output does not
    depend on the others in its batch.

    Args:
        filters: number of filters of each convolution, first to last; at least one convolution.
        dilation: d; convolution i (from 0) reads every d^i-th time step, so that a few of them see
            a long stretch (Yu & Koltun 2016, arXiv:1511.07122). 1: all read neighbours.
        pooling: "mean": the mean over the time steps; "max": the mean, and the largest value.
        **kwargs: `name`, `dtype`, as for every Keras layer.

    Call arguments:
        sequences: `[B, T, D]`; values at masked time steps have no effect.
        mask: bool `[B, T]`, True at the valid time steps, which come first. None: all are valid.

    Returns:
        `[B, F]`, where F is the number of filters of the last convolution; with `pooling` "max"
        `[B, 2 F]`: the means, then the largest values.

    Raises:
        ValueError: `filters` is empty or has a number below 1, `dilation` is below 1, or `pooling`
            is unknown.

    Example:
        >>> ConvolutionBranch([16, 8])(np.ones([2, 5, 3], "float32")).shape
        TensorShape([2, 8])
    """

    def __init__(
        self, filters: Sequence[int], dilation: int = 1, pooling: str = "mean", **kwargs: Any
    ):
        if not filters or min(filters) < 1:
            raise ValueError(
                "`filters` must have at least one number, and none below 1. "
                f"Received: filters={list(filters)}"
            )
        if dilation < 1:
            raise ValueError(f"`dilation` must be at least 1. Received: dilation={dilation}")
        if pooling not in POOLINGS:
            raise ValueError(f"`pooling` must be one of {POOLINGS}. Received: pooling={pooling!r}")
        super().__init__(**kwargs)
        self.filters = tuple(filters)
        self.dilation = dilation
        self.pooling = pooling
        self.supports_masking = True
        sizes = zip(self.filters, kernel_sizes(len(filters)), strict=True)
        self.convolutions = [
            keras.layers.Conv1D(
                width,
                size,
                padding="causal",
                dilation_rate=dilation ** (i - 1),
                kernel_initializer="he_uniform",
                dtype=self.dtype_policy,
                name=f"convolution_{i}",
            )
            for i, (width, size) in enumerate(sizes, start=1)
        ]

    def build(self, sequences_shape: Any) -> None:
        shape = tuple(sequences_shape)
        for convolution in self.convolutions:
            convolution.build(shape)
            shape = (*shape[:2], convolution.filters)

    def fit_initial_weights(self, sequences: Any, mask: Any = None) -> None:
        """Scales the kernels and sets the biases by examples, first convolution to last.

        What a filter gives before ReLU then has mean 0 and standard deviation 1 over all valid time
        steps. A filter that gives the same everywhere is only shifted.

        Args:
            sequences: `[B, T, D]`, some training examples.
            mask: bool `[B, T]` or None, as in `call`.
        """
        x = _without_masked(sequences, mask)
        for convolution in self.convolutions:
            given, valid = zero_where_masked(convolution(x), mask)  # [B, T, F]
            count = ops.sum(valid)
            mean = ops.sum(given, axis=(0, 1)) / count
            deviation = ops.sqrt(ops.sum(valid * (given - mean) ** 2, axis=(0, 1)) / count)
            deviation = ops.where(deviation > SMALLEST_DEVIATION, deviation, 1.0)
            convolution.kernel.assign(convolution.kernel / deviation)
            convolution.bias.assign((convolution.bias - mean) / deviation)
            x = ops.relu(convolution(x))

    def call(self, sequences: Any, mask: Any = None) -> Any:
        features, valid = self._features(sequences, mask)
        pooled = mean_over_time(features, valid)  # [B, F]
        if self.pooling == "max":
            largest = ops.max(features, axis=1)  # ReLU gives none below the 0 of masked time steps
            pooled = ops.concatenate([pooled, largest], axis=-1)
        return ops.cast(pooled, self.compute_dtype)

    def after_each_step(self, sequences: Any, mask: Any = None) -> Any:
        """Returns, for each time step, what `call` returns for a sequence that ends there.

        Args:
            sequences: `[B, T, D]`.
            mask: bool `[B, T]` or None, as in `call`.

        Returns:
            `[B, T, F]`, or `[B, T, 2 F]`; a masked time step has what the last valid one has.
        """
        features, valid = self._features(ops.cast(sequences, self.compute_dtype), mask)
        pooled = means_so_far(features, valid)
        if self.pooling == "max":
            pooled = ops.concatenate([pooled, _largest_so_far(features)], axis=-1)
        return ops.cast(pooled, self.compute_dtype)

    def _features(self, sequences: Any, mask: Any) -> tuple[Any, Any]:
        """Returns what the last convolution gives, `[B, T, F]`, and the mask as numbers.

        As `zero_where_masked` returns them.
        """
        x = _without_masked(sequences, mask)
        for convolution in self.convolutions:
            x = ops.relu(convolution(x))
        return zero_where_masked(x, mask)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> None:
        """Returns None: the output has no time steps that could be masked."""
        del inputs, previous_mask

    def compute_output_shape(self, sequences_shape: Any) -> tuple[int | None, ...]:
        return sequences_shape[0], self.filters[-1] * (2 if self.pooling == "max" else 1)

    def get_config(self) -> dict[str, Any]:
        own = {
            "filters": list(self.filters),
            "dilation": self.dilation,
            "pooling": self.pooling,
        }
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ConvolutionBranch":
        if "dilation" not in config:
            raise ValueError(
                "the convolutions are those of a development version, with layer normalisation, "
                "which this version does not have: train the model again"
            )
        return cls(**config)


def _largest_so_far(features: Any) -> Any:
    """Returns, for each time step, the largest value of each filter until then: `[B, T, F]`."""

    def step(largest: Any, given: Any) -> tuple[Any, Any]:
        largest = ops.maximum(largest, given)
        return largest, largest

    _, found = ops.scan(step, ops.zeros_like(features[:, 0]), ops.moveaxis(features, 1, 0))
    return ops.moveaxis(found, 0, 1)


def _without_masked(sequences: Any, mask: Any) -> Any:
    """Returns sequences with 0 at masked time steps.

    What is there may be NaN, which a product with 0 would keep.
    """
    if mask is None:
        return sequences
    return ops.where(mask[..., None], sequences, ops.zeros_like(sequences))
