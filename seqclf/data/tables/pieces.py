"""`Pieces`: rows that are gathered while a table is read, then put into one padded array.

Each piece is memory that goes back to the system as soon as it is dropped, which is not always so
for NumPy arrays. So the padded array can grow while the pieces go.
"""

import mmap

import numpy as np

PIECE_BYTES = 2**21


class Pieces:
    """Rows of float32 values.

    Args:
        features: the number of values of a row.
    """

    def __init__(self, features: int):
        self._features = features
        self._size = max(1, PIECE_BYTES // (4 * features))  # rows of a piece
        self._pieces: list[np.ndarray] = []
        self._filled = self._size  # rows of the last piece
        self.rows = 0

    def append(self, x: np.ndarray) -> None:
        """Appends rows, float32 `[n, D]`."""
        done = 0
        while done < len(x):
            if self._filled == self._size:
                memory = mmap.mmap(-1, 4 * self._features * self._size)
                piece = np.frombuffer(memory, np.float32)
                self._pieces.append(piece.reshape(self._size, self._features))
                self._filled = 0
            count = min(len(x) - done, self._size - self._filled)
            self._pieces[-1][self._filled : self._filled + count] = x[done : done + count]
            self._filled, done = self._filled + count, done + count
        self.rows += len(x)

    def padded(self, lengths: np.ndarray) -> np.ndarray:
        """Returns the rows as sequences, and drops the pieces.

        Args:
            lengths: `[N]`, the number of rows of each sequence; they add up to all rows.

        Returns:
            float32 `[N, T, D]`, zeros behind each sequence.
        """
        count, longest = len(lengths), int(lengths.max())
        x = np.zeros((count, longest, self._features), np.float32)
        flat = x.reshape(-1, self._features)
        ends = np.cumsum(lengths)
        even = count * longest == self.rows
        row = 0
        self._pieces.reverse()
        while self._pieces:
            piece = self._pieces.pop()
            if not self._pieces:
                piece = piece[: self._filled]
            if even:
                flat[row : row + len(piece)] = piece
            else:
                flat[_places(row, len(piece), ends, longest)] = piece
            row += len(piece)
        return x


def _places(row: int, rows: int, ends: np.ndarray, longest: int) -> np.ndarray:
    """Returns the places of consecutive rows in the padded array, `[rows]`.

    Args:
        row: the number of the first row.
        rows: how many rows there are.
        ends: `[N]`, the number of the row behind each sequence.
        longest: the number of time steps of the padded array.
    """
    first, last = np.searchsorted(ends, [row, row + rows - 1], side="right").tolist()
    own = ends[first : last + 1]
    starts = np.concatenate([ends[first - 1 : first] if first else [0], own[:-1]])
    counts = np.minimum(own, row + rows) - np.maximum(starts, row)
    shift = np.arange(first, last + 1) * longest - starts
    places: np.ndarray = np.arange(row, row + rows) + np.repeat(shift, counts)
    return places
