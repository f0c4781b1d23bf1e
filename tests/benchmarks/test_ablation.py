"""The ablation benchmark: what it trains, what it keeps, what it prints."""

import json
import subprocess
from pathlib import Path

import pytest
from running import python

from benchmarks.ablation import CHANGES, changed, table
from benchmarks.learners import recipe_config
from seqclf.errors import ConfigError

ROOT = Path(__file__).parents[2]


def result(variant, accuracy, step_ms=10.0):
    return {"variant": variant, "accuracy": accuracy, "loss": 0.1, "step_ms": step_ms}


def test_the_table_compares_errors_with_those_of_the_recipe():
    text = table(
        [
            result("as it is", 0.99),
            result("as it is", 0.98),
            result("other", 0.97, step_ms=20.0),
        ]
    )
    assert "| as it is | 2 | 1.50 ± 0.50 | 1.00 | 0.1000 | 1.00 |" in text
    assert "| other | 1 | 3.00 | 2.00 | 0.1000 | 2.00 |" in text


def test_without_the_recipe_itself_all_are_compared_with_all():
    assert "| other | 1 | 3.00 | 1.00 | 0.1000 | 1.00 |" in table([result("other", 0.97)])


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_goes_with_the_recipe_that_it_was_made_for(name):
    base = recipe_config("mnist_fast")
    config = changed(base, CHANGES[name])
    assert config.select == "last"
    examples = config.steps * config.examples_per_step
    if "no selection" not in name:
        assert examples >= base.steps * base.examples_per_step


def test_a_change_that_does_not_go_with_a_recipe_is_refused():
    with pytest.raises(ConfigError, match="one number for each layer but the last"):
        changed(recipe_config("mnist_pixels"), CHANGES["one layer of 128"])


@pytest.mark.slow
def test_what_was_trained_is_not_trained_again(tmp_path):
    command = [*python(), "-m", "benchmarks.ablation", "--config=configs/digits.py"]
    small = ["--config.steps=20", "--only=as it is", "--only=no clipping", f"--out={tmp_path}"]
    for seeds, lines in ((1, 2), (2, 2), (2, 0)):
        run = subprocess.run(
            [*command, *small, f"--seeds={seeds}"], cwd=ROOT, capture_output=True, text=True
        )
        assert run.returncode == 0, run.stderr
        assert sum(", seed " in line for line in run.stdout.splitlines()) == lines
    results = json.loads((tmp_path / "ablation_digits.json").read_text())
    clips = [(r["config"]["optimizer.clip_norm"], r["seed"]) for r in results]
    assert clips == [(1.0, 0), (0.0, 0), (1.0, 1), (0.0, 1)]
    assert "| no clipping | 2 |" in (tmp_path / "ablation_digits.md").read_text()
