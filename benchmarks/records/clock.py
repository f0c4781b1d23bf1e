"""`Clock`: the time that a training takes, over all processes that had a part in it."""

import json
import os
import time
from pathlib import Path
from typing import Any

from seqclf.console.progress import Progress
from seqclf.storage.files import write_json

EVERY = 10.0  # seconds between two times that the clock is written down


class Clock:
    """Counts seconds and CPU seconds from the start of the process.

    The times of earlier processes are read from a file and added. After a kill what is lost are the
    seconds since the last writing, `EVERY` at most.

    Args:
        path: the file; its folder exists.
        born: when this process was started, as `time.monotonic()` gives it.
    """

    def __init__(self, path: Path, born: float):
        self._path, self._born = path, born
        self._earlier: list[list[float]] = json.loads(path.read_text()) if path.exists() else []
        self._written = born

    def write(self, if_due: bool = False) -> None:
        """Writes the times of all processes down.

        Args:
            if_due: only if the last writing is `EVERY` seconds old.
        """
        now = time.monotonic()
        if if_due and now - self._written < EVERY:
            return
        self._written = now
        # User and system time of this process and of the children that it has waited for.
        own = [now - self._born, sum(os.times()[:4])]
        write_json(self._path, [*self._earlier, own])

    def stop(self) -> dict[str, Any]:
        """Writes the times down; returns their sums and the number of processes."""
        self.write()
        wall, cpu = zip(*json.loads(self._path.read_text()), strict=True)
        return {
            "seconds": round(sum(wall), 2),
            "cpu_seconds": round(sum(cpu), 2),
            "processes": len(wall),
        }

    def progress(self, total: int, first: int) -> Progress:
        """Returns a progress that writes the clock down now and then; see `Progress`."""
        clock = self

        class Timed(Progress):
            def step(self, state: Any) -> None:
                super().step(state)
                clock.write(if_due=True)

        return Timed(total, first)
