"""The benchmark of length buckets, on a small data set."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from running import python

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_numbers_of_buckets_are_measured_side_by_side(tmp_path):
    lengths = np.tile([3, 4, 20], 20)
    x = np.zeros((60, 20, 2), np.float32)
    x[np.arange(20) < lengths[:, None]] = np.random.default_rng(0).normal(size=(lengths.sum(), 2))
    np.savez(tmp_path / "data.npz", x=x, y=np.arange(60) % 2, lengths=lengths)
    command = [*python(), "-m", "benchmarks.length_buckets", f"--out={tmp_path}"]
    source = f"--config.data.source=npz:{tmp_path}/data.npz"
    small = ["--config.model.units=3", "--config.batch_size=4", "--config.jit_compile=false"]
    run = subprocess.run(
        [*command, source, *small, "--buckets=0,2", "--rounds=1", "--steps=1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    plain, two = json.loads((tmp_path / "length_buckets.json").read_text())["results"]
    assert plain["bounds"] == [] and two["bounds"] == [4, 20]
    assert plain["steps_per_second"] > 0 and two["steps_per_second"] > 0
    assert two["padding"][1] < two["padding"][0]
    assert "| 2 | 4, 20 |" in run.stdout
