"""The benchmark of readers, on a small table: all three must give the same arrays."""

import json
import subprocess
from pathlib import Path

from running import python

ROOT = Path(__file__).parents[2]


def reading(*arguments):
    command = [*python(), "-m", "benchmarks.reading", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


def test_readers_agree_and_are_measured(tmp_path):
    run = reading("--rows=3_000", "--steps=20", "--rounds=1", f"--out={tmp_path}")
    assert run.returncode == 0, run.stderr
    results = json.loads((tmp_path / "reading.json").read_text())["results"]
    for kind in ("csv", "parquet"):
        assert set(results[kind]) == {"seqclf", "pandas", "polars"}
        for result in results[kind].values():
            assert result["seconds"] > 0 and result["cpu"] > 0 and result["arrays"] > 0
        assert f"| {kind} | seqclf |" in run.stdout


def test_too_few_rows_are_refused():
    run = reading("--rows=10")
    assert run.returncode == 1 and "--rows must be 1000 or more. Received: 10" in run.stderr
