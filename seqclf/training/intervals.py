"""95 % intervals of scores: Wilson's of a fraction, the bootstrap's of macro F1 and of recalls."""

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
    counts, right = confusion[truth, predicted], truth == predicted
    total, classes = counts.sum(), len(confusion)
    scores = np.empty((RESAMPLES, 2))
    for draw in scores:
        drawn = rng.multinomial(total, counts / total)
        support = np.bincount(truth, drawn, classes)
        hits = np.bincount(truth[right], drawn[right], classes)
        both = support + np.bincount(predicted, drawn, classes)
        draw[0] = (hits[support > 0] / support[support > 0]).mean()
        draw[1] = (2 * hits[both > 0] / both[both > 0]).mean()
    low, high = np.percentile(scores, [2.5, 97.5], axis=0)
    names = ("balanced_accuracy", "macro_f1")
    return {name: [float(low[i]), float(high[i])] for i, name in enumerate(names)}
