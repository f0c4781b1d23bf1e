"""Comparisons of cells on text, and on labels of time steps."""

import json

import numpy as np
import pytest
from tiny_sources import SMALL, sources

from seqclf import load_dataset
from seqclf.comparison.report import write_report
from seqclf.comparison.trainings import run_comparison
from seqclf.config import resolve
from seqclf.errors import ConfigError

CHOSEN = {**SMALL, "select": "last"}


@pytest.mark.parametrize("kind", ["text", "steps"])
def test_cells_are_compared(tmp_path, kind):
    data = sources(tmp_path)[kind]
    config, dataset = resolve({**CHOSEN, "data": data}), load_dataset(**data)
    folder = tmp_path / "c"
    outcomes = run_comparison(config, dataset, folder, ["gru", "rnn"], 1, ["width"])
    write_report(config, dataset, outcomes, folder)
    text = (folder / "report.md").read_text()
    assert "gradient_flow" not in text and (folder / "figures/curves.png").is_file()
    assert ("windows of 5 characters" if kind == "text" else "5 steps of 2 features") in text
    for outcome in outcomes:
        report = json.loads((outcome.run / "report.json").read_text())
        assert outcome.loss == report["test"]["loss"] and np.isfinite(outcome.loss)
        shape = dataset.spec.num_classes, outcome.variant.units[0]
        assert outcome.variant.parameters == parameters_of(outcome.variant.cell, *shape, kind)


def parameters_of(cell, classes, units, kind):
    """Counts the weights by hand: input, state and biases of each gate, and the head."""
    inputs = classes if kind == "text" else 2
    gates, biases = {"gru": (3, 2), "rnn": (1, 1)}[cell]
    return gates * units * (inputs + units + biases) + classes * (units + 1)


def test_what_text_cannot_have_is_refused_before_the_first_training(tmp_path):
    data = sources(tmp_path)["text"]
    config = resolve({**CHOSEN, "data": data, "model": {"units": [4], "bidirectional": True}})
    with pytest.raises(ConfigError, match="bidirectional"):
        run_comparison(config, load_dataset(**data), tmp_path / "c", ["gru"], 1)
    assert not (tmp_path / "c").exists()
