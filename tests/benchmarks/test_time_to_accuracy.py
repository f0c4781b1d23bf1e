"""What the time-to-accuracy benchmark makes of its trainings."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import accuracy_report
from benchmarks.learner import Clocks

ROOT = Path(__file__).parents[2]


def points(*accuracies, seconds=10.0):
    return [
        {"step": i, "from_start": i * seconds + 5, "from_first_step": i * seconds, "accuracy": a}
        for i, a in enumerate(accuracies, start=1)
    ]


RESULTS = {
    "runs": [
        {"contender": "Keras, classic", "seed": 0, "points": points(0.96, 0.975, 0.981)},
        {"contender": "Keras, classic", "seed": 1, "points": points(0.96, 0.965, 0.92)},
        {"contender": "Keras, classic", "seed": 2, "points": points(0.971, 0.98, 0.97)},
        {"contender": "ours", "seed": 0, "points": points(0.98, 0.99, seconds=2.0)},
    ]
}


def test_the_first_time_counts_and_never_is_said():
    table = accuracy_report.table(RESULTS)
    assert "**25.0** (15.0 – 25.0, 2 of 3)" in table  # 97 %: one seed never
    assert "never (25.0 – 35.0, 2 of 3) | never | never |" not in table
    assert "**35.0** (25.0 – 35.0, 2 of 3) | never | never |" in table  # 98 %
    assert "97.00 % (92.00 – 98.10)" in table
    ours = next(line for line in table.splitlines() if line.startswith("| ours"))
    assert "| 0.26 |" in ours  # 9 s of 35
    assert "never" in accuracy_report.line(RESULTS["runs"][1])


def test_most_seeds_must_have_reached_it():
    assert accuracy_report._spread([None, None, 3.0]) == "never (3.0 – 3.0, 1 of 3)"


def test_it_writes_what_it_prints(tmp_path):
    accuracy_report.write(RESULTS, tmp_path)
    assert (tmp_path / "time_to_accuracy.md").read_text() == accuracy_report.table(RESULTS)
    assert (tmp_path / "time_to_accuracy.png").read_bytes().startswith(b"\x89PNG")


def test_the_clocks_stand_still_while_the_test_split_is_read(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    clocks = Clocks(born=90.0)

    def wait(seconds):
        now[0] += seconds

    wait(5)
    clocks.begin()
    wait(2)
    clocks.paused(lambda: wait(50))
    wait(1)
    assert clocks.read() == {"from_start": 18.0, "from_first_step": 3.0}


def test_a_pause_before_the_first_step_does_not_count_against_it(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    clocks = Clocks(born=100.0)

    def wait(seconds):
        now[0] += seconds

    clocks.paused(lambda: wait(50))
    clocks.begin()
    wait(4)
    assert clocks.read() == {"from_start": 4.0, "from_first_step": 4.0}


def test_a_contender_that_there_is_not_is_refused():
    command = [sys.executable, "-m", "benchmarks.time_to_accuracy", "--only=nonesuch"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert run.returncode in (1, 2)
    assert "--only matches none of Keras, classic" in run.stderr + run.stdout
    assert "Traceback" not in run.stderr


@pytest.mark.slow
def test_seqclf_learns(tmp_path):
    """Needs MNIST: SEQCLF_MNIST_DIR or a prepared tensorflow-datasets folder."""
    command = [sys.executable, "-m", "benchmarks.time_to_accuracy", "--only=seqclf", "--seeds=1"]
    run = subprocess.run(
        [*command, f"--out={tmp_path}"], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    if "MNIST" in run.stderr and run.returncode:
        pytest.skip(f"MNIST cannot be had: {run.stderr}")
    assert run.returncode == 0, run.stderr
    [learned] = json.loads((tmp_path / "time_to_accuracy.json").read_text())["runs"]
    assert learned["points"][-1]["accuracy"] > 0.985
    assert learned["points"][-1]["from_first_step"] > learned["points"][0]["from_first_step"] > 0
