"""Runs one training of `benchmarks.time_to_accuracy` in a process of its own.

    python -m benchmarks.learner NAME SEED DATA.npz BORN

BORN is the time (`time.monotonic()`) at which the process was started. Prints a JSON line with the
accuracy and the time at some steps. The clocks stand still while the test images are read.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np


class Clocks:
    """Clocks that count from the start of the process and from the end of the first step.

    Args:
        born: time at which the process was started, as `time.monotonic()` gives it.
    """

    def __init__(self, born: float):
        self._born = born
        self._first: float | None = None
        self._paused = 0.0

    def begin(self) -> None:
        """Starts the clock that counts from the end of the first step."""
        self._first = time.monotonic() - self._paused

    def elapsed(self) -> dict[str, float]:
        """Returns the seconds of both clocks."""
        now = time.monotonic() - self._paused
        return {"from_start": now - self._born, "from_first_step": now - (self._first or now)}

    def paused(self, call: Callable[[], Any]) -> Any:
        """Calls a function while the clocks stand still; returns its result."""
        before = time.monotonic()
        result = call()
        self._paused += time.monotonic() - before
        return result


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")  # whatever else prints goes to standard error
    os.dup2(2, 1)
    name, seed, path, born = sys.argv[1:]
    from benchmarks.learners import LEARNERS, Data

    clocks = Clocks(float(born))
    with np.load(path) as arrays:
        train, test = (Data(arrays[f"{s}_x"], arrays[f"{s}_y"]) for s in ("train", "test"))
    points = []

    def report(step: int, predict: Callable[[np.ndarray], np.ndarray]) -> None:
        reached = clocks.elapsed()
        accuracy = clocks.paused(lambda: float((predict(test.x) == test.y).mean()))
        points.append({"step": step, **reached, "accuracy": accuracy})

    LEARNERS[name](train, int(seed), report, clocks.begin)
    print(json.dumps(points), file=answers, flush=True)


if __name__ == "__main__":
    main()
