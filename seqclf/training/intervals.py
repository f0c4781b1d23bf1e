"""95 % intervals of scores: Wilson's of a fraction, the bootstrap's of macro F1 and of recalls.

Of time steps the bootstrap draws whole sequences.
"""

import numpy as np

RESAMPLES = 1000


def wilson_interval(fraction: float, count: int) -> list[float]:
    """Returns the 95 % interval of a fraction (Wilson 1927, JASA 22:209).

    Args:
        fraction: the fraction of the trials that succeeded, from 0 to 1.
        count: number of trials.

    Returns:
        The lower and the upper end, from 0 to 1.
    """
    z = 1.959964
    centre = (fraction + z**2 / (2 * count)) / (1 + z**2 / count)
    variance = fraction * (1 - fraction) / count + z**2 / (4 * count**2)
    half = z / (1 + z**2 / count) * np.sqrt(variance)
    return [float(centre - half), float(centre + half)]


def bootstrap_intervals(confusion: np.ndarray) -> dict[str, list[float]]:
    """Returns 95 % intervals by the percentile bootstrap (Efron 1979, Annals of Statistics 7:1).

    As many examples as there are, drawn from them with replacement, are scored 1,000 times; the
    interval leaves out the lowest and the highest 2.5 % of the scores. The draws follow from a
    fixed seed. A score is a function of the confusion matrix alone, so the draws are of its cells.

    Args:
        confusion: int `[C, C]`, the examples by true class (row) and predicted class; at least one.

    Returns:
        The lower and the upper end for `balanced_accuracy` and for `macro_f1`.
    """
    rng = np.random.default_rng(0)
    truth, predicted = np.nonzero(confusion)  # the cells that have examples
    counts, classes = confusion[truth, predicted], len(confusion)
    total = counts.sum()
    draws = (rng.multinomial(total, counts / total) for _ in range(RESAMPLES))
    intervals = _percentiles([_scores(truth, predicted, drawn, classes) for drawn in draws])
    return {name: intervals[name] for name in ("balanced_accuracy", "macro_f1")}


def sequence_intervals(
    labels: np.ndarray, predicted: np.ndarray, sequences: np.ndarray, classes: int
) -> dict[str, list[float]]:
    """Returns 95 % intervals of scores of time steps, by the bootstrap of whole sequences.

    The time steps of a sequence are much alike, and so are the mistakes in them: intervals that
    took them for independent would be far too narrow. As many sequences as there are, drawn from
    them with replacement, are scored 1,000 times. The draws follow from a fixed seed.

    Args:
        labels: the true class of each time step, int `[M]`.
        predicted: the predicted class of each, int `[M]`.
        sequences: the index of the sequence of each, int `[M]`, ascending.
        classes: C, the number of classes.

    Returns:
        The lower and the upper end for `accuracy`, `balanced_accuracy` and `macro_f1`; {} if there
        are fewer than two sequences.
    """
    from scipy.sparse import coo_array

    rng = np.random.default_rng(0)
    which, number = np.unique(sequences, return_inverse=True)
    if len(which) < 2:
        return {}
    cells, cell = np.unique(labels * classes + predicted, return_inverse=True)
    # [cells, sequences]: how many time steps of a sequence are in a cell of the confusion matrix
    table = coo_array((np.ones(len(labels)), (cell, number)), (len(cells), len(which))).tocsr()
    chances = np.full(len(which), 1 / len(which))
    draws = (table @ rng.multinomial(len(which), chances) for _ in range(RESAMPLES))
    truth, guess = np.divmod(cells, classes)
    return _percentiles([_scores(truth, guess, drawn, classes) for drawn in draws])


def _scores(
    truth: np.ndarray, predicted: np.ndarray, counts: np.ndarray, classes: int
) -> dict[str, float]:
    """Returns the scores of a confusion matrix, given by its cells.

    Args:
        truth: the true class of each cell.
        predicted: the predicted class of each cell.
        counts: the number of examples in each cell.
        classes: the number of classes.
    """
    right = truth == predicted
    support = np.bincount(truth, counts, classes)
    hits = np.bincount(truth[right], counts[right], classes)
    both = support + np.bincount(predicted, counts, classes)
    return {
        "accuracy": hits.sum() / counts.sum(),
        "balanced_accuracy": (hits[support > 0] / support[support > 0]).mean(),
        "macro_f1": (2 * hits[both > 0] / both[both > 0]).mean(),
    }


def _percentiles(draws: list[dict[str, float]]) -> dict[str, list[float]]:
    """Returns for each score the ends between which 95 % of the draws lie."""
    ends = {name: np.percentile([draw[name] for draw in draws], [2.5, 97.5]) for name in draws[0]}
    return {name: [float(low), float(high)] for name, (low, high) in ends.items()}
