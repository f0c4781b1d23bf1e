"""The ablation benchmark: what it trains, what it keeps, what it prints."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.ablation import CHANGES, table
from seqclf.config import SCHEMA, resolve
from seqclf.config import nest as nested

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


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_makes_a_config(name):
    assert CHANGES[name].keys() <= SCHEMA.keys()
    resolve(nested(CHANGES[name]))


@pytest.mark.slow
def test_what_was_trained_is_not_trained_again(tmp_path):
    command = [sys.executable, "-m", "benchmarks.ablation", "--config=configs/digits.py"]
    small = ["--config.steps=20", "--only=as it is,no clipping", f"--out={tmp_path}"]
    for seeds, lines in ((1, 2), (2, 2), (2, 0)):
        run = subprocess.run(
            [*command, *small, f"--seeds={seeds}"], cwd=ROOT, capture_output=True, text=True
        )
        assert run.returncode == 0, run.stderr
        assert sum(", seed " in line for line in run.stdout.splitlines()) == lines
    results = json.loads((tmp_path / "ablation_digits.json").read_text())
    assert [(r["variant"], r["seed"]) for r in results] == [
        ("as it is", 0),
        ("no clipping", 0),
        ("as it is", 1),
        ("no clipping", 1),
    ]
