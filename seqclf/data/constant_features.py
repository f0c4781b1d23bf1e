"""Finds features that have one value only, of which a model can learn nothing."""

from collections.abc import Sequence

import numpy as np

from seqclf.data.split import Split
from seqclf.data.values import value_range

SHOWN = 5  # names in a note


def constant_features(train: Split, feature_names: Sequence[str]) -> tuple[str, ...]:
    """Returns a note about the features that have one value only in the training split.

    Args:
        train: sequences `[N, T, D]`. Images (uint8, or with channels) are not looked at: their
            borders are often of one colour.
        feature_names: the name of each feature; (): their indices stand for them.
    """
    if train.x.dtype == np.uint8 or train.x.ndim != 3:
        return ()
    features = train.x.shape[2]
    low, high = value_range(train.x, train.lengths)
    constant = np.flatnonzero(low == high)
    if not constant.size:
        return ()
    return (
        f"{constant.size} of {features} features have one value only in the training split, of "
        f"which the model can learn nothing: {listed(constant, feature_names)}",
    )


def listed(features: np.ndarray, feature_names: Sequence[str]) -> str:
    """Returns the first few features by their names, or by their indices if they have none."""
    known = len(feature_names) > 0
    names = [str(feature_names[d]) if known else f"feature {d}" for d in features[:SHOWN]]
    return ", ".join(names) + (", …" if features.size > SHOWN else "")
