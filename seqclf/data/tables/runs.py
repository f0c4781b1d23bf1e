"""`Runs`: the sequences of a table whose rows are in order, as they are met while it is read."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqclf.data.tables.blocks import Block, BlockReader
from seqclf.errors import DataError


@dataclass(frozen=True)
class Found:
    """The sequences of a table whose rows are in order.

    Attributes:
        starts: `[N]`, the row at which each begins.
        texts: by role the text of each sequence, `[N]` strings.
    """

    starts: np.ndarray
    texts: dict[str, np.ndarray]


@dataclass
class Runs:
    """Gathers where sequences begin, and whether the rows are in order.

    Attributes:
        reader: what reads the blocks.
        ordered: whether times have ascended within each sequence so far.
    """

    reader: BlockReader
    ordered: bool = True
    _starts: list[np.ndarray] = field(default_factory=list)
    _texts: dict[str, list[pa.Array]] = field(default_factory=dict)
    _last: tuple[str, float] | None = None  # id and time of the last row

    def add(self, block: Block) -> None:
        """Takes in a block.

        Raises:
            DataError: two consecutive rows have the same id and time.
        """
        self._starts.append(block.row + block.starts)
        for role, texts in block.texts.items():
            self._texts.setdefault(role, []).append(texts)
        if block.times is not None and self.ordered:
            self._check_times(block)

    def _check_times(self, block: Block) -> None:
        assert block.times is not None
        ids, times = block.texts.get("id"), block.times
        new = np.zeros(block.rows, bool)  # whether a row begins a sequence
        if ids is not None:
            new[block.starts[1:]] = _changes(ids)
        first, last = ("", "") if ids is None else (ids[0].as_py(), ids[-1].as_py())
        before = times[0] if self._last is None else self._last[1]
        new[0] = self._last is None or self._last[0] != first
        earlier = np.concatenate([[before], times[:-1]])
        same = (times == earlier) & ~new
        if same.any():
            raise twice(self.reader, block, int(same.argmax()))
        self.ordered = not ((times < earlier) & ~new).any()
        self._last = (last, times[-1])

    def found(self, rows: int) -> Found | None:
        """Returns the sequences; None: the rows of one are apart, or not in order.

        Args:
            rows: the number of rows of the table.

        Raises:
            DataError: the label, the group, the split or the weight changes within a sequence.
        """
        if not self.ordered:
            return None
        starts = np.concatenate(self._starts)
        texts = {role: pa.concat_arrays(arrays) for role, arrays in self._texts.items()}
        by = ("id", "split") if self.reader.layout.window else ("id",)
        new = np.ones(len(starts), bool)
        new[1:] = False
        for role in by:
            if role in texts:
                new[1:] |= _changes(texts[role])
        for role in texts:
            if role not in by:
                self._check_constant(role, texts, starts, new)
        kept = pa.array(np.flatnonzero(new))
        ids = texts.get("id")
        if ids is not None:
            own = ids.take(kept) if by == ("id",) else ids.take(_first_of_runs(ids))
            if len(pc.unique(own)) < len(own):
                return None
        named = {role: _objects(array.take(kept)) for role, array in texts.items()}
        return Found(starts[new], named)

    def _check_constant(
        self, role: str, texts: dict[str, pa.Array], starts: np.ndarray, new: np.ndarray
    ) -> None:
        wrong = _changes(texts[role]) & ~new[1:]
        if wrong.any():
            i = int(wrong.argmax()) + 1
            name = texts["id"][i].as_py() if "id" in texts else ""
            values = (texts[role][i - 1].as_py(), texts[role][i].as_py())
            raise changed(self.reader, role, name, values, int(starts[i]))


def changed(
    reader: BlockReader, role: str, name: str, values: tuple[str, str], row: int
) -> DataError:
    """Returns the error for a label, a group, a split or a weight that changes within a sequence.

    Args:
        reader: what has read the table.
        role: label, group, split or weight.
        name: the id of the sequence.
        values: what it was, and what it becomes.
        row: the number of the row at which it changes.
    """
    table = reader.table
    remedy = (
        "If each row is to be classified, set `data.label_per_step`; if the class of a recording "
        "changes now and then, cut it into windows (`data.window`); "
        if role == "label"
        else ""
    )
    where = "if another column" if remedy else "If another column"
    return DataError(
        f"{table.where}: {table.place(row)}: the {role} must be the same in all rows of a sequence."
        f" Received: {values[1]!r} after {values[0]!r} in {reader.roles[role]!r} of the sequence "
        f"{name!r}. {remedy}{where} tells the sequences apart, name it in `data.id`."
    )


def twice(reader: BlockReader, block: Block, i: int) -> DataError:
    """Returns the error for a row with the id and the time of the row before it.

    Args:
        reader: what has read the table.
        block: the block that holds the row.
        i: the row's number in the block.
    """
    assert block.times is not None
    name = ""
    if "id" in block.texts:
        run = int(np.searchsorted(block.starts, i, side="right")) - 1
        name = block.texts["id"][run].as_py()
    return duplicate(reader, name, block.row + i)


def duplicate(reader: BlockReader, name: str, row: int) -> DataError:
    """Returns the error for a second row with the same id and time."""
    table, layout = reader.table, reader.layout
    of = f"the sequence {name!r}" if layout.id else "the recording"
    remedy = (
        f"Leave one of them out, or name in `data.id` the column that tells {of} from others."
        if layout.id
        else "Leave one of them out, or name the column that tells recordings apart in `data.id`."
    )
    return DataError(
        f"{table.where}: {table.place(row)}: {of} has this time in {layout.time!r} already. "
        f"{remedy}"
    )


def _changes(texts: pa.StringArray) -> np.ndarray:
    """Returns for each text but the first whether it differs from the one before it."""
    different: np.ndarray = pc.not_equal(texts[1:], texts[:-1]).to_numpy(zero_copy_only=False)
    return different.astype(bool)


def _first_of_runs(texts: pa.StringArray) -> pa.Array:
    return pa.array(np.flatnonzero(np.concatenate([[True], _changes(texts)])))


def _objects(texts: pa.StringArray) -> np.ndarray:
    found: np.ndarray = texts.to_numpy(zero_copy_only=False)
    return found
