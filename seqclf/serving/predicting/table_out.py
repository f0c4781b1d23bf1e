"""`PredictionTable`: writes predictions as a CSV or Parquet file, one row for each example.

Of a model that classifies time steps, it is one row for each time step.
"""

from collections.abc import Iterable, Sequence
from typing import IO, Any

import numpy as np
import pyarrow as pa

from seqclf.serving.predicting.rows import Rows

ROW_GROUP = 2**16  # rows that are written together; they are held in memory until then


class PredictionTable:
    """Writes one row for each example, or for each time step.

    The columns are `id`, of time steps also `step` (counted from 0 in each sequence), `class`,
    `probability` (of that class), `p_CLASS` for each class, and, if there may be labels, `label`
    and `correct`. `correct` is empty where the label is missing or no class of the model.

    Args:
        file: the file that is written to.
        ending: `.csv` or `.parquet`.
        names: the class names, by index.
        labelled: whether there may be labels.
        per_step: whether rows are time steps.
    """

    def __init__(
        self,
        file: IO[bytes],
        ending: str,
        names: Sequence[str],
        labelled: bool,
        per_step: bool = False,
    ):
        import pyarrow.csv
        import pyarrow.parquet

        self._names = tuple(names)
        self._labelled = labelled
        fields = [("id", pa.string()), *[("step", pa.int64())] * per_step]
        fields += [("class", pa.string()), ("probability", pa.float32())]
        fields += [(name, pa.float32()) for name in probability_columns(names)]
        fields += [("label", pa.string()), ("correct", pa.bool_())] if labelled else []
        self._schema = pa.schema(fields)
        kinds = {".csv": pyarrow.csv.CSVWriter, ".parquet": pyarrow.parquet.ParquetWriter}
        self._writer: Any = kinds[ending](file, self._schema)
        self._held: list[pa.RecordBatch] = []
        self._held_rows = 0
        self.rows = 0

    def write(self, rows: Rows) -> None:
        """Appends predictions."""
        index = rows.index
        columns: list[Any] = [
            rows.ids,
            *([] if rows.steps is None else [rows.steps]),
            [self._names[i] for i in index],
            rows.probabilities[np.arange(len(index)), index],
            *np.ascontiguousarray(rows.probabilities.T),
        ]
        if self._labelled:
            columns += [rows.labels, self._correct(rows.labels, index)]
        arrays = [
            pa.array(column, field.type)
            for column, field in zip(columns, self._schema, strict=True)
        ]
        self._held.append(pa.record_batch(arrays, schema=self._schema))
        self.rows += len(index)
        self._held_rows += len(index)
        if self._held_rows >= ROW_GROUP:
            self._flush()

    def close(self) -> None:
        """Writes what is left."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._held:
            self._writer.write_table(pa.Table.from_batches(self._held).combine_chunks())
        self._held, self._held_rows = [], 0

    def _correct(self, labels: Iterable[str | None], index: np.ndarray) -> list[bool | None]:
        return [
            label == self._names[i] if label in self._names else None
            for label, i in zip(labels, index, strict=True)
        ]


def probability_columns(names: Sequence[str]) -> list[str]:
    """Returns the name of the column with the probability of each class, each different.

    Args:
        names: the class names, by index.

    Example:
        >>> probability_columns(["calm", "busy"])
        ['p_calm', 'p_busy']
    """
    columns: list[str] = []
    for name in names:
        column, number = f"p_{name}", 2
        while column in columns:
            column, number = f"p_{name}_{number}", number + 1
        columns.append(column)
    return columns
