"""The progress that a person sees while shards are written."""

import time

from seqclf.console.progress import clock


class ShardProgress:
    """Prints a line every few seconds: the split, examples written, rate, time left."""

    interval = 5.0  # seconds between lines

    def __init__(self) -> None:
        self._split = ""
        self._start = self._printed = 0.0

    def __call__(self, split: str, done: int, total: int) -> None:
        """Records that an example was written, and prints a line if one is due.

        Args:
            split: the split that is being written.
            done: the number of its examples that are written.
            total: the number of its examples in all.
        """
        now = time.perf_counter()
        if split != self._split:
            self._split, self._start, self._printed = split, now, now
        if now - self._printed < self.interval and done < total:
            return
        self._printed = now
        rate = done / max(now - self._start, 1e-9)
        left = clock((total - done) / rate)
        width = len(f"{total:,}")
        print(f"{split:10} {done:>{width},}/{total:,}  {rate:,.0f}/s  left {left}", flush=True)
