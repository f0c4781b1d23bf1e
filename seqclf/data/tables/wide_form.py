"""Reads a table of the wide form, one row for each sequence and one column for each time step."""

import re

import numpy as np

from seqclf.data.sequences import Sequences
from seqclf.data.tables.blocks import Block, BlockReader
from seqclf.data.tables.pieces import Pieces
from seqclf.data.tables.weights import weights_of
from seqclf.errors import DataError


def read_wide(reader: BlockReader) -> tuple[Sequences, list[str]]:
    """Returns the sequences of a table, in the order of its rows.

    Missing values at the end of a row make a shorter sequence.

    Raises:
        DataError: a value is no number, a row has no values, or two rows have the same id.
    """
    steps = len(reader.layout.values)
    pieces, lengths = Pieces(steps), []
    texts: dict[str, list[np.ndarray]] = {role: [] for role in reader.roles}
    for block in reader.blocks():
        assert block.x is not None
        lengths.append(lengths_of(reader, block))
        pieces.append(block.x)
        for role, values in texts_of_rows(block).items():
            texts[role].append(values)
    named = {role: np.concatenate(values) for role, values in texts.items()}
    if "id" in named:
        check_differ(reader, named["id"])
    count = np.concatenate(lengths)
    longest = int(count.max())
    x = pieces.padded(np.ones(pieces.rows, np.int64)).reshape(-1, steps, 1)
    return (
        Sequences(
            x[:, :longest],
            labels=named.get("label"),
            lengths=None if (count == longest).all() else count.astype(np.int32),
            ids=named.get("id"),
            groups=named.get("group"),
            splits=named.get("split"),
            weights=weights_of(reader, named.get("weight"), named.get("id")),
            owned=True,
        ),
        _end_note(count, steps) + order_note(reader.layout.values),
    )


def _end_note(lengths: np.ndarray, steps: int) -> list[str]:
    """Returns a note if rows end in missing values."""
    shorter = int((lengths < steps).sum())
    if not shorter:
        return []
    return [
        f"{shorter:,} of {len(lengths):,} rows end in missing values, which are read as their end"
    ]


def texts_of_rows(block: Block) -> dict[str, np.ndarray]:
    """Returns the texts of each row of a block, by role."""
    lengths = np.diff(block.starts, append=block.rows)
    return {
        role: np.repeat(texts.to_numpy(zero_copy_only=False), lengths)
        for role, texts in block.texts.items()
    }


def lengths_of(reader: BlockReader, block: Block) -> np.ndarray:
    """Returns how many time steps each row has, `[rows]`, and puts zeros behind them.

    Raises:
        DataError: a row has no values.
    """
    x = block.x
    assert x is not None
    missing = np.isnan(x)
    lengths: np.ndarray = x.shape[1] - np.argmin(missing[:, ::-1], axis=1)
    lengths[missing.all(axis=1)] = 0
    if (lengths == 0).any():
        place = reader.table.place(block.row + int((lengths == 0).argmax()))
        raise DataError(
            f"{reader.table.where}: {place}: the sequence is empty, all its time steps are "
            "missing. Leave the row out."
        )
    if (lengths < x.shape[1]).any():
        x[np.arange(x.shape[1]) >= lengths[:, None]] = 0
    return lengths


def check_differ(reader: BlockReader, ids: np.ndarray) -> None:
    """Checks that no two rows have the same id.

    Raises:
        DataError: two have.
    """
    seen: set[str] = set()
    for row, name in enumerate(ids):
        if name in seen:
            table = reader.table
            raise DataError(
                f"{table.where}: {table.place(row)}: the id {name!r} is there already. In the wide "
                "form each row is a sequence; if a row is one time step, set `data.form` to long."
            )
        seen.add(name)


def order_note(names: tuple[str, ...]) -> list[str]:
    """Returns a note if columns are numbered and their numbers do not ascend."""
    numbers = [re.search(r"(\d+)\D*$", name) for name in names]
    if not all(numbers):
        return []
    found = [int(number[1]) for number in numbers if number]
    if found == sorted(found):
        return []
    return [
        f"the numbers in the names of the columns do not ascend ({', '.join(names[:4])}, …): the "
        "time steps are read in the order of the columns"
    ]
