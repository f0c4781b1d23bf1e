"""What is printed while trainings are done one after another."""

import time
from collections.abc import Mapping
from typing import Any

from seqclf.console.progress import clock


class Count:
    """Prints how many trainings are done, and how long the others will take.

    Args:
        doing: what they are for, as the lines begin.
        total: number of trainings in all.
    """

    def __init__(self, doing: str, total: int):
        self._doing, self._total, self._done, self._known = doing, total, 0, 0
        self._begun = time.monotonic()

    def known(self) -> None:
        """Counts a training that had been done before."""
        self._known += 1

    def done(self, what: str) -> None:
        """Counts a training that was done now, and prints what came of it."""
        self._done += 1
        left = self._total - self._known - self._done
        seconds = (time.monotonic() - self._begun) / self._done * left
        place = f"[{self._known + self._done}/{self._total}]"
        print(f"{place} {self._doing}, {what}  left {clock(seconds)}", flush=True)


def read_in_words(test: Mapping[str, Any]) -> str:
    """Returns the score on a test split in a few words."""
    return f"{test['accuracy']:.2%} of {test['examples']:,} test examples"
