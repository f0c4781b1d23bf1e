"""`weights_of`: the weights of a table's sequences, the column that `data.weight` names."""

import contextlib

import numpy as np

from seqclf.data.tables.blocks import BlockReader
from seqclf.errors import DataError


def weights_of(
    reader: BlockReader, texts: np.ndarray | None, ids: np.ndarray | None
) -> np.ndarray | None:
    """Returns the weight of each sequence, float64 `[N]`; None: the table has none.

    Args:
        reader: what has read the table.
        texts: `[N]` strings, the weights as they stand in the table.
        ids: `[N]` strings, the ids of the sequences; None: they have none.

    Raises:
        DataError: a weight is no number of 0 or more.
    """
    if texts is None:
        return None
    table = reader.table
    weights = np.full(len(texts), np.nan)
    for i, text in enumerate(texts):
        with contextlib.suppress(ValueError):
            weights[i] = float(text.replace(table.decimal, "."))
    wrong = ~((weights >= 0) & (weights < np.finfo(np.float32).max))
    if wrong.any():
        i = int(wrong.argmax())
        raise DataError(
            f"{table.where}: the column {reader.roles['weight']!r} (`data.weight`) must hold "
            f"numbers of 0 or more. Received: {texts[i]!r} of the sequence "
            f"{i if ids is None else repr(ids[i])}"
        )
    return weights
