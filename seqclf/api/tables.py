"""`table_examples`: reads the sequences of a new table by the columns of the training table."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqclf.api.inputs import raw_examples
from seqclf.errors import DataError

if TYPE_CHECKING:
    from seqclf.data.dataset import Split
    from seqclf.data.spec import DatasetSpec


def table_examples(source: Any, spec: "DatasetSpec") -> "Split":
    """Returns the sequences of a table with their ids; the columns are found by their names.

    Notes about columns and recordings that are missing or left out go to standard error.

    Args:
        source: a data frame, or the path of a CSV or Parquet file.
        spec: the spec of the data that the model was trained on.

    Raises:
        DataError: the model was trained on no table, or the table cannot be read or has other
            columns.
    """
    from seqclf.data.dataset import Split
    from seqclf.data.tables.stream import open_table

    if spec.table is None:
        raise DataError(
            "A table can be classified by a model that was trained on one, which knows its "
            f"columns; this one was trained on {spec.source}. Give a list of arrays [T, D]. "
            f"Received: {_in_words(source)}"
        )
    stream = open_table(source, spec.table, labelled=False, per_step=spec.per_step)
    found = list(stream)
    for note in stream.notes_so_far:
        print(f"note: {note}", file=sys.stderr)
    split = raw_examples([each.x for each in found], None, spec)
    return Split(split.x, split.y, split.lengths, np.array([each.id for each in found], object))


def _in_words(source: Any) -> str:
    return repr(str(source)) if isinstance(source, (str, Path)) else type(source).__name__
