"""`RepeatedIds`: finds out whether ids occur more than once, in 8 bytes for each id."""

import hashlib
from array import array
from collections.abc import Iterable

import numpy as np


class RepeatedIds:
    """Counts the ids that occur more than once.

    Of each id 64 bits of a digest are kept: that two of a million ids have the same is as likely as
    1 in 30 million.
    """

    def __init__(self) -> None:
        self._digests = array("Q")

    def add(self, ids: Iterable[str]) -> None:
        """Takes note of ids."""
        for each in ids:
            digest = hashlib.blake2b(each.encode(errors="surrogatepass"), digest_size=8).digest()
            self._digests.append(int.from_bytes(digest, "little"))

    def warning(self) -> str:
        """Returns a sentence if an id occurs more than once, otherwise ""."""
        if not self._digests:
            return ""
        _, counts = np.unique(np.frombuffer(self._digests, np.uint64), return_counts=True)
        repeated = int((counts > 1).sum())
        if not repeated:
            return ""
        return (
            f"{repeated:,} of {len(counts):,} ids occur more than once; their rows can be told "
            "apart only by their order, which is that of the files."
        )
