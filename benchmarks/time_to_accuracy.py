"""Measures how soon MNIST, read row by row, is learned: seqclf beside Keras and PyTorch.

    python -m benchmarks.time_to_accuracy               # five seeds: an hour on 2 cores
    python -m benchmarks.time_to_accuracy --seeds=1

Every training runs in a process of its own, one after another; the contenders take turns. Two
times are measured: from the start of the process, with imports, data and compilation, and from the
end of the first step. The clocks stand still while the test split is scored. Prints a table, writes
`time_to_accuracy.json`, `.md` and `.png`.

"Classic" means two layers of 100, batches of 100, and 3,000 steps of Adam at a constant 0.01. "Our
schedule" means the same with warm-up, cosine decay from 0.005 and clipping; there seqclf gains by
the speed of its layer alone. `mnist_fast` is another recipe, with a shorter schedule, which learns
from the hardest examples alone. The test split is scored on the way because the question is the
time to a *test* accuracy; no choice is made by it.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from absl import app, flags

from benchmarks import accuracy_report
from benchmarks.learners import LEARNERS
from benchmarks.only import chosen, define_only
from seqclf.data.dataset import Split
from seqclf.data.sources import load_dataset
from seqclf.errors import SeqclfError
from seqclf.storage.environment import describe_environment

_SEEDS = flags.DEFINE_integer("seeds", 5, "Trainings of each contender.", lower_bound=1)
_ONLY = define_only("contenders")
_OUT = flags.DEFINE_string("out", "runs/benchmarks", "Folder for the results.")


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument: {argv[1]}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        names = chosen(LEARNERS, _ONLY.value)
        dataset = load_dataset("mnist")
    except SeqclfError as error:
        sys.exit(f"Error: {error}")
    results: dict[str, Any] = {"environment": describe_environment(), "runs": []}
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "mnist.npz"
        arrays: dict[str, np.ndarray] = {}
        for name, split in dataset.splits():
            assert isinstance(split, Split)
            arrays |= {f"{name}_x": split.x, f"{name}_y": split.y}
        np.savez(data, allow_pickle=False, **arrays)
        total = _SEEDS.value * len(names)
        for seed in range(_SEEDS.value):
            for name in names:
                points = _learn(name, seed, data)
                results["runs"].append({"contender": name, "seed": seed, "points": points})
                accuracy_report.write(results, Path(_OUT.value))  # survives an interruption
                done = len(results["runs"])
                left = (time.monotonic() - begun) / done * (total - done)
                print(
                    f"[{done}/{total}] {accuracy_report.line(results['runs'][-1])}"
                    f"   ({left / 60:.0f} min left)",
                    flush=True,
                )
    print(f"\n{accuracy_report.table(results)}\nresults in {_OUT.value}/time_to_accuracy.*")


def _learn(name: str, seed: int, data: Path) -> list[dict[str, float]]:
    command = [sys.executable, "-m", "benchmarks.learner", name, str(seed), str(data)]
    done = subprocess.run([*command, repr(time.monotonic())], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stderr}")
    return json.loads(done.stdout)


if __name__ == "__main__":
    app.run(main)
