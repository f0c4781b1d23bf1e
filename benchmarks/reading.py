"""Measures how fast tables of sequences are read, and in how much memory, beside pandas and polars.

    python -m benchmarks.reading --rows=10_000_000

Writes one long table, sorted by id and time, as CSV and as Parquet in a temporary folder. Then
seqclf, pandas and polars read each into float32 `[N, T, D]`, padded, with the label of each
sequence; pandas and polars group by hand. Each reading has a process of its own, and the readers
take turns. A process reads a small table first, so that what importing costs is not counted. Prints
a table, and writes JSON.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from absl import app, flags

from benchmarks.worker import peak_mib, reset_peak
from seqclf.storage.environment import describe_environment
from seqclf.storage.files import write_json

_ROWS = flags.DEFINE_string("rows", "10_000_000", "Number of rows of the table.")
_STEPS = flags.DEFINE_integer("steps", 100, "Mean number of time steps of a sequence.", 1)
_FEATURES = flags.DEFINE_integer("features", 6, "Number of features.", 1)
_EVEN = flags.DEFINE_bool("even", False, "All sequences have the same number of time steps.")
_ROUNDS = flags.DEFINE_integer("rounds", 3, "Number of turns of each reader.", 1)
_SCRATCH = flags.DEFINE_string("scratch", None, "Folder for the tables; default: a temporary one.")
_OUT = flags.DEFINE_string("out", "runs/benchmarks", "Folder for the results.")
_READER = flags.DEFINE_string("reader", "", "Internal: the reader that this process measures.")
_FILE = flags.DEFINE_string("file", "", "Internal: the table that it reads.")

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]  # x [N, T, D], lengths [N], labels [N]
KINDS = ("csv", "parquet")
SMALL = 1000  # rows of the table that is read first


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument: {argv[1]}")
    if _READER.value:
        print(json.dumps(measure(_READER.value, Path(_FILE.value))))
        return
    rows = int(_ROWS.value)
    if rows < SMALL:
        raise app.UsageError(f"--rows must be {SMALL} or more. Received: {rows}")
    with tempfile.TemporaryDirectory(dir=_SCRATCH.value) as scratch:
        write(Path(scratch), rows)
        write(Path(scratch), SMALL, "small")
        results = {kind: take_turns(Path(scratch) / f"table.{kind}", rows) for kind in KINDS}
    folder = Path(_OUT.value)
    folder.mkdir(parents=True, exist_ok=True)
    content = {"environment": describe_environment(), "rows": rows, "results": results}
    write_json(folder / "reading.json", content)
    print(table(results, rows))
    print(f"results in {folder / 'reading.json'}")


def write(folder: Path, rows: int, name: str = "table") -> None:
    """Writes a long table of random values as CSV and as Parquet."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    rng = np.random.default_rng(0)
    steps = _STEPS.value
    spread = 0 if _EVEN.value else steps // 2
    lengths = rng.integers(steps - spread, steps + spread, 2 + 2 * rows // steps, endpoint=True)
    lengths = lengths[np.cumsum(lengths) <= rows]
    if short := rows - lengths.sum():
        lengths = np.append(lengths, short)
    ids = np.repeat(np.arange(len(lengths)), lengths)
    starts = np.cumsum(lengths) - lengths
    states = pa.array(["walk", "run", "rest"]).take(pa.array(ids % 3))
    columns = {"run": ids, "t": np.arange(rows) - np.repeat(starts, lengths), "state": states}
    for d in range(_FEATURES.value):
        columns[f"f{d}"] = rng.normal(size=rows).astype(np.float32)
    written = pa.table(columns)
    csv.write_csv(written, folder / f"{name}.csv")
    parquet.write_table(written, folder / f"{name}.parquet")


def take_turns(file: Path, rows: int) -> dict[str, dict[str, float]]:
    """Returns for each reader the medians of its turns."""
    turns: dict[str, list[dict[str, Any]]] = {name: [] for name in READERS}
    names = list(READERS)
    for turn in range(_ROUNDS.value):
        start = turn % len(names)
        for name in (*names[start:], *names[:start]):
            turns[name].append(child(name, file))
            print(f"{file.suffix[1:]}, {name}: {turns[name][-1]['seconds']:.2f} s", flush=True)
    digests = {name: answers[0]["digest"] for name, answers in turns.items()}
    if len(set(digests.values())) > 1:
        raise SystemExit(f"The readers differ: {digests}")
    return {name: _medians(answers, rows) for name, answers in turns.items()}


def _medians(answers: list[dict[str, Any]], rows: int) -> dict[str, float]:
    found = {
        key: median(answer[key] for answer in answers)
        for key in ("seconds", "cpu", "mib", "arrays")
    }
    return found | {"rows_per_second": rows / found["seconds"]}


def child(name: str, file: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.reading", f"--reader={name}", f"--file={file}"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def measure(name: str, file: Path) -> dict[str, Any]:
    """Reads a table; returns seconds, CPU seconds, MiB above what importing took, and a digest."""
    import zlib

    read = READERS[name]
    read(file.with_stem("small"))
    before = reset_peak()
    cpu, begun = _cpu(), time.perf_counter()
    x, lengths, labels = read(file)
    seconds, cpu = time.perf_counter() - begun, _cpu() - cpu
    peak = peak_mib() - before
    digest = zlib.crc32(x.tobytes(), zlib.crc32(lengths.astype(np.int64).tobytes()))
    digest = zlib.crc32("\n".join(map(str, labels)).encode(), digest)
    return {
        "seconds": seconds,
        "cpu": cpu,
        "mib": peak,
        "arrays": x.nbytes / 2**20,
        "digest": f"{list(x.shape)} {digest:08x}",
    }


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def read_seqclf(file: Path) -> Arrays:
    from seqclf.config import DataConfig
    from seqclf.data.tables.reading import csv_data, parquet_data

    read = csv_data if file.suffix == ".csv" else parquet_data
    part = read(str(file), DataConfig(source="table", label="state")).parts["train"]
    assert part.labels is not None
    lengths = part.lengths
    if lengths is None:
        lengths = np.full(len(part), part.x.shape[1])
    return part.x, lengths, part.labels


def read_pandas(file: Path) -> Arrays:
    import pandas as pd

    frame = pd.read_csv(file) if file.suffix == ".csv" else pd.read_parquet(file)
    frame = frame.sort_values(["run", "t"])
    groups = frame.groupby("run", sort=False)
    lengths, position = groups.size().to_numpy(), groups.cumcount().to_numpy()
    names = [name for name in frame.columns if name not in ("run", "t", "state")]
    x = np.zeros((len(lengths), lengths.max(), len(names)), np.float32)
    x[groups.ngroup().to_numpy(), position] = frame[names].to_numpy(np.float32)
    return x, lengths, groups["state"].first().to_numpy()


def read_polars(file: Path) -> Arrays:
    import polars as pl

    frame = pl.read_csv(file) if file.suffix == ".csv" else pl.read_parquet(file)
    frame = frame.sort("run", "t")
    groups = frame.group_by("run", maintain_order=True).agg(pl.len(), pl.first("state"))
    lengths = groups["len"].to_numpy().astype(np.int64)
    names = [name for name in frame.columns if name not in ("run", "t", "state")]
    x = np.zeros((len(lengths), lengths.max(), len(names)), np.float32)
    values = frame.select(pl.col(names).cast(pl.Float32)).to_numpy()
    x[np.arange(lengths.max()) < lengths[:, None]] = values
    return x, lengths, groups["state"].to_numpy()


READERS: dict[str, Callable[[Path], Arrays]] = {
    "seqclf": read_seqclf,
    "pandas": read_pandas,
    "polars": read_polars,
}


def table(results: dict[str, dict[str, dict[str, float]]], rows: int) -> str:
    """Returns the results as a table in Markdown."""
    lines = [
        f"{rows:,} rows, medians; MiB: peak above the process's memory before",
        "",
        "| file | reader | rows/s | CPU s | seconds ÷ polars | MiB | MiB ÷ arrays | MiB ÷ polars |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for kind, readers in results.items():
        polars = readers["polars"]
        for name, r in readers.items():
            lines.append(
                f"| {kind} | {name} | {r['rows_per_second']:,.0f} | {r['cpu']:.2f} "
                f"| {r['seconds'] / polars['seconds']:.2f} | {r['mib']:,.0f} "
                f"| {r['mib'] / r['arrays']:.2f} | {r['mib'] / polars['mib']:.2f} |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    app.run(main)
