"""Finds columns of features that have no value in any row, while a table is read."""

import numpy as np

from seqclf.data.tables.blocks import Block, BlockReader
from seqclf.data.tables.table import listed
from seqclf.errors import DataError


class EmptyColumns:
    """The columns of features in which no value has been met so far.

    Args:
        reader: the reader of the blocks.
    """

    def __init__(self, reader: BlockReader):
        self._reader = reader
        self._empty = np.ones(len(reader.layout.values), bool)

    def add(self, block: Block) -> None:
        """Takes in a block."""
        assert block.least is not None
        self._empty &= np.isnan(block.least)

    def check(self) -> None:
        """Raises DataError if a column of a table to train on has no value in any row.

        A table that is to be predicted may lack all values of a feature.
        """
        if not self._reader.labelled:
            return
        empty = np.array(self._reader.layout.values, object)[self._empty]
        if len(empty):
            raise DataError(
                f"{self._reader.table.where}: no row has a value in the column "
                f"{listed(list(empty))}. Leave it out: `data.features` names the columns that are "
                "read."
            )
