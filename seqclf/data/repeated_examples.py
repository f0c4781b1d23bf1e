"""Finds examples of a source's own validation and test splits that are training examples too."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from seqclf.data.sequences import Sequences
from seqclf.data.values import parts


def repeated_examples(splits: Mapping[str, Sequences], names: Iterable[str]) -> tuple[str, ...]:
    """Returns a note for each of the named splits in which there are training examples.

    Examples are equal if all their valid values are; labels are not compared. Digests are compared
    in place of values. Only those of the named splits are held; the training split, which is
    larger, is read once.

    Args:
        splits: the checked examples of each split; `train` is among them.
        names: the splits that are compared with the training split.
    """
    digests = {name: list(_digests(splits[name])) for name in names}
    wanted = set().union(*digests.values())
    if not wanted:
        return ()
    known = {digest for digest in _digests(splits["train"]) if digest in wanted}
    counts = {name: sum(map(known.__contains__, found)) for name, found in digests.items()}
    return tuple(
        f"{count:,} of {len(digests[name]):,} {name} examples {'is' if count == 1 else 'are'} "
        "equal to training examples: what the model says of them tells nothing about new data"
        for name, count in counts.items()
        if count
    )


def _digests(examples: Sequences) -> Iterator[bytes]:
    """Yields a digest of the valid values of each example."""
    x, lengths = examples.x, examples.lengths
    for part in parts(x):
        rows = np.ascontiguousarray(x[part])
        if rows.dtype.kind == "f":
            rows = rows + 0  # -0 and 0 are one value, of different bytes
        ends = [rows.shape[1]] * len(rows) if lengths is None else lengths[part].tolist()
        for row, end in zip(rows, ends, strict=True):
            yield hashlib.blake2b(row[:end].data, digest_size=16).digest()
