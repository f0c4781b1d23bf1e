"""The benchmark of predictions for tables, on small ones."""

import json
import subprocess
from pathlib import Path

from running import python

ROOT = Path(__file__).parents[2]


def test_tables_are_predicted_and_measured(tmp_path):
    command = [*python(), "-m", "benchmarks.predicting", "--rows=300,2000", f"--out={tmp_path}"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    first, second = json.loads((tmp_path / "predicting.json").read_text())["results"]
    assert (first["rows"], second["rows"]) == (300, 2000)
    assert 0 < first["sequences"] < second["sequences"]
    assert first["peak_mb"] > 50 and first["seconds"] > 0
    assert "| 2,000 |" in run.stdout
