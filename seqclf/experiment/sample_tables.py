"""Writes a few examples as a CSV file in the layout of the training table, without labels."""

import csv
from pathlib import Path

import numpy as np

from seqclf.data.split import Split
from seqclf.data.table_layout import TableLayout
from seqclf.storage.files import replacing


def write_sample_table(path: Path, examples: Split, layout: TableLayout) -> None:
    """Writes examples as a table that `predict` reads by the layout; a missing value is empty.

    The times are the numbers of the time steps. A table without ids has one sequence.

    Args:
        path: the CSV file.
        examples: float32 x `[N, T, D]`, the raw examples.
        layout: the layout of the training table.
    """
    count = len(examples) if layout.id or layout.form == "wide" else 1
    columns = [layout.id] * bool(layout.id)
    if layout.form == "long":
        columns += [layout.time] * bool(layout.time)
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=layout.separator, lineterminator="\n")
        writer.writerow([*columns, *layout.values])
        for i in range(count):
            length = examples.x.shape[1] if examples.lengths is None else int(examples.lengths[i])
            name = [_id(examples, i)] * bool(layout.id)
            x = examples.x[i, :length]
            if layout.form == "wide":
                cells = [_cell(value, layout.decimal) for value in x[:, 0]]
                writer.writerow([*name, *cells, *[""] * (len(layout.values) - length)])
                continue
            for t, row in enumerate(x):
                time = [t] * bool(layout.time)
                writer.writerow([*name, *time, *(_cell(v, layout.decimal) for v in row)])


def _id(examples: Split, i: int) -> str:
    return str(i) if examples.ids is None else str(examples.ids[i])


def _cell(value: np.float32, decimal: str) -> str:
    """Returns the shortest text that gives the same float32."""
    return "" if np.isnan(value) else str(value).replace(".", decimal)
