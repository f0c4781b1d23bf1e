"""Notices a column that looks like a group, such as the machine or the person of a sequence."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqclf.data.table_layout import TableLayout
from seqclf.data.tables.table import Table, is_text


def group_note(table: Table, layout: TableLayout, weight: str = "") -> list[str]:
    """Returns a note if a column of text or integers looks like a group and is not named as one.

    Such a column is constant within each sequence, and several sequences share a value. If there
    are no such columns, or `data.group` is named, there is no note. Only the first rows are looked
    at.

    Args:
        table: the table.
        layout: its columns.
        weight: the column with the weight of a sequence; "": there is none.
    """
    if layout.group or (layout.form == "long" and not layout.id):
        return []
    taken = {layout.id, layout.time, layout.label, layout.split, weight}
    if layout.form == "wide":
        taken |= set(layout.values)
        ids = np.arange(table.sample.num_rows)
    else:
        ids = _codes(table.sample.column(layout.id))
    count = len(np.unique(ids))
    alike = [
        name
        for name, kind in table.columns.items()
        if name
        and name not in taken
        and (is_text(kind) or pa.types.is_integer(kind))
        and _is_group(ids, _codes(table.sample.column(name)), count)
    ]
    if not alike:
        return []
    rows = table.sample.num_rows
    read = [name for name in alike if name in layout.values]
    note = (
        f"{', '.join(alike)}: constant within each sequence and shared by several (in the first "
        f"{rows:,} rows). If it names machines, persons or the like, set `data.group` and "
        "`data.split_by=group`, so that none of them comes into two splits"
    )
    return [note + (f"; {', '.join(read)} is read as a feature" if read else "")]


def _codes(column: pa.ChunkedArray) -> np.ndarray:
    """Returns an integer for each value, the same for the same."""
    encoded = pc.dictionary_encode(column.combine_chunks(), null_encoding="encode")
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    codes: np.ndarray = encoded.indices.to_numpy(zero_copy_only=False)
    return codes


def _is_group(ids: np.ndarray, codes: np.ndarray, count: int) -> bool:
    """Returns whether each id has one code, and there are more than one and fewer than ids."""
    values = len(np.unique(codes))
    if not 1 < values < count:
        return False
    pairs = np.unique(np.stack([ids, codes]), axis=1)
    return int(pairs.shape[1]) == count
