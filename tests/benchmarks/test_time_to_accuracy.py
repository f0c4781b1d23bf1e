"""What the time-to-accuracy benchmark makes of its trainings."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from running import python

from benchmarks import accuracy_report, learners
from benchmarks.learner import Clocks
from benchmarks.learners import Data
from seqclf.training.optimizers import build_optimizer

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
    assert "**35.0** (25.0 – 35.0, 2 of 3) | never | never |" in table  # 98 %
    assert "97.00 % (92.00 – 98.10)" in table
    ours = next(line for line in table.splitlines() if line.startswith("| ours"))
    assert "| 0.26 |" in ours  # 9 s of 35
    assert "never" in accuracy_report.line(RESULTS["runs"][1])


def test_most_seeds_must_have_reached_it():
    few = {"runs": [{"contender": "a", "seed": i, "points": points(0.9)} for i in range(2)]}
    few["runs"].append({"contender": "a", "seed": 2, "points": points(0.99)})
    assert "| never (15.0 – 15.0, 1 of 3) |" in accuracy_report.table(few)


def test_it_writes_what_it_prints(tmp_path):
    accuracy_report.write(RESULTS, tmp_path)
    assert (tmp_path / "time_to_accuracy.md").read_text() == accuracy_report.table(RESULTS)
    assert (tmp_path / "time_to_accuracy.png").read_bytes().startswith(b"\x89PNG")


@pytest.fixture
def wait(monkeypatch):
    """Returns a function that lets so many seconds pass."""
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def let_pass(seconds):
        now[0] += seconds

    return let_pass


def test_the_clocks_stand_still_while_the_test_split_is_read(wait):
    clocks = Clocks(born=90.0)
    wait(5)
    clocks.begin()
    wait(2)
    clocks.paused(lambda: wait(50))
    wait(1)
    assert clocks.elapsed() == {"from_start": 18.0, "from_first_step": 3.0}


def test_a_pause_before_the_first_step_does_not_count_against_it(wait):
    clocks = Clocks(born=100.0)
    clocks.paused(lambda: wait(50))
    clocks.begin()
    wait(4)
    assert clocks.elapsed() == {"from_start": 4.0, "from_first_step": 4.0}


DATA = Data(
    np.random.default_rng(0).integers(0, 256, (2000, 28, 28)).astype(np.uint8),
    (np.arange(2000) % 10).astype(np.int32),
)


@pytest.mark.parametrize(
    "name",
    [
        name
        if name in ("Keras, our schedule", "seqclf, mnist_fast")
        else pytest.param(name, marks=pytest.mark.slow)
        for name in learners.LEARNERS
    ],
)
def test_every_contender_trains_and_reports(name, monkeypatch):
    if name.startswith("PyTorch"):
        pytest.importorskip("torch", reason="PyTorch is not installed: make test TORCH=1")
    recipe_config = learners.recipe_config
    monkeypatch.setattr(learners, "STEPS", 6)
    monkeypatch.setattr(learners, "WARMUP", 2)
    monkeypatch.setattr(learners, "EVERY", 3)
    monkeypatch.setattr(
        learners, "recipe_config", lambda name: recipe_config(name).changed({"steps": 6})
    )
    seen = []

    def report(step, predict):
        seen.append(step)
        classes = predict(DATA.x)
        assert classes.shape == (2000,) and set(classes) <= set(range(10))

    learners.LEARNERS[name](DATA, 0, report, lambda: seen.append("begun"))
    assert seen == ["begun", 3, 6]


def test_our_schedule_is_the_same_for_all_to_a_step_of_warm_up():
    ours = build_optimizer(learners.classic_with_our_schedule(), learners.STEPS)
    keras_rate, torch_rate = learners.keras_schedule(), learners.fraction_of_peak
    for step in (1, 50, 199, 200, 700, 1500, 2999):
        expected = float(ours._learning_rate(step))
        one_step = learners.PEAK / learners.WARMUP
        assert float(keras_rate(step)) == pytest.approx(expected, abs=1.01 * one_step)
        assert learners.PEAK * torch_rate(step) == pytest.approx(float(keras_rate(step)), abs=1e-6)


def test_a_contender_that_there_is_not_is_refused():
    command = [*python(), "-m", "benchmarks.time_to_accuracy", "--only=nonesuch"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert run.returncode in (1, 2)
    assert "`--only` must be one of Keras, classic; PyTorch, classic" in run.stderr + run.stdout
    assert "Traceback" not in run.stderr


@pytest.mark.slow
def test_seqclf_learns(tmp_path):
    """Needs MNIST: SEQCLF_MNIST_DIR or a prepared tensorflow-datasets folder."""
    command = [*python(), "-m", "benchmarks.time_to_accuracy", "--only=seqclf", "--seeds=1"]
    run = subprocess.run(
        [*command, f"--out={tmp_path}"], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    if "MNIST" in run.stderr and run.returncode:
        pytest.skip(f"MNIST cannot be had: {run.stderr}")
    assert run.returncode == 0, run.stderr
    [learned] = json.loads((tmp_path / "time_to_accuracy.json").read_text())["runs"]
    assert learned["points"][-1]["accuracy"] > 0.985
    assert learned["points"][-1]["from_first_step"] > learned["points"][0]["from_first_step"] > 0
