"""The sequences of a table whose rows are in any order: a first reading finds each row's place."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from seqclf.data.tables.blocks import Block, BlockReader
from seqclf.data.tables.runs import Found, changed, duplicate

PART = 2**18  # rows that are looked at together


@dataclass(frozen=True)
class Order:
    """Where the rows of a table belong.

    Attributes:
        found: the sequences; `starts` counts the rows in their right order.
        places: `[rows]`, the place of each row in the right order.
        step_labels: `[rows]`, the label of each row, in the table's order; None: there are none.
    """

    found: Found
    places: np.ndarray
    step_labels: np.ndarray | None


@dataclass
class _Codes:
    """Numbers texts as they are met."""

    numbers: dict[str, int] = field(default_factory=dict)

    def of(self, texts: pa.StringArray) -> np.ndarray:
        encoded = texts.dictionary_encode()
        numbers = self.numbers
        own = [numbers.setdefault(t, len(numbers)) for t in encoded.dictionary.to_pylist()]
        codes: np.ndarray = np.array(own, np.int32)[encoded.indices.to_numpy()]
        return codes

    def texts(self, codes: np.ndarray) -> np.ndarray:
        texts: np.ndarray = np.array([*self.numbers, ""], object)[:-1][codes]
        return texts


def order_of(reader: BlockReader) -> Order:
    """Finds the sequences of a table, in the order in which their ids are met.

    Raises:
        DataError: two rows have the same id and time, or a label, … changes within a sequence.
    """
    names = {role: _Codes() for role in reader.roles}
    firsts: dict[str, np.ndarray] = {}
    windows = bool(reader.layout.window)
    ids, times, labels, splits = [], [], [], []
    for block in reader.blocks(values=False):
        lengths = np.diff(block.starts, append=block.rows)
        codes = {role: names[role].of(texts) for role, texts in block.texts.items()}
        id_codes = codes.pop("id", np.zeros(len(lengths), np.int32))
        if windows and "split" in codes:
            splits.append(np.repeat(codes.pop("split"), lengths))
        for role, own in codes.items():
            firsts[role] = _same(firsts.get(role), reader, role, names, id_codes, own, block)
        ids.append(np.repeat(id_codes, lengths))
        if block.times is not None:
            times.append(block.times)
        if block.step_labels is not None:
            labels.append(block.step_labels)
    codes_of_rows = np.concatenate(ids)
    del ids
    order = _sorted(codes_of_rows, _joined(times), reader, names)
    starts, sequence = _bounds(codes_of_rows, splits, order)
    texts = {role: names[role].texts(first[sequence]) for role, first in firsts.items()}
    if "id" in names:
        texts["id"] = names["id"].texts(sequence)
    if splits:
        texts["split"] = names["split"].texts(np.concatenate(splits)[order[starts]])
    places = np.empty_like(order)
    places[order] = np.arange(len(order), dtype=order.dtype)
    return Order(Found(starts, texts), places, np.concatenate(labels) if labels else None)


def _same(
    first: np.ndarray | None,
    reader: BlockReader,
    role: str,
    names: dict[str, _Codes],
    ids: np.ndarray,
    codes: np.ndarray,
    block: Block,
) -> np.ndarray:
    """Returns the first code of each id so far; all others of an id must be the same."""
    count = max(int(ids.max()) + 1, 0 if first is None else len(first))
    grown = np.full(count, -1, np.int32)
    if first is not None:
        grown[: len(first)] = first
    unknown = grown[ids] < 0
    grown[ids[unknown][::-1]] = codes[unknown][::-1]  # of several, the last one stays: the first
    wrong = grown[ids] != codes
    if wrong.any():
        i = int(wrong.argmax())
        known = list(names[role].numbers)
        name = list(names["id"].numbers)[ids[i]] if "id" in names else ""
        values = known[grown[ids[i]]], known[codes[i]]
        raise changed(reader, role, name, values, block.row + int(block.starts[i]))
    return grown


def _joined(parts: list[np.ndarray]) -> np.ndarray | None:
    """Returns arrays as one, and drops them; None if there are none."""
    if not parts:
        return None
    joined = np.concatenate(parts)
    parts.clear()
    return joined


def _sorted(
    ids: np.ndarray, times: np.ndarray | None, reader: BlockReader, names: dict[str, _Codes]
) -> np.ndarray:
    """Returns the rows in their right order, by id and time."""
    order = np.argsort(ids, kind="stable") if times is None else np.lexsort((times, ids))
    if len(order) < 2**32:
        order = order.astype(np.uint32)
    for start in range(0, len(order) if times is not None else 0, PART):
        assert times is not None
        rows = order[start : start + PART + 1]
        again = (np.diff(ids[rows]) == 0) & (np.diff(times[rows]) == 0)
        if again.any():
            row = int(rows[int(again.argmax()) + 1])
            name = list(names["id"].numbers)[ids[row]] if "id" in names else ""
            raise duplicate(reader, name, row)
    return order


def _bounds(
    ids: np.ndarray, splits: list[np.ndarray], order: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns where sequences begin in the right order, and the id of each."""
    new = np.diff(ids[order]) != 0
    if splits:
        new |= np.diff(np.concatenate(splits)[order]) != 0
    starts = np.concatenate([[0], np.flatnonzero(new) + 1])
    return starts, ids[order[starts]]
