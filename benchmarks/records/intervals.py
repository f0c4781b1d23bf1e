"""Exact intervals of an accuracy."""

from scipy.stats import binomtest


def exact_interval(correct: int, examples: int) -> tuple[float, float]:
    """Returns the exact 95 % interval of a fraction (Clopper & Pearson 1934, Biometrika 26:404).

    It says how far another test split of this size may differ, not how far another seed may.

    Args:
        correct: number of examples that were classified rightly.
        examples: number of examples.

    Returns:
        The lower and the upper end, from 0 to 1.
    """
    interval = binomtest(correct, examples).proportion_ci(0.95, method="exact")
    return float(interval.low), float(interval.high)
