"""What a person sees while a training runs."""

import time
from typing import Any


class Progress:
    """Prints a line every few seconds and one per validation.

    Args:
        total: steps of the whole training.
        first: the step at which this process starts.
    """

    interval = 5.0  # seconds between lines
    indent = ""

    def __init__(self, total: int, first: int):
        self._total = total
        self._first = first
        self._start = 0.0  # set after the first step, which includes compiling
        self._printed = time.perf_counter()

    def step(self, state: Any) -> None:
        """Takes note of a finished step."""
        now = time.perf_counter()
        if not self._start:
            self._start, self._first = now, state.step
        if now - self._printed >= self.interval and state.interval_examples:
            self._print(
                state.step,
                f"loss {state.interval_loss / state.interval_examples:.4f}  "
                f"accuracy {state.interval_correct / state.interval_examples:7.2%}",
            )

    def validation(self, record: dict[str, Any], state: Any) -> None:
        """Prints the figures of a validation."""
        best = "  *best" if state.best_step == state.step else ""
        self._print(
            record["step"],
            f"loss {record['train_loss']:.4f}  accuracy {record['train_accuracy']:7.2%}  "
            f"validation {record['validation_accuracy']:7.2%}{best}",
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
    """A progress that shows nothing."""

    def step(self, state: Any) -> None:
        del state

    def validation(self, record: dict[str, Any], state: Any) -> None:
        del record, state


def clock(seconds: float) -> str:
    """Returns `1:02:03` or `2:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
