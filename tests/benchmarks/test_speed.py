"""The benchmark command, on one small point."""

import json
import subprocess
from pathlib import Path

import pytest
from running import python

from benchmarks.contenders import CONTENDERS
from benchmarks.shape import Shape

ROOT = Path(__file__).parents[2]


def speed(*arguments):
    command = [*python(), "-m", "benchmarks.speed", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


@pytest.mark.slow
def test_it_measures_all_contenders_and_writes_what_it_prints(tmp_path):
    pytest.importorskip("torch", reason="PyTorch is not installed: make test TORCH=1")
    quick = ["--rounds=2", "--seconds=0", "--noexports"]
    run = speed("--points=4x3x8x16", *quick, f"--out={tmp_path}")
    assert run.returncode == 0, run.stderr
    results = json.loads((tmp_path / "speed.json").read_text())
    [point] = results["points"]
    for call in ("training", "inference"):
        assert set(point[call]) == set(CONTENDERS)
        for result in point[call].values():
            assert 0 < result["min_ms"] <= result["median_ms"] <= result["max_ms"]
            assert result["cpu_ms"] > 0
    table = (tmp_path / "speed.md").read_text()
    assert table.count("| 4 | 8 | 16 |") == 3  # times of all, our ways, CPU time
    assert "| 4 | 8 | 16 |" in table and table.splitlines()[2] in run.stdout
    assert (tmp_path / "speed.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("point", ["28x28", "axbxcxd", "0x1x1x1"])
def test_a_point_that_is_none_is_refused(point):
    run = speed(f"--points={point}")
    assert run.returncode in (1, 2)
    assert f"--points takes TxDxHxB, such as 28x28x100x100. Received: '{point}'" in run.stderr
    assert "Traceback" not in run.stderr


def test_the_arithmetic_of_the_flagship_step():
    shape = Shape(steps=28, features=28, units=100, batch=100)
    forward = 2 * 28 * 100 * (28 * 300 + 100 * 300 + 100 * 300 + 100 * 300)
    assert shape.flops(training=False) == forward
    assert shape.flops(training=True) == 3 * forward - 2 * 28 * 100 * 28 * 300
