"""Divides examples into splits: as the source says, by class or by group."""

from collections.abc import Collection, Mapping

import numpy as np

from seqclf.data.sequences import RawData, Sequences
from seqclf.errors import DataError

SPLIT_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
TRIES = 200  # random splits by group, of which the best is taken


def own_splits(raw: RawData) -> dict[str, np.ndarray | None]:
    """Returns the examples of each split that the source itself makes.

    Returns:
        For each split the indices of its examples in the part `train`, or None: the whole part of
        the split's name.

    Raises:
        DataError: a split's name is unknown, or none is called train.
    """
    train = raw.parts["train"]
    if train.splits is None:
        return dict.fromkeys(raw.parts)
    names, which = np.unique(train.splits.astype(str), return_inverse=True)
    known = [SPLIT_NAMES.get(name.strip().lower(), "") for name in names]
    if "" in known or len(set(known)) < len(known) or "train" not in known:
        raise DataError(
            f"{raw.where}: a split must be called train, validation (or val, valid, dev) or test, "
            f"and one is train. Received: {', '.join(map(repr, map(str, names)))}"
        )
    return {name: np.flatnonzero(which == i) for i, name in enumerate(known)}


def division_in_words(own: Collection[str], split_by: str, seed: int) -> str:
    """Returns how the examples of a source came into their splits.

    Args:
        own: the names of the splits that the source itself makes.
        split_by: what random splits go by, as `data.split_by` names it.
        seed: their seed.

    Example:
        >>> division_in_words(["train", "test"], "group", 0)
        'test is the source\'s own; validation is held out at random by group, seed 0'
    """
    others = ("validation", "test")
    given = [name for name in others if name in own]
    random = [name for name in others if name not in own]
    lines = []
    if given:
        lines.append(f"{' and '.join(given)} {'is' if len(given) == 1 else 'are'} the source's own")
    if random:
        verb = "is" if len(random) == 1 else "are"
        names = " and ".join(random)
        lines.append(f"{names} {verb} held out at random by {split_by}, seed {seed}")
    return "; ".join(lines)


def held_out(
    labels: np.ndarray,
    groups: np.ndarray | None,
    fractions: Mapping[str, float],
    seed: int,
    where: str,
    class_names: tuple[str, ...],
) -> dict[str, np.ndarray]:
    """Chooses at random which training examples go to other splits.

    Args:
        labels: `[N]`, the class of each example.
        groups: `[N]`, the group of each example, none of which comes into two splits; None: the
            splits keep the proportions of the classes.
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
            parts = _by_group(labels[kept], groups[kept], fraction, seed, where, later)
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
        raise DataError(
            f"{where}: too few examples to hold out a fraction of {fraction:g} with every class "
            f"in it: {len(labels)} in all, {counts[scarcest]} of class {names[scarcest]!r}. Each "
            f"class needs {least}, one for each split, and what is held out at least "
            f"{len(names)}. Supply more, or raise `data.validation` or `data.test`."
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


def _by_group(
    labels: np.ndarray, groups: np.ndarray, fraction: float, seed: int, where: str, later: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the examples that are kept and those that are held out, with no group in both.

    Of many random choices it takes the one that keeps the proportions of the classes best, among
    those that leave every class in what is kept.
    """
    from sklearn.model_selection import GroupShuffleSplit

    _, group = np.unique(groups.astype(str), return_inverse=True)
    count = int(group.max()) + 1
    if count < 2 + later:
        raise DataError(
            f"{where}: `data.split_by` 'group' needs at least {2 + later} groups, one for each "
            f"split. Received: {count}. Without groups, a column that says which split a row "
            "belongs to can divide them (`data.split`)."
        )
    size = min(max(1, round(fraction * count)), count - 1 - later)
    splitter = GroupShuffleSplit(TRIES, test_size=size, random_state=seed)
    wanted = fraction * np.bincount(labels)
    best, least = None, np.inf
    for kept, chosen in splitter.split(labels, groups=group):
        counts = np.bincount(labels[chosen], minlength=len(wanted))
        all_kept = np.isin(np.unique(labels), labels[kept]).all()
        distance = float(np.abs(counts - wanted).sum()) + len(labels) * float(
            (counts == 0)[wanted > 0].sum()
        )
        if all_kept and distance < least:
            best, least = (kept, chosen), distance
    if best is None:
        raise DataError(
            f"{where}: `data.split_by` 'group' finds no split that leaves examples of every class "
            f"to train on: of some class all examples are in one group ({count} groups). Supply "
            "more groups, or name the splits in a column (`data.split`)."
        )
    return best


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
