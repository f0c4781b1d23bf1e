"""Divides groups of examples at random, so that no group comes into two splits."""

from dataclasses import dataclass

import numpy as np

from seqclf.data.step_labels import NO_LABEL
from seqclf.errors import DataError

TRIES = 200  # random orders of the groups, from which the best division is taken
WORK = 20_000_000  # at most so many counts are looked at: orders × groups × classes


@dataclass(frozen=True)
class Groups:
    """The group of each example: examples of one group come into one split.

    Attributes:
        values: `[N]`, the group of each example.
        noun: what a group is called in messages: "group", "recording", or "sequence", where each
            example is a group of time steps.
    """

    values: np.ndarray
    noun: str = "group"

    def take(self, indices: np.ndarray) -> "Groups":
        """Returns the groups of the examples at `indices`."""
        return Groups(self.values[indices], self.noun)


def by_group(
    labels: np.ndarray, groups: Groups, fraction: float, seed: int, where: str, later: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the examples that are kept and those that are held out, with no group in both.

    Of many random orders of the groups, and of all places where one can be cut in two, it takes
    the one that comes nearest to the fraction of each class, and leaves every class in what is
    kept.

    Args:
        labels: `[N]`, the class of each example; or `[N, T]`, the class of each time step, in
            which case fractions are of the time steps that have a label.
        groups: the group of each example.
        fraction: the fraction of the examples that is held out.
        seed: the seed of the choice.
        where: the beginning of messages.
        later: how many more splits are held out afterwards; each needs a group.

    Raises:
        DataError: there are too few groups, or all examples of a class would be held out.
    """
    names, group = np.unique(groups.values.astype(str), return_inverse=True)
    if len(names) < 2 + later:
        raise DataError(
            f"{where}: random splits by {groups.noun} need at least {2 + later} {groups.noun}s, "
            f"one for each split. Received: {len(names)}. {_remedy(groups.noun)}"
        )
    known = labels != NO_LABEL  # [N] or [N, T]
    classes, label = np.unique(labels[known], return_inverse=True)
    counts = np.zeros((len(names), len(classes)), np.int64)  # examples of each group and class
    np.add.at(counts, (group[np.nonzero(known)[0]], label), 1)
    chosen = _best(counts, fraction, seed, later)
    if chosen is None:
        raise DataError(
            f"{where}: no random split by {groups.noun} leaves examples of every class to train "
            f"on: there are {len(names)} {groups.noun}s, and the examples of a class come from "
            f"{int((counts > 0).sum(0).min())} of them at least. {_remedy(groups.noun)}"
        )
    held_out = np.isin(group, chosen)
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def _remedy(noun: str) -> str:
    return (
        f"Supply more {noun}s, or say which split each example belongs to: in a column that "
        "`data.split` names (tables), in the array `splits` (.npz), or with `splits=` (arrays)."
    )


def _best(counts: np.ndarray, fraction: float, seed: int, later: int) -> np.ndarray | None:
    """Returns the groups that are held out, or None where no division keeps every class.

    Args:
        counts: `[G, C]`, the examples of each group and class.
        fraction: the fraction of the examples that is held out.
        seed: the seed of the random orders.
        later: the number of groups that must be left for later splits.
    """
    rng = np.random.default_rng(seed)
    sizes, total, present = len(counts) - 1 - later, counts.sum(), counts > 0
    wanted, spread = fraction * counts.sum(0), present.sum(0)
    best, least = None, np.inf
    for _ in range(max(1, min(TRIES, WORK // counts.size))):
        order = rng.permutation(len(counts))
        held = counts[order].cumsum(0)[:sizes]  # [size, C], of the first groups in this order
        kept = spread - present[order].cumsum(0)[:sizes]  # groups with the class that are left
        # A class that one side lacks weighs more than any distance from the fraction.
        lacking = (held == 0).sum(1) + (kept < np.minimum(1 + later, spread)).sum(1)
        distance = np.abs(held - wanted).sum(1) + float(total) * lacking
        distance[(kept == 0).any(1)] = np.inf
        size = int(distance.argmin())
        if distance[size] < least:
            best, least = order[: size + 1], distance[size]
    return best
