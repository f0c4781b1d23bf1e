"""The progress that a command shows: of a training, and of other work that takes seconds."""

import math
import sys
import time
from typing import Any

SHOWN_OR_LEFT_OUT = ("validation_accuracy", "validation_loss")


class Progress:
    """Prints the progress of a training: a line every few seconds, and one for each validation.

    Args:
        total: number of steps of the whole training.
        first: the step after which this process goes on; 0 for a new training.
    """

    interval = 5.0  # seconds between lines
    indent = ""

    def __init__(self, total: int, first: int):
        self._total = total
        self._first = first
        self._start = 0.0  # set after the first step, which takes longer because it compiles
        self._printed = time.perf_counter()

    def step(self, state: Any) -> None:
        """Counts a finished step; prints a line if the last one is some seconds old."""
        now = time.perf_counter()
        if not self._start:
            self._start, self._first = now, state.step
        if now - self._printed >= self.interval and state.interval_examples:
            self._print(
                state.step,
                f"loss {state.interval_loss / state.interval_examples:.4f}  "
                f"accuracy {state.interval_correct / state.interval_examples:7.2%}",
            )

    def validation(self, record: dict[str, Any], best: bool) -> None:
        """Prints the numbers of a validation; those of training alone if there are no others.

        Args:
            record: the numbers, as `metrics.jsonl` has them.
            best: whether the weights are the best so far, and will be taken for it (`select`).
        """
        mark = "  *best" if best else ""
        accuracy = ""
        if "validation_accuracy" in record:
            accuracy = f"validation {record['validation_accuracy']:7.2%}"
        others = "".join(
            f"  {name.removeprefix('validation_').replace('_', ' ')} {value:.4f}"
            for name, value in record.items()
            if name.startswith("validation_") and name not in SHOWN_OR_LEFT_OUT
        )
        self._print(
            record["step"],
            f"loss {record['train_loss']:.4f}  accuracy {record['train_accuracy']:7.2%}  "
            f"{accuracy}{others}{mark}",
        )

    def _print(self, step: int, figures: str) -> None:
        self._printed = time.perf_counter()
        done = step - self._first
        left = "?"
        if done > 0:
            left = clock((self._printed - self._start) / done * (self._total - step))
        width = len(f"{self._total:,}")
        place = f"{self.indent}step {step:>{width},}/{self._total:,}"
        print(f"{place}  {figures}  left {left}", flush=True)


class Silent(Progress):
    """A training's progress that prints nothing."""

    def step(self, state: Any) -> None:
        del state

    def validation(self, record: dict[str, Any], best: bool) -> None:
        del record, best


def clock(seconds: float) -> str:
    """Returns a duration as hours, minutes and seconds: `1:02:03`, or `2:03` under an hour."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def announce(doing: str) -> None:
    """Prints to standard error what happens next, for work that takes seconds: `Loading mnist …`.

    Standard output is for results only, which another program may read.
    """
    print(f"{doing} …", file=sys.stderr, flush=True)


def announce_finished(workdir: object) -> None:
    """Prints to standard error that a run is finished, so that its old result is not taken for new.

    Args:
        workdir: its run directory.
    """
    print(
        f"The run in {workdir} is finished: nothing is trained, and the data are not read again. "
        "Here is its result. Another run directory (--workdir) trains anew.",
        file=sys.stderr,
        flush=True,
    )


class CountProgress:
    """Prints to standard error, every few seconds, how much of some work is done.

    Args:
        done: what has been done, as the first words of a line, such as `Scored`.
        unit: what is counted, in the plural.
    """

    interval = 5.0  # seconds between lines

    def __init__(self, done: str, unit: str = "examples"):
        self._words, self._unit = done, unit
        self._start = self._printed = time.perf_counter()

    def __call__(self, done: int, total: int | None) -> None:
        """Takes note of the number that is done; prints a line if the last one is seconds old.

        Args:
            done: the number that is done.
            total: the number in all; None: it is not known.
        """
        now = time.perf_counter()
        if now - self._printed < self.interval or not 0 < done < (total or math.inf):
            return
        self._printed = now
        rate = done / (now - self._start)
        if total is None:
            print(
                f"{self._words} {done:,} {self._unit}  {rate:,.0f}/s", file=sys.stderr, flush=True
            )
            return
        counts = f"{done:>{len(f'{total:,}')},}/{total:,}"
        left = clock((total - done) / rate)
        print(f"{self._words} {counts} {self._unit}  left {left}", file=sys.stderr, flush=True)
