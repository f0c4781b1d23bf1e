"""`all_splits`: the splits of the source, and those that are held out at random."""

from collections.abc import Mapping

import numpy as np

from seqclf.config import DataConfig
from seqclf.data.checks import check_trainable
from seqclf.data.group_splits import Groups
from seqclf.data.holding_out import divide, division_in_words, held_out
from seqclf.data.own_splits import own_splits, shared_groups
from seqclf.data.repeated_examples import repeated_examples
from seqclf.data.sequences import RawData, Sequences
from seqclf.data.step_labels import labels_that_count
from seqclf.errors import ConfigError

SEQUENCE = "sequence"


def all_splits(
    raw: RawData, config: DataConfig
) -> tuple[dict[str, Sequences], tuple[str, ...], str]:
    """Returns all three splits, notes about them, and a line that says how they were made.

    Args:
        raw: the examples, with class indices as labels. Arrays that it owns are used up.
        config: the fractions, the seed and `split_by`.

    Raises:
        DataError: a split's name is unknown, or there are too few examples, groups or recordings.
        ConfigError: the splits are to be by group, and there are no groups.
    """
    own = own_splits(raw)
    parts = dict(raw.parts)
    if (chosen := own["train"]) is not None:
        taken = {name: indices for name, indices in own.items() if indices is not None}
        parts |= divide(parts["train"], {**taken, "train": chosen})
    labels = {
        name: labels_that_count(part.labels)
        for name, part in parts.items()
        if part.labels is not None
    }
    assert raw.class_names is not None
    check_trainable(labels, raw.class_names, raw.where)
    fractions = {"test": config.test, "validation": config.validation}
    empty = {name for name, each in fractions.items() if name not in parts and not each}
    lacking = {n: each for n, each in fractions.items() if n not in parts and n not in empty}
    train = parts["train"]
    parts |= {name: train.take(np.zeros(0, np.int64)) for name in empty}
    groups = _groups(train, raw, config) if lacking else None
    division = division_in_words(own, groups.noun if groups else "class", config.split_seed, empty)
    notes: tuple[str, ...] = ()
    if lacking:
        assert train.labels is not None
        where = raw.where if raw.table else config.source
        splits = held_out(train.labels, groups, lacking, config.split_seed, where, raw.class_names)
        parts |= divide(train, splits)
        notes += _groups_note(groups, splits)
    shared = shared_groups(parts)
    if shared and lacking and config.split_by != "group":
        shared += ("set `data.split_by` to group to have each group in one random split only",)
    notes += shared
    notes += repeated_examples(parts, [name for name in ("validation", "test") if name in own])
    return parts, notes, division


def _groups_note(groups: Groups | None, splits: Mapping[str, np.ndarray]) -> tuple[str, ...]:
    if groups is None or groups.noun == SEQUENCE:
        return ()
    counts = (f"{name} {len(set(groups.values[indices])):,}" for name, indices in splits.items())
    return (f"random splits by {groups.noun}, none of which is in two: {', '.join(counts)}",)


def _groups(train: Sequences, raw: RawData, config: DataConfig) -> Groups | None:
    """Returns what must not come into two random splits: groups, or the recordings of windows."""
    if config.split_by == "group" and train.groups is not None:
        return Groups(train.groups)
    if train.recordings is not None:
        return Groups(train.recordings, "recording")
    if config.split_by == "group":
        raise ConfigError(
            f"{raw.where}: `data.split_by` 'group' needs the group of each example: name its "
            "column in `data.group` (in an .npz file: the array `groups`)."
        )
    if train.labels is not None and train.labels.ndim == 2:
        return Groups(np.arange(len(train)), SEQUENCE)  # of each the time steps stay together
    return None
