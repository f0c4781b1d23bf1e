"""`pad_sequences`: sequences of different lengths as one array with their lengths."""

from collections.abc import Sequence

import numpy as np

from seqclf.client.sequences import check_sequences


def pad_sequences(sequences: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Returns sequences as one array, padded with zeros behind each, and their lengths.

    Args:
        sequences: arrays `[T_i, D]` (or `[T_i, …]`) of one dtype, one at least.

    Returns:
        `[N, T, D]`, where T is the largest T_i, and int32 lengths `[N]`.

    Raises:
        ValueError: a sequence has no time steps, or its time steps are not shaped as those of the
            first.

    Example:
        >>> x, lengths = pad_sequences([np.ones((1, 2)), np.ones((3, 2))])
        >>> x.shape, lengths.tolist()
        ((2, 3, 2), [1, 3])
    """
    check_sequences([each.shape for each in sequences])
    first = sequences[0]
    lengths = np.array([len(each) for each in sequences], np.int32)
    x = np.zeros((len(sequences), lengths.max(), *first.shape[1:]), np.result_type(*sequences))
    for i, each in enumerate(sequences):
        x[i, : len(each)] = each
    return x, lengths
