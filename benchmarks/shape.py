"""The shape of the model that `benchmarks.speed` runs: two GRUs and a softmax over 10 classes."""

from typing import NamedTuple

DEPTH = 2
CLASSES = 10


class Shape(NamedTuple):
    """Sizes of the sequences and of the layers at one point of the grid."""

    steps: int  # T
    features: int  # D
    units: int  # H
    batch: int  # B

    def flops(self, training: bool) -> float:
        """Returns the floating-point operations of the products of one call.

        The forward pass of a layer takes 2·T·B·3H·(inputs + H), and the backward pass twice that,
        without the gradient of the data. Activations and optimiser are not counted.

        Args:
            training: whether the call is a training step; otherwise it is inference.
        """
        rows = 2.0 * self.steps * self.batch * 3 * self.units
        inputs = [self.features] + [self.units] * (DEPTH - 1)
        forward = sum(rows * (width + self.units) for width in inputs)
        return 3 * forward - rows * self.features if training else forward
