"""The textbook's character language model, by seqclf, Keras and PyTorch, in one run.

    python -m benchmarks.text                    # 60 epochs each, in turns
    python -m benchmarks.text --epochs=500       # the textbook's length: perplexity near 1

Each contender has a process of its own; they take turns of a few epochs. All begin with the same
weights and see the same batches, so that those with the reset gate at the same place have the same
perplexity, to rounding. Prints a table with tokens per second and per CPU-second (medians of the
turns) and the perplexity by epoch; writes `text.json`. docs/performance.md has the results.
"""

import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from absl import app, flags

from benchmarks.only import chosen, define_only
from benchmarks.text_contenders import CONTENDERS
from seqclf.data.sources import load_dataset
from seqclf.errors import ConfigError
from seqclf.storage.environment import describe_environment
from seqclf.storage.files import write_json

FLAGS = flags.FLAGS
BATCH, STEPS, RATE, TOKENS = 32, 35, 1.0, 10_000  # the textbook's
SHOWN = (1, 10, 25, 50, 100, 200, 300, 400, 500)  # epochs whose perplexity the table has


class Contender:
    """A process that trains one contender."""

    def __init__(self, name: str, data: Path):
        command = [sys.executable, "-m", "benchmarks.text_worker", name, str(data)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.turns: list[dict[str, float]] = []
        self.losses: list[float] = []

    def train(self, epochs: int, measured: bool = True) -> None:
        """Trains for so many epochs more."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(f"{epochs}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"A contender ended with status {self._process.wait()}; see above.")
        answer = json.loads(line)
        self.losses += answer.pop("losses")
        if measured:
            self.turns.append({"epochs": epochs, **answer})

    def stop(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.wait()


def define_flags() -> None:
    """Defines the flags, when this is the command: others have flags of the same names."""
    flags.DEFINE_integer("epochs", 60, "Epochs of each contender.", lower_bound=1)
    flags.DEFINE_integer("turn", 10, "Epochs of a turn.", lower_bound=1)
    flags.DEFINE_integer("units", 256, "Width of the state.", lower_bound=1)
    define_only("contenders")
    flags.DEFINE_string("out", "runs/benchmarks", "Folder for the results.")


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument: {argv[1]}")
    try:
        names = chosen(CONTENDERS, FLAGS.only)
    except ConfigError as error:
        sys.exit(f"Error: {error}")
    batches, size = textbook_batches()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "text.npz"
        np.savez(data, tokens=batches, size=size, units=FLAGS.units, rate=RATE)
        contenders = {name: Contender(name, data) for name in names}
        try:
            take_turns(contenders)
        finally:
            for contender in contenders.values():
                contender.stop()
    results = summary(contenders, batches[:, :, 1:].size)
    out = Path(FLAGS.out)
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "text.json", {"environment": describe_environment(), "contenders": results})
    print(f"{table(results)}\nresults in {out / 'text.json'}")


def textbook_batches() -> tuple[np.ndarray, int]:
    """Returns the batches of an epoch, int32 `[steps, B, T + 1]`, and the vocabulary's size."""
    dataset = load_dataset(
        "text:timemachine", letters_only=True, line_ends="drop", max_tokens=TOKENS
    )
    tokens = dataset.train.tokens  # type: ignore[attr-defined]
    steps = (len(tokens) - 1) // (BATCH * STEPS)
    rows = np.arange(BATCH)[:, None] * steps * STEPS
    starts = np.arange(steps)[:, None, None] * STEPS + rows
    return tokens[starts + np.arange(STEPS + 1)], dataset.spec.num_classes


def take_turns(contenders: dict[str, Contender]) -> None:
    """Trains all contenders, first the epoch in which everything is compiled, then in turns."""
    for contender in contenders.values():
        contender.train(1, measured=False)
    names, done = list(contenders), 1
    while done < FLAGS.epochs:
        epochs = min(FLAGS.turn, FLAGS.epochs - done)
        for name in names:
            contenders[name].train(epochs)
            loss = contenders[name].losses[-1]
            print(f"{name}: {done + epochs} epochs, perplexity {math.exp(loss):.3f}", flush=True)
        names = [*names[1:], names[0]]
        done += epochs


def summary(contenders: dict[str, Contender], tokens: int) -> dict[str, Any]:
    """Returns the figures of each contender.

    Args:
        contenders: the contenders by name.
        tokens: number of tokens that an epoch trains on.
    """
    return {
        name: {
            "tokens_per_second": median(
                tokens * turn["epochs"] / turn["seconds"] for turn in contender.turns
            ),
            "tokens_per_cpu_second": median(
                tokens * turn["epochs"] / turn["cpu_seconds"] for turn in contender.turns
            ),
            "perplexities": [math.exp(loss) for loss in contender.losses],
        }
        for name, contender in contenders.items()
        if contender.turns
    }


def table(results: dict[str, Any]) -> str:
    """Returns a Markdown table of the results."""
    epochs = [e for e in SHOWN if all(len(r["perplexities"]) >= e for r in results.values())]
    if not results:
        return "No epoch was measured: set --epochs to 2 or more."
    first = next(iter(results.values()))
    heads = [
        "contender",
        "tokens/s",
        "×",
        "tokens/CPU-s",
        "×",
        *(f"perplexity, {e}" for e in epochs),
    ]
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|--:" * (len(heads) - 1) + "|"]
    for name, result in results.items():
        cells = [name]
        for key in ("tokens_per_second", "tokens_per_cpu_second"):
            cells += [f"{result[key]:,.0f}", f"{first[key] / result[key]:.2f}"]
        cells += [f"{result['perplexities'][e - 1]:.3f}" for e in epochs]
        lines.append("| " + " | ".join(cells) + " |")
    lines.append(f"×: how many times as fast {next(iter(results))} is")
    return "\n".join(lines)


if __name__ == "__main__":
    define_flags()
    app.run(main)
