"""What a person sees while shards are written."""

import time

from seqclf.console.progress import clock


class ShardProgress:
    """Prints a line for each split every few seconds: examples, rate, time left."""

    interval = 5.0  # seconds between lines

    def __init__(self) -> None:
        self._split = ""
        self._start = self._printed = 0.0

    def __call__(self, split: str, done: int, total: int) -> None:
        """Takes note of a written example."""
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
