"""Measures what training from shards costs: memory, speed, and the time to resume at a step.

    python -m benchmarks.streaming --gigabytes=0.5,2

For each size it writes synthetic shards (random 64×64 images). Then it reads them for ten epochs
and trains for one epoch, each in a process of its own whose resident memory is sampled. Examples in
memory, of the smallest size, are read for comparison. Prints a table, and writes JSON and a figure
of memory by the amount of data read. The shards are deleted at the end.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from absl import app, flags
from matplotlib.figure import Figure

from seqclf.config import resolve
from seqclf.data.pipeline import steps_per_epoch, training_batches
from seqclf.data.shards.examples import Example, Part, Source
from seqclf.data.shards.writing import write_shards
from seqclf.data.sources import load_dataset
from seqclf.experiment.figures import save_figure
from seqclf.models.classifier import build_classifier
from seqclf.storage.environment import describe_environment
from seqclf.storage.files import write_json
from seqclf.training.optimizers import build_optimizer
from seqclf.training.step import TrainStep

_GIGABYTES = flags.DEFINE_list("gigabytes", ["0.5", "2"], "Sizes of the training split, in GB.")
_SCRATCH = flags.DEFINE_string("scratch", None, "Folder for the shards; default: a temporary one.")
_OUT = flags.DEFINE_string("out", "runs/benchmarks", "Folder for the results.")
_WORKER = flags.DEFINE_string("worker", "", "Internal: task of this process.")
_SHARDS = flags.DEFINE_string("shards", "", "Internal: folder of the shards.")

SIDE = 64  # pixels: 4 KiB an example
BATCH = 128
CLASSES = 10
INTERVAL = 0.1  # seconds between samples
EPOCHS = {"read": 10, "memory": 10, "train": 1}
UNCOUNTED = 0.5  # fraction of the time in which buffers and the allocator may still fill up


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument: {argv[1]}")
    if _WORKER.value:
        work = {"resume": resume}.get(_WORKER.value, lambda folder: consume(folder, _WORKER.value))
        print(json.dumps(work(_SHARDS.value)))
        return
    sizes = sorted(map(float, _GIGABYTES.value))
    results: list[dict[str, Any]] = []
    for size in sizes:
        with tempfile.TemporaryDirectory(dir=_SCRATCH.value) as scratch:
            begun = time.perf_counter()
            count = write(size, f"{scratch}/shards")
            seconds = time.perf_counter() - begun
            print(f"wrote {size:g} GB in {seconds:.0f} s, {count / seconds:,.0f} examples/s")
            for task in ("read", "train", "resume") + ("memory",) * (size == sizes[0]):
                results.append({"gigabytes": size, "task": task} | child(task, f"{scratch}/shards"))
                print(line(results[-1]), flush=True)
    folder = Path(_OUT.value)
    folder.mkdir(parents=True, exist_ok=True)
    save_figure(figure(results), folder / "streaming_memory.png")
    content = {"environment": describe_environment(), "results": results}
    write_json(folder / "streaming.json", content)
    print(table(results))
    print(f"results in {folder / 'streaming.json'}, figure beside it")


def write(gigabytes: float, out: str) -> int:
    """Writes shards whose training split has a given size; returns its number of examples."""
    count = round(gigabytes * 1e9 / SIDE**2)
    rng = np.random.default_rng(0)

    def examples(total: int) -> Iterator[Example]:
        for i in range(total):
            pixels = np.frombuffer(rng.bytes(SIDE * SIDE), np.uint8).reshape(SIDE, SIDE)
            yield Example(pixels, i % CLASSES, f"example {i}")

    def part(total: int) -> Part:
        return Part(total, lambda: examples(total))

    names = tuple("0123456789")
    parts = {"train": part(count), "validation": part(1000), "test": part(1000)}
    write_shards(Source("random images", names, parts, False), out, shards=64)
    return count


def child(task: str, shards: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.streaming", f"--worker={task}"]
    done = subprocess.run(
        [*command, f"--shards={shards}"], check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def consume(folder: str, task: str) -> dict[str, Any]:
    """Reads or trains for some epochs; returns the speed, and samples of the memory."""
    dataset = load_dataset(f"tfrecord:{folder}")
    split = dataset.train
    if task == "memory":
        split = split.take(np.arange(len(split)))
    steps = EPOCHS[task] * steps_per_epoch(split, BATCH)
    step = _trainer(dataset.spec) if task == "train" else lambda inputs, labels: None
    batches = iter(training_batches(split, dataset.spec, BATCH, seed=0))
    step(*next(batches))  # compiles, and fills the buffers
    done, samples = [1], []  # done: what the sampler sees
    stop = threading.Event()

    def sample() -> None:
        while not stop.wait(INTERVAL):
            samples.append((done[0] * BATCH * SIDE**2 / 1e9, _resident()))

    sampler = threading.Thread(target=sample)
    sampler.start()
    begun = time.perf_counter()
    for done[0] in range(2, steps + 1):
        step(*next(batches))
    seconds = time.perf_counter() - begun
    stop.set()
    sampler.join()
    return {"examples": steps * BATCH, "per_second": steps * BATCH / seconds, "samples": samples}


def resume(folder: str) -> dict[str, Any]:
    """Returns the seconds until the first batch from four places in an epoch, by the fraction."""
    dataset = load_dataset(f"tfrecord:{folder}")
    steps = steps_per_epoch(dataset.train, BATCH)
    seconds = {}
    for fraction in (0.0, 0.25, 0.5, 0.75):
        begun = time.perf_counter()
        next(iter(training_batches(dataset.train, dataset.spec, BATCH, 0, round(fraction * steps))))
        seconds[str(fraction)] = time.perf_counter() - begun
    return {"seconds_to_first_batch": seconds}


def _trainer(spec: Any) -> Any:
    config = resolve({"data": {"source": "random"}, "model": {"units": [64]}})
    model = build_classifier(config, spec)
    optimizer = build_optimizer(config, 100_000)
    optimizer.build(model.trainable_variables)
    step = TrainStep(model, optimizer, config)
    return lambda inputs, labels: float(step(inputs, labels)[0])


def _resident() -> float:
    """Returns the resident memory of this process in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(of.split()[1]) for of in lines if of.startswith("VmRSS")) / 1024


def growth(result: dict[str, Any]) -> tuple[float, float, float]:
    """Returns the least and the most memory of the second half, MB, and its slope, MB per GB."""
    read, memory = np.array(result["samples"]).T
    late = read >= UNCOUNTED * read[-1]
    slope = np.polyfit(read[late], memory[late], 1)[0] if late.sum() > 2 else float("nan")
    return memory[late].min(), memory[late].max(), slope


def line(result: dict[str, Any]) -> str:
    name = f"{result['gigabytes']:g} GB, {result['task']}"
    if "samples" not in result:
        times = result["seconds_to_first_batch"].items()
        return f"{name}: " + ", ".join(f"{float(s):.0%}: {t:.1f} s" for s, t in times)
    least, most, slope = growth(result)
    return (
        f"{name}: {result['per_second']:,.0f} examples/s, {least:.0f} to {most:.0f} MB, "
        f"{slope:+.1f} MB per GB"
    )


def table(results: list[dict[str, Any]]) -> str:
    lines = [
        "| shards | what | examples/s | resident, MB (second half) | growth, MB per GB read |",
        "|--:|---|--:|--:|--:|",
    ]
    for result in results:
        if "samples" in result:
            least, most, slope = growth(result)
            lines.append(
                f"| {result['gigabytes']:g} GB | {result['task']} | {result['per_second']:,.0f} "
                f"| {least:.0f} – {most:.0f} | {slope:+.1f} |"
            )
    lines += ["", "| shards | seconds to the first batch at 0 % | 25 % | 50 % | 75 % of an epoch |"]
    lines += ["|--:|--:|--:|--:|--:|"]
    for result in results:
        if "seconds_to_first_batch" in result:
            cells = [f"{t:.2f}" for t in result["seconds_to_first_batch"].values()]
            lines.append(f"| {result['gigabytes']:g} GB | {' | '.join(cells)} |")
    return "\n".join(lines)


def figure(results: list[dict[str, Any]]) -> Figure:
    drawn = Figure(figsize=(6.4, 3.4), layout="constrained")
    axes = drawn.subplots()
    for result in results:
        if "samples" in result:
            read, memory = np.array(result["samples"]).T
            axes.plot(read, memory, label=f"{result['gigabytes']:g} GB, {result['task']}")
    axes.set_xlabel("read, GB")
    axes.set_ylabel("resident memory, MB")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    return drawn


if __name__ == "__main__":
    app.run(main)
