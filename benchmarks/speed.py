"""Measures how fast the GRU is in training and inference, beside Keras and PyTorch.

    python -m benchmarks.speed                          # the whole grid: an hour or more
    python -m benchmarks.speed --points=28x28x100x100   # one point: T × D × H × B

At each point every contender runs in a process of its own, and the processes take turns. The
medians over the turns are compared: seqclf's training step, the same without the native operations
("seqclf xla"), and our layer in Keras's place, as `keras.Model.fit` runs it ("seqclf layer").
Prints tables and writes `speed.json`, `speed.md` and `speed.png`.
"""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from absl import app, flags

from benchmarks import exported, peak, speed_report
from benchmarks.contenders import CONTENDERS
from benchmarks.shape import Shape
from seqclf.storage.environment import describe_environment

_POINTS = flags.DEFINE_list(
    "points", [], "Points as TxDxHxB; empty: 28x28x100x100 and then the grid."
)
_OUT = flags.DEFINE_string("out", "runs/benchmarks", "Folder for the results.")
_ROUNDS = flags.DEFINE_integer("rounds", 7, "Number of turns of each contender.", lower_bound=1)
_SECONDS = flags.DEFINE_float("seconds", 0.3, "Approximate seconds of a turn.", lower_bound=0.0)
_EXPORTS = flags.DEFINE_bool("exports", True, "Measure exported models as well.")

NAMES = tuple(CONTENDERS)
STEPS = (28, 112, 784)
UNITS = (64, 128, 256)
BATCHES = (1, 32, 128, 512)
CALLS = speed_report.CALLS
SLOW = 2.0  # seconds; calls that take longer are called once a turn, for three turns


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument: {argv[1]}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    points = [_point(text) for text in _POINTS.value] or grid()
    best = peak.best_gflops()
    results: dict[str, Any] = {
        "environment": describe_environment(),
        "torch": _torch_version(),
        "best_matrix_product_gflops": best,
        "points": [],
        "exports": [],
    }
    native = results["environment"]["hardware"]["native_operations"]
    print(f"best matrix product: {best:.0f} GFLOP/s; native operations: {native}", flush=True)
    start = time.monotonic()
    for i, shape in enumerate(points, start=1):
        results["points"].append(_measure(shape))
        speed_report.write(results, Path(_OUT.value))  # what is there survives an interruption
        minutes = (time.monotonic() - start) / 60
        print(f"[{i}/{len(points)}, {minutes:.0f} min] ", end="")
        print(speed_report.line(results["points"][-1]), flush=True)
    if _EXPORTS.value:
        results["exports"] = exported.measure(_ROUNDS.value)
        speed_report.write(results, Path(_OUT.value))
    for text in (speed_report.machine, speed_report.table, speed_report.summary):
        print("\n" + text(results))
    print(f"Written to {_OUT.value}: speed.json, speed.md, speed.png")


def grid() -> list[Shape]:
    """Returns the headline point, followed by the points of the grid."""
    return [Shape(28, 28, 100, 100)] + [
        Shape(steps, 28, units, batch)
        for steps, units, batch in itertools.product(STEPS, UNITS, BATCHES)
    ]


def _measure(shape: Shape) -> dict[str, Any]:
    """Measures one point: the contenders take turns, or run one by one if memory is short."""
    result: dict[str, Any] = {"shape": shape._asdict(), "flops": {}, "interleaved": True}
    for call in CALLS:
        result["flops"][call] = shape.flops(call == "training")
    try:
        return result | _take_turns(shape, NAMES)
    except _StoppedError as error:
        print(f"{error}; measuring the contenders of this point one by one.", flush=True)
    result["interleaved"] = False
    measured = [_take_turns(shape, (name,)) for name in NAMES]
    return result | {call: {k: v for m in measured for k, v in m[call].items()} for call in CALLS}


def _take_turns(shape: Shape, names: tuple[str, ...]) -> dict[str, Any]:
    """Returns the times of one point by call and contender.

    Raises:
        _StoppedError: a process was killed, as the system does when memory runs out.
    """
    workers = {name: _Worker(name, shape) for name in names}
    try:
        return {call: _time(call, workers) for call in CALLS}
    finally:
        for worker in workers.values():
            worker.close()


def _time(call: str, workers: dict[str, "_Worker"]) -> dict[str, dict[str, float]]:
    first = {name: worker(call, 1)["seconds"] for name, worker in workers.items()}
    slow = max(first.values()) > 4 * SLOW
    guess = {name: 1 if slow else w(call, 1)["seconds"] for name, w in workers.items()}
    slow = slow or max(guess.values()) > SLOW
    names = list(workers)
    times: dict[str, list[float]] = {name: [] for name in names}
    cpu: dict[str, list[float]] = {name: [] for name in names}
    mib: dict[str, float] = {}
    for turn in range(min(3, _ROUNDS.value) if slow else _ROUNDS.value):
        start = turn % len(names)
        for name in (*names[start:], *names[:start]):
            repeats = 1 if slow else max(1, round(_SECONDS.value / guess[name]))
            answer = workers[name](call, repeats)
            times[name].append(answer["seconds"])
            cpu[name].append(answer["cpu_seconds"])
            mib[name] = answer["mib"]  # of the peak: it only grows
    return {
        name: {
            "first_s": first[name],
            "median_ms": median(seconds) * 1e3,
            "min_ms": min(seconds) * 1e3,
            "max_ms": max(seconds) * 1e3,
            "cpu_ms": median(cpu[name]) * 1e3,
            "peak_mib": mib[name],
        }
        for name, seconds in times.items()
    }


class _StoppedError(Exception):
    """The process of a contender was killed."""


class _Worker:
    """A process that runs one contender."""

    def __init__(self, name: str, shape: Shape):
        command = [sys.executable, "-m", "benchmarks.worker", name, *map(str, shape)]
        self._name = name
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, call: str, times: int) -> dict[str, float]:
        assert self._process.stdin and self._process.stdout and self._process.stderr
        try:
            print(json.dumps({"call": call, "times": times}), file=self._process.stdin, flush=True)
            return json.loads(self._process.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError):
            self._process.wait(10)
            tail = self._process.stderr.read()[-2000:]
            if self._process.wait() != -signal.SIGKILL:
                raise SystemExit(f"The contender {self._name!r} stopped:\n{tail}") from None
            raise _StoppedError(f"{self._name} was killed, probably for its memory") from None

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def _point(text: str) -> Shape:
    try:
        numbers = [int(number) for number in text.split("x")]
        if len(numbers) != 4 or min(numbers) < 1:
            raise ValueError
    except ValueError:
        raise app.UsageError(
            f"--points takes TxDxHxB, such as 28x28x100x100. Received: {text!r}"
        ) from None
    return Shape(*numbers)


def _torch_version() -> str:
    try:
        import torch
    except ModuleNotFoundError:
        raise SystemExit(
            "PyTorch is not installed: pip install -e '.[bench]', or make test"
        ) from None
    return torch.__version__


if __name__ == "__main__":
    app.run(main)
