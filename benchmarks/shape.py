"""What is measured: a stack of two GRUs and a softmax over 10 classes, on random sequences."""

from typing import NamedTuple

DEPTH = 2
CLASSES = 10


class Shape(NamedTuple):
    """One point of the grid."""

    steps: int  # T
    features: int  # D
    units: int  # H
    batch: int  # B

    def flops(self, training: bool) -> float:
        """Returns the floating-point operations of the products of one call.

        Forward each layer costs 2·T·B·3H·(inputs + H), backward twice that, less the gradient of
        the data, which nobody asks for. Activations and optimiser are left out.
        """
        rows = 2.0 * self.steps * self.batch * 3 * self.units
        inputs = [self.features] + [self.units] * (DEPTH - 1)
        forward = sum(rows * (width + self.units) for width in inputs)
        return 3 * forward - rows * self.features if training else forward
