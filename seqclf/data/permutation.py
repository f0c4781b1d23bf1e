"""`with_order`: the order of the pixels for the reading `permuted`."""

import dataclasses

import numpy as np

from seqclf.data.spec import DatasetSpec


def with_order(spec: DatasetSpec, seed: int) -> DatasetSpec:
    """Returns the spec with an order of its pixels, if it is read `permuted`; otherwise itself.

    Every example is read in the same order (Le, Jaitly & Hinton 2015, arXiv:1504.00941). The spec
    holds the order and not the seed, because NumPy may draw other numbers in another version.

    Args:
        spec: the description of the data.
        seed: `data.permutation_seed`.
    """
    if spec.reading != "permuted":
        return spec
    order = np.random.default_rng(seed).permutation(spec.time_steps)
    return dataclasses.replace(spec, order=tuple(order.tolist()))
