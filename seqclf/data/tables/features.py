"""Looks at the values of features while a table is read: whether they vary, or are all missing."""

import numpy as np

from seqclf.data.tables.blocks import Block, BlockReader
from seqclf.data.tables.table import listed
from seqclf.errors import DataError


class Features:
    """The least and the largest value of each feature.

    Args:
        reader: what reads the blocks.
    """

    def __init__(self, reader: BlockReader):
        self._reader = reader
        self._least = np.full(len(reader.layout.values), np.nan, np.float32)
        self._most = self._least.copy()

    def add(self, block: Block) -> None:
        """Takes in a block."""
        assert block.least is not None and block.most is not None
        self._least = np.fmin(self._least, block.least)
        self._most = np.fmax(self._most, block.most)

    def notes(self) -> list[str]:
        """Returns a note if features are constant.

        Raises:
            DataError: a feature has no values at all.
        """
        names = np.array(self._reader.layout.values, object)
        table = self._reader.table
        if (empty := list(names[np.isnan(self._least)])) and self._reader.layout.form == "long":
            raise DataError(
                f"{table.where}: no row has a value in the column {listed(empty)}. Leave it out: "
                "`data.features` names the columns that are read."
            )
        constant = list(names[self._least == self._most])
        if not constant or self._reader.layout.form != "long":
            return []
        return [f"the same value in all rows, nothing can be learned from it: {listed(constant)}"]
