"""Measures what predictions for a table cost: time steps a second, and the peak of memory.

    python -m benchmarks.predicting --rows=10000,100000,1000000

For each number of rows (time steps) it writes a CSV file of sequences. Then
`python -m seqclf.predict --out` predicts it, with a small model that was not trained. Prints a
table and writes JSON. If memory is level, the peak does not grow with the rows.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from absl import app, flags

from seqclf.config import resolve
from seqclf.data.spec import DatasetSpec
from seqclf.data.table_layout import TableLayout
from seqclf.models.classifier import build_classifier
from seqclf.serving.export import export_model
from seqclf.storage.environment import describe_environment
from seqclf.storage.files import write_json

_ROWS = flags.DEFINE_list("rows", ["10000", "100000", "1000000"], "Numbers of rows of the tables.")
_UNITS = flags.DEFINE_integer("units", 16, "Units of the model.")
_ENDING = flags.DEFINE_enum("ending", "csv", ["csv", "parquet"], "Kind of the tables.")
_SCRATCH = flags.DEFINE_string("scratch", None, "Folder for the tables; default: a temporary one.")
_OUT = flags.DEFINE_string("out", "runs/benchmarks", "Folder for the results.")

FEATURES = ("a", "b", "c", "d")
LENGTH = 50  # mean number of time steps of a sequence
INTERVAL = 0.02  # seconds between two looks at the memory
PIECE = 1000  # sequences that are written together


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument: {argv[1]}")
    results = []
    with tempfile.TemporaryDirectory(dir=_SCRATCH.value) as scratch:
        model = export(Path(scratch))
        for rows in map(int, _ROWS.value):
            table = Path(scratch) / f"table.{_ENDING.value}"
            sequences = write_table(table, rows)
            results.append({"rows": rows, "sequences": sequences} | predict(model, table))
            print(line(results[-1]), flush=True)
    folder = Path(_OUT.value)
    folder.mkdir(parents=True, exist_ok=True)
    content = {"environment": describe_environment(), "units": _UNITS.value, "results": results}
    write_json(folder / "predicting.json", content)
    print("\n".join(["", HEAD, *map(line, results)]))
    print(f"results in {folder / 'predicting.json'}")


def export(scratch: Path) -> Path:
    """Exports a model that was not trained, of sequences of varying lengths."""
    spec = DatasetSpec(
        "csv:random",
        "rows",
        (2 * LENGTH, len(FEATURES)),
        "float32",
        ("one", "other"),
        variable_length=True,
        feature_names=FEATURES,
        table=TableLayout("long", id="id", time="t", label="class", values=FEATURES),
    )
    config = resolve({"data": {"source": "random"}, "model": {"units": [_UNITS.value]}})
    return export_model(build_classifier(config, spec), spec, scratch / "export", {}).parent


def write_table(path: Path, rows: int) -> int:
    """Writes a table of random sequences, with labels; returns the number of sequences."""
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    rng = np.random.default_rng(0)
    kinds = {".csv": pyarrow.csv.CSVWriter, ".parquet": pyarrow.parquet.ParquetWriter}
    schema = pa.schema(
        [("id", pa.string()), ("t", pa.int32()), ("class", pa.string())]
        + [(name, pa.float32()) for name in FEATURES]
    )
    written = sequences = 0
    with kinds[path.suffix](path, schema) as writer:
        while written < rows:
            lengths = rng.integers(1, 2 * LENGTH, PIECE)
            lengths = lengths[np.cumsum(lengths) <= rows - written]
            if not len(lengths):
                lengths = np.array([rows - written])
            numbers = np.repeat(np.arange(sequences, sequences + len(lengths)), lengths)
            steps = np.concatenate([np.arange(n) for n in lengths])
            columns = [
                pa.array([f"s{i}" for i in numbers]),
                pa.array(steps, pa.int32()),
                pa.array(np.array(["one", "other"], object)[numbers % 2]),
                *(pa.array(rng.normal(size=len(steps)).astype("float32")) for _ in FEATURES),
            ]
            writer.write_table(pa.table(columns, schema=schema))
            written, sequences = written + len(steps), sequences + len(lengths)
    return sequences


def predict(model: Path, table: Path) -> dict[str, Any]:
    """Runs the command; returns its seconds, and the peak of its resident memory in MB."""
    out = table.with_name("scores.csv")
    command = [sys.executable, "-m", "seqclf.predict", f"--model={model}", str(table)]
    begun = time.perf_counter()
    process = subprocess.Popen(
        [*command, f"--out={out}", "--overwrite"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, high_water(process.pid))
        time.sleep(INTERVAL)
    seconds = time.perf_counter() - begun
    if process.returncode:
        raise SystemExit(f"error: {' '.join(command)} ended with status {process.returncode}")
    return {"seconds": seconds, "peak_mb": peak}


def high_water(process: int) -> float:
    """Returns the largest resident memory that a process has had so far in MB; 0: it has ended."""
    # What getrusage says of a child counts the memory of its parent before the start, too.
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next((int(of.split()[1]) / 1024 for of in lines if of.startswith("VmHWM")), 0.0)


HEAD = "| rows | sequences | seconds | rows/s | peak, MB |\n|--:|--:|--:|--:|--:|"


def line(result: dict[str, Any]) -> str:
    """Returns a result as a row of the table."""
    return (
        f"| {result['rows']:,} | {result['sequences']:,} | {result['seconds']:.1f} "
        f"| {result['rows'] / result['seconds']:,.0f} | {result['peak_mb']:.0f} |"
    )


if __name__ == "__main__":
    app.run(main)
