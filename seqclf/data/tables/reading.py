"""Reads a table as a whole, for `load_dataset`: CSV and Parquet files, and data frames."""

from typing import Any

from seqclf.config import DataConfig
from seqclf.data.sequences import RawData, Sequences
from seqclf.data.table_layout import TableLayout, mark
from seqclf.data.tables.arrow_tables import FRAME, FrameTable
from seqclf.data.tables.blocks import BlockReader
from seqclf.data.tables.columns import layout_of
from seqclf.data.tables.long_form import read_long
from seqclf.data.tables.opening import open_file
from seqclf.data.tables.row_labels import doubtful_name_notes, with_step_labels
from seqclf.data.tables.table import Table
from seqclf.data.tables.wide_form import read_wide
from seqclf.errors import DataError


def csv_data(path: str, config: DataConfig) -> RawData:
    """Returns the sequences of a CSV file, for `load_dataset`."""
    return _data(open_file(path, mark(config.separator), config.decimal, "CSV"), config)


def parquet_data(path: str, config: DataConfig) -> RawData:
    """Returns the sequences of a Parquet file, for `load_dataset`."""
    return _data(open_file(path, ",", ".", "Parquet"), config)


def frame_data(frame: Any, config: DataConfig) -> RawData:
    """Returns the sequences of a data frame of pandas or polars, or of an Arrow table."""
    return _data(FrameTable(frame), config)


def read_table(
    table: Table,
    layout: TableLayout,
    labelled: bool = True,
    per_step: bool = False,
    weight: str = "",
) -> tuple[Sequences, list[str]]:
    """Returns the sequences of a table, and notes.

    Args:
        table: the table.
        layout: its columns.
        labelled: whether labels must be there, see `BlockReader`.
        per_step: whether each row has a label of its own; the labels of the sequences are then
            `[N, T]`, see `with_step_labels`.
        weight: the column with the weight of a sequence; "": there is none.

    Raises:
        DataError: a value is no number, an id is missing, …
    """
    reader = BlockReader(table, layout, labelled, per_step, weight)
    if layout.form == "wide":
        return read_wide(reader)
    sequences, notes = read_long(reader)
    return (with_step_labels(sequences, reader) if reader.per_step else sequences), notes


def _data(table: Table, config: DataConfig) -> RawData:
    layout, notes = layout_of(table, config)
    sequences, said = read_table(
        table, layout, per_step=config.label_per_step, weight=config.weight.strip()
    )
    _check_classes(sequences, table, layout)
    names = sequences.step_label_names if config.label_per_step else None
    origin = table.where if table.kind == FRAME else f"{table.kind} file {table.where}"
    return RawData(
        {"train": sequences},
        origin=f"{origin}, {layout.form} form",
        where=table.where,
        class_names=names,
        feature_names=layout.values if layout.form == "long" else (),
        table=layout,
        notes=(*notes, *said, *doubtful_name_notes(names)),
    )


def _check_classes(sequences: Sequences, table: Table, layout: TableLayout) -> None:
    labels = () if sequences.labels is None or sequences.labels.ndim == 2 else sequences.labels
    named = sequences.step_label_names or tuple(set(labels))
    if len(named) == 1:
        raise DataError(
            f"{table.where}: a classifier needs two classes or more. Received: {named[0]!r} in all "
            f"rows of the column {layout.label!r} (sequences: {len(sequences):,}). If another "
            "column has the class, name it in `data.label`."
        )
