"""Notes about the scale of the sequences, where the normalisation does not suit it."""

from collections.abc import Sequence

import numpy as np

from seqclf.config import DataConfig
from seqclf.data.constant_features import listed
from seqclf.data.split import Split
from seqclf.data.values import one_value_only, parts, value_range

FACTOR = 100  # the smallest ratio of a large to a small deviation that there is a note about
LEAST = 10  # the smallest number of sequences with a deviation that there is a note about


def scale_notes(train: Split, feature_names: Sequence[str], config: DataConfig) -> tuple[str, ...]:
    """Returns what the user must know about the scale of the training split's sequences.

    Args:
        train: sequences `[N, T, D]`. Images (uint8, or with channels) are not looked at.
        feature_names: the name of each feature; (): their indices stand for them.
        config: how they are read and normalised. Only the reading `rows` is looked at.
    """
    if train.x.dtype == np.uint8 or train.x.ndim != 3 or config.reading != "rows":
        return ()
    if config.normalize == "none":
        return ()
    deviations, constant = _by_sequence(train)  # [N, D]
    if config.normalize == "sequence":
        low, high = value_range(train.x, train.lengths)
        lost = np.flatnonzero((constant.mean(0) > 0.5) & (low < high))
        if not lost.size:
            return ()
        return (
            f"`data.normalize` sequence makes {lost.size} of {constant.shape[1]} features 0 in "
            "more than half of the sequences, because they have one value in the whole sequence: "
            f"{listed(lost, feature_names)}. Leave them out if they are not to be 0",
        )
    differing = []
    for d in range(constant.shape[1]):
        varying = deviations[~constant[:, d], d]
        if len(varying) >= LEAST:
            small, large = np.quantile(varying, [0.1, 0.9])
            if large >= FACTOR * small:
                differing.append(d)
    if not differing:
        return ()
    return (
        f"the deviation within a sequence differs by a factor of {FACTOR} and more from sequence "
        f"to sequence, in {len(differing)} of {constant.shape[1]} features: "
        f"{listed(np.array(differing), feature_names)}. If the scale of a sequence says little "
        "about its class, set `data.normalize` to sequence, which scales each by itself",
    )


def _by_sequence(train: Split) -> tuple[np.ndarray, np.ndarray]:
    """Returns the deviation of each feature in each sequence, and whether it is constant there."""
    steps, deviations, constant = np.arange(train.x.shape[1]), [], []
    for part in parts(train.x):
        x = train.x[part].astype(np.float64)
        counted = ~np.isnan(x)
        if train.lengths is not None:
            counted &= (steps < train.lengths[part, None])[..., None]
        number = np.maximum(counted.sum(1, keepdims=True), 1)
        mean = np.where(counted, x, 0).sum(1, keepdims=True) / number
        centred = np.where(counted, x - mean, 0)
        deviations.append(np.sqrt((centred**2).sum(1) / number[:, 0]))
        constant.append(one_value_only(x, None if train.lengths is None else train.lengths[part]))
    return np.concatenate(deviations), np.concatenate(constant)
