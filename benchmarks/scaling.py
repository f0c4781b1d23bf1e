"""Measures what a second worker gains: processes of one core each, on the loopback address.

    python -m benchmarks.scaling                 # two layers of 128, batch of 128: ten minutes

Every process runs on a core of its own, so that two workers have twice the cores of one. All ways
take turns. The times of one process at several batch sizes give the fixed cost of a step and the
cost of an example. The times of two workers give the cost of adding up the gradients. Prints a
table of the times, and one of the times with more workers that the cost model (docs/scaling.md)
predicts; writes `scaling.json` and `scaling.md`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from absl import app, flags

from seqclf.storage.environment import describe_environment
from seqclf.storage.files import write_json, write_text

_UNITS = flags.DEFINE_integer("units", 128, "Width of both layers.", lower_bound=1)
_BATCH = flags.DEFINE_integer("batch", 128, "Examples of a step, over all workers.", lower_bound=8)
_ROUNDS = flags.DEFINE_integer("rounds", 5, "Number of turns of each way.", lower_bound=1)
_STEPS = flags.DEFINE_integer("steps", 60, "Timed steps in a turn.", lower_bound=1)
_PORT = flags.DEFINE_integer("port", 14470, "The first of two consecutive free ports.")
_OUT = flags.DEFINE_string("out", "runs/benchmarks", "Folder for the results.")

NETWORKS = {"10 Gbit/s, 50 µs": (1.25e9, 50e-6), "1 Gbit/s, 200 µs": (1.25e8, 200e-6)}


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument: {argv[1]}")
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("Error: two workers need two cores.")
    batch = _BATCH.value
    ways = {
        "1 process, 1 core": (batch, 1),
        "1 process, 1 core, half the batch": (batch // 2, 1),
        "1 process, 1 core, an eighth of it": (batch // 8, 1),
        "2 processes, 1 core each": (batch, 2),
        "2 processes, twice the batch": (2 * batch, 2),
        "1 process, 2 cores": (batch, 0),
    }
    turns: dict[str, list[float]] = {name: [] for name in ways}
    parameters = 0
    for number in range(1, _ROUNDS.value + 1):
        for name, (size, processes) in ways.items():
            result = _turn(size, processes)
            turns[name].append(median(result["ms"]))
            parameters = result["parameters"]
            print(f"[{number}/{_ROUNDS.value}] {name}: {turns[name][-1]:.1f} ms", flush=True)
    results = {
        "environment": describe_environment(),
        "batch": batch,
        "units": _UNITS.value,
        "parameters": parameters,
        "ms": turns,
    }
    text = table(results)
    write_json(Path(_OUT.value) / "scaling.json", results)
    write_text(Path(_OUT.value) / "scaling.md", text)
    print(f"\n{text}\nresults in {_OUT.value}/scaling.*")


def _turn(batch: int, processes: int) -> dict[str, Any]:
    """Runs one way once.

    Args:
        batch: examples of a step, over all processes.
        processes: number of processes, on a core each; 0: one process on all cores.

    Returns:
        `ms`, the milliseconds of each timed step, and `parameters`, the number of weights.
    """
    addresses = [f"127.0.0.1:{_PORT.value + i}" for i in range(processes)]
    cores = sorted(os.sched_getaffinity(0))
    running = []
    for index in range(max(1, processes)):
        task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
        environment.pop("TF_CONFIG", None)
        if processes > 1:
            environment["TF_CONFIG"] = json.dumps(task)
        core = cores[index] if processes else -1
        arguments = [str(n) for n in (batch, _UNITS.value, _STEPS.value, core)]
        command = [sys.executable, "-m", "benchmarks.scaling_worker", *arguments]
        running.append(
            subprocess.Popen(
                command,
                env=environment,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,  # TensorFlow's log as well
            )
        )
    outputs = [process.communicate(timeout=600)[0] for process in running]
    for process, output in zip(running, outputs, strict=True):
        if process.returncode:
            sys.exit(f"{output}\nError: a worker failed. Are --port and the next one free?")
    return json.loads([line for line in outputs[0].splitlines() if line.startswith("{")][-1])


def fitted(results: dict[str, Any]) -> dict[str, float]:
    """Returns the numbers of the cost model, in milliseconds and bytes.

    Returns:
        `fixed` and `example`: a step of one core takes fixed + example · rows (least squares over
        three batch sizes); `exchange`: time that a step of two workers takes beyond that of half a
        batch; `bytes`: size of the gradient.
    """
    ms = {name: median(times) for name, times in results["ms"].items()}
    batch = results["batch"]
    sizes = np.array([batch, batch // 2, batch // 8])
    one = "1 process, 1 core"
    times = np.array([ms[one], ms[f"{one}, half the batch"], ms[f"{one}, an eighth of it"]])
    example, fixed = np.polyfit(sizes, times, 1)
    exchange = ms["2 processes, 1 core each"] - ms[f"{one}, half the batch"]
    return {
        "fixed": float(fixed),
        "example": float(example),
        "exchange": float(exchange),
        "bytes": 4 * results["parameters"],
    }


def predicted(model: dict[str, float], batch: int, workers: int, network: tuple) -> float:
    """Returns the milliseconds of a step of W workers that pass gradients along a ring.

    Each worker sends 2 (W - 1) / W of the gradient.

    Args:
        model: numbers of the cost model, from `fitted`.
        batch: examples of a step, over all workers.
        workers: number of workers W.
        network: bandwidth in bytes per second, and latency in seconds.
    """
    bandwidth, latency = network
    passes = 2 * (workers - 1)
    travel = passes / workers * model["bytes"] / bandwidth + passes * latency
    own = model["exchange"] if workers > 1 else 0.0
    return model["fixed"] + model["example"] * batch / workers + own + 1e3 * travel


def table(results: dict[str, Any]) -> str:
    """Returns Markdown tables of the results and of the predictions."""
    ms = {name: median(times) for name, times in results["ms"].items()}
    one, batch = ms["1 process, 1 core"], results["batch"]
    lines = [
        "| | examples a step | step, ms (least – most) | examples/s | × one worker | efficiency |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name, times in results["ms"].items():
        size = {"half": batch // 2, "an e": batch // 8, "twic": 2 * batch}
        rows = size.get(name.split(", ")[-1][:4], batch)
        gain = rows / ms[name] / (batch / one)
        cores = 2 if "2" in name else 1
        lines.append(
            f"| {name} | {rows} | {ms[name]:.1f} ({min(times):.1f} – {max(times):.1f}) "
            f"| {1e3 * rows / ms[name]:,.0f} | {gain:.2f} | {gain / cores:.0%} |"
        )
    model = fitted(results)
    lines += [
        "",
        f"One core: {model['fixed']:.1f} ms + {model['example']:.3f} ms an example; adding up the "
        f"gradients of two workers on loopback: {model['exchange']:.1f} ms; gradient "
        f"{model['bytes'] / 1e6:.2f} MB.",
        "",
        "| workers, each of one core | network | the same batch: step, ms | efficiency "
        "| each the whole batch: step, ms | efficiency |",
        "|--:|---|--:|--:|--:|--:|",
    ]
    alone = model["fixed"] + model["example"] * batch
    for workers in (2, 8, 64):
        for name, network in NETWORKS.items():
            strong = predicted(model, batch, workers, network)
            weak = predicted(model, batch * workers, workers, network)
            lines.append(
                f"| {workers} | {name} | {strong:.1f} | {alone / strong / workers:.0%} "
                f"| {weak:.1f} | {alone / weak:.0%} |"
            )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    app.run(main)
