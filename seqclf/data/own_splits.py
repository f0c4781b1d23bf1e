"""The splits that a source itself makes."""

import numpy as np

from seqclf.data.sequences import RawData, Sequences
from seqclf.data.split_names import SPLIT_OF
from seqclf.errors import DataError


def own_splits(raw: RawData) -> dict[str, np.ndarray | None]:
    """Returns the examples of each split that the source itself makes.

    Returns:
        For each split the indices of its examples in the part `train`, in ascending order, or None:
        the whole part of the split's name.

    Raises:
        DataError: a split's name is unknown, two names are for one split, or none is called train.
    """
    train = raw.parts["train"]
    if train.splits is None:
        return dict.fromkeys(raw.parts)
    names, which = np.unique(train.splits.astype(str), return_inverse=True)
    words = [str(name).strip().lower() for name in names]  # "Train" and "train " are one name
    known = [SPLIT_OF.get(word, "") for word in words]
    received = ", ".join(map(repr, map(str, names[:10])))
    if "" in known or "train" not in known:
        raise DataError(
            f"{raw.where}: a split must be called train, validation (or val, valid, dev) or test, "
            f"and one is train. Received: {received}"
        )
    if len(set(known)) < len(set(words)):
        raise DataError(
            f"{raw.where}: one split must have one name. Received: {received}, of which two are "
            "for the same split"
        )
    split_of = np.array(known)[which]
    return {name: np.flatnonzero(split_of == name) for name in dict.fromkeys(known)}


def shared_groups(parts: dict[str, Sequences]) -> tuple[str, ...]:
    """Returns a note for each two splits of a source's own that have groups in common."""
    groups = {name: set(part.groups) for name, part in parts.items() if part.groups is not None}
    notes = []
    for first, second in (("train", "validation"), ("train", "test"), ("validation", "test")):
        shared = sorted(groups.get(first, set()) & groups.get(second, set()), key=str)
        if shared:
            shown = ", ".join(map(str, shared[:3])) + (", …" if len(shared) > 3 else "")
            one = len(shared) == 1
            notes.append(
                f"{len(shared):,} group{'' if one else 's'} {'has' if one else 'have'} examples in "
                f"both {first} and {second}: {shown}"
            )
    return tuple(notes)
