"""`fit_initial_weights`: sets what must know the data before the first training step."""

import keras

from seqclf.config import Config
from seqclf.data.dataset import Dataset
from seqclf.data.pipeline import training_batches
from seqclf.layers import ConvolutionBranch, LengthMask

TIME_STEPS = 2**16  # that means and deviations are taken of; more examples hardly change them


def fit_initial_weights(model: keras.Model, dataset: Dataset, config: Config) -> None:
    """Scales the convolutions of a new model by training examples.

    Several workers read the same examples, and each gets the same weights.

    Args:
        model: a model that has not been trained.
        dataset: the data; the first training examples in the order of the seed are read, as many as
            have `TIME_STEPS` time steps.
        config: a resolved config; `seed` is read.
    """
    branches = [layer for layer in model.layers if isinstance(layer, ConvolutionBranch)]
    if not branches:
        return
    count = max(1, min(dataset.train.epoch_examples(1), TIME_STEPS // dataset.spec.time_steps))
    inputs, *_ = next(iter(training_batches(dataset.train, dataset.spec, count, config.seed)))
    mask = None
    if dataset.spec.variable_length:
        mask = LengthMask()(inputs["sequences"], inputs["lengths"])
        inputs = inputs["sequences"]
    for branch in branches:
        branch.fit_initial_weights(inputs, mask)
