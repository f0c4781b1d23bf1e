"""Holds out examples at random, by class or by group, and divides a source into its splits."""

from collections.abc import Collection, Mapping

import numpy as np

from seqclf.data.checks import many_classes
from seqclf.data.group_splits import Groups, by_group
from seqclf.data.sequences import Sequences
from seqclf.errors import DataError


def division_in_words(
    own: Collection[str], split_by: str, seed: int, empty: Collection[str] = ()
) -> str:
    """Returns how the examples of a source came into their splits.

    Args:
        own: the names of the splits that the source itself makes.
        split_by: what random splits go by: "class", "group", "recording" or "sequence".
        seed: their seed.
        empty: the names of the splits that have no examples.

    Example:
        >>> division_in_words(["train"], "group", 0)
        'validation and test are held out at random by group, seed 0'
    """
    others = ("validation", "test")
    given = [name for name in others if name in own]
    random = [name for name in others if name not in own and name not in empty]
    lines = []
    if given:
        lines.append(f"{' and '.join(given)} {'is' if len(given) == 1 else 'are'} the source's own")
    if random:
        verb = "is" if len(random) == 1 else "are"
        names = " and ".join(random)
        lines.append(f"{names} {verb} held out at random by {split_by}, seed {seed}")
    lines += [f"there is no {name} split" for name in others if name in empty]
    return "; ".join(lines)


def held_out(
    labels: np.ndarray,
    groups: Groups | None,
    fractions: Mapping[str, float],
    seed: int,
    where: str,
    class_names: tuple[str, ...],
) -> dict[str, np.ndarray]:
    """Chooses at random which training examples go to other splits.

    Args:
        labels: `[N]`, the class of each example, or `[N, T]`, see `by_group`.
        groups: the group of each example, none of which comes into two splits; None: the splits
            keep the proportions of the classes.
        fractions: the fraction of the examples that each split gets of what the splits before it
            have left.
        seed: the seed of the choice.
        where: the beginning of messages.
        class_names: the name of each class.

    Returns:
        The indices of each split, those of `train` among them, in ascending order.

    Raises:
        DataError: there are too few examples of a class, or too few groups.
    """
    kept = np.arange(len(labels))
    splits = {}
    for i, (name, fraction) in enumerate(fractions.items()):
        later = len(fractions) - 1 - i
        if groups is None:
            parts = _by_class(labels[kept], fraction, seed, where, class_names, later)
        else:
            parts = by_group(labels[kept], groups.take(kept), fraction, seed, where, later)
        splits[name], kept = kept[np.sort(parts[1])], kept[np.sort(parts[0])]
    return {"train": kept, **splits}


def _by_class(
    labels: np.ndarray,
    fraction: float,
    seed: int,
    where: str,
    names: tuple[str, ...],
    later: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the examples that are kept and those that are held out, with every class in both.

    Args:
        labels: the class of each example.
        fraction: the fraction that is held out.
        seed: the seed of the choice.
        where: the beginning of messages.
        names: the class names.
        later: how many more splits are held out afterwards; each needs an example of every class.
    """
    from sklearn.model_selection import train_test_split

    counts = np.bincount(labels, minlength=len(names))
    least = 2 + later
    if counts.min() < least or round(fraction * len(labels)) < len(names):
        scarcest = int(counts.argmin())
        hint = many_classes(len(labels), len(names))
        raise DataError(
            f"{where}: too few examples to hold out a fraction of {fraction:g} with every class "
            f"in it: {len(labels)} in all, {counts[scarcest]} of class {names[scarcest]!r}. Each "
            f"class needs {least}, one for each split, and what is held out at least "
            f"{len(names)}. Supply more, or raise `data.validation` or `data.test`."
            + (f" There are {hint}." if hint else "")
        )
    kept, chosen = train_test_split(
        np.arange(len(labels)), test_size=fraction, stratify=labels, random_state=seed
    )
    return _with_every_class(kept, chosen, labels, 1 + later)


def _with_every_class(
    kept: np.ndarray, chosen: np.ndarray, labels: np.ndarray, least: int
) -> tuple[np.ndarray, np.ndarray]:
    """Moves examples of rare classes, which proportions alone may leave on one side.

    Args:
        kept: the indices of the examples that are kept, in random order.
        chosen: the indices of those that are held out, in random order.
        labels: the class of each example.
        least: how many examples of each class must be kept.
    """
    for y in np.unique(labels):
        if not (labels[chosen] == y).any():
            moved = kept[labels[kept] == y][:1]
            kept, chosen = np.setdiff1d(kept, moved, True), np.append(chosen, moved)
        if (lacking := least - int((labels[kept] == y).sum())) > 0:
            moved = chosen[labels[chosen] == y][:lacking]
            chosen, kept = np.setdiff1d(chosen, moved, True), np.append(kept, moved)
    return kept, chosen


def divide(part: Sequences, splits: Mapping[str, np.ndarray]) -> dict[str, Sequences]:
    """Returns the examples of each split.

    The training split takes the place of the whole array if that may be changed: then no second
    array of the size of the data is made.

    Args:
        part: all examples.
        splits: the indices of each split, in ascending order; `train` is among them.
    """
    others = {name: part.take(indices) for name, indices in splits.items() if name != "train"}
    return {"train": _compacted(part, splits["train"]), **others}


def _compacted(part: Sequences, kept: np.ndarray) -> Sequences:
    if not (part.owned and part.x.flags.writeable):
        return part.take(kept)
    x, size = part.x, 1024
    for start in range(0, len(kept), size):
        rows = kept[start : start + size]
        x[start : start + len(rows)] = x[rows]  # the rows lie at or behind the place they go to
    return part.with_rows(x[: len(kept)], kept)
