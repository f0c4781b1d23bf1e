"""Each recurrent cell through the whole path: train, resume, tune, export, trace."""

import numpy as np
import pytest
import tensorflow as tf
from resuming import assert_a_stop_changes_no_bit

from seqclf import build_classifier, load_dataset
from seqclf.config import resolve
from seqclf.config.search_space import Choice, SearchSpace
from seqclf.data.normalization import as_sequences
from seqclf.errors import ConfigError
from seqclf.experiment.run import run_experiment
from seqclf.models.loading import load_trained
from seqclf.serving.predictor import Predictor
from seqclf.storage.run_directory import Run
from seqclf.tuner.search import SearchOptions, run_search

OTHERS = ["lstm", "rnn", "mgu"]  # the GRU's path is what all other tests are about
SMALL = {
    "data": {"source": "digits"},
    "batch_size": 64,
    "steps": 40,
    "validate_every": 20,
    "checkpoint_every": 10,
    "select": "last",
    "optimizer": {"learning_rate": 0.01, "warmup_steps": 5},
}


def config(cell, **model):
    return resolve({**SMALL, "name": cell, "model": {"cell": cell, "units": [16, 12]} | model})


@pytest.mark.parametrize(
    "cell", ["lstm", *(pytest.param(cell, marks=pytest.mark.slow) for cell in OTHERS[1:])]
)
def test_stopped_and_resumed_ends_with_the_same_bits(cell, tmp_path):
    chosen = config(cell, dropout=0.2)
    assert_a_stop_changes_no_bit(chosen, load_dataset("digits"), tmp_path, stop=20)


@pytest.mark.parametrize("cell", OTHERS)
def test_trained_evaluated_exported_and_traced(cell, tmp_path):
    chosen = resolve({**config(cell).to_dict(), "steps": 300, "jit_compile": False})
    report = run_experiment(chosen, tmp_path / "run")
    assert report["test"]["accuracy"] > 0.8
    run = Run(tmp_path / "run")
    model, spec = load_trained(run)
    x = load_dataset("digits").test.x[:5]
    expected = tf.nn.softmax(model(as_sequences(x, spec)))
    answers = Predictor(run.export).predict(x, None, [""] * 5)
    np.testing.assert_allclose([a.probabilities for a in answers], expected, atol=1e-5)
    served = tf.saved_model.load(str(run.export / "1")).signatures["trace_gates"]
    outputs = served(inputs=tf.constant(x))
    np.testing.assert_allclose(outputs["step_probabilities"][:, -1], expected, atol=1e-5)
    gates = {
        "lstm": ["cell_state", "input_gate", "forget_gate", "output_gate"],
        "rnn": [],
        "mgu": ["forget_gate"],
    }[cell]
    names = {f"{name}_{i}" for name in ("state", *gates) for i in (1, 2)}
    assert set(outputs) == {"step_probabilities", *names}


@pytest.mark.slow
def test_a_search_chooses_among_cells(tmp_path):
    base = resolve({**config("gru").to_dict(), "jit_compile": False})
    space = SearchSpace(base, {"model.cell": Choice("gru", *OTHERS)})
    rows = run_search(space, SearchOptions("grid", max_trials=None), tmp_path / "s")
    assert {row["values"]["model.cell"] for row in rows} == {"gru", *OTHERS}
    assert {row["status"] for row in rows} == {"completed"}


@pytest.mark.parametrize("cell", OTHERS)
def test_every_option_of_a_model_goes_with_every_cell(cell):
    spec = load_dataset("digits").spec
    options = [{"bidirectional": True}, {"layer_norm": True}, {"time_reduction": [2]}]
    options += [{"chrono": 8}] if cell != "rnn" else []
    for option in options:
        model = build_classifier(config(cell, **option), spec)
        assert model(np.zeros((2, 8, 8), "float32")).shape == (2, 10)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"cell": "lstn"}, "Did you mean 'lstm'"),
        ({"cell": "rnn", "chrono": 9}, "`model.cell` 'rnn' has none"),
        ({"cell": "lstm", "reset_after": False}, "leave it True for `model.cell` 'lstm'"),
    ],
)
def test_what_a_cell_does_not_have_is_named(model, message):
    with pytest.raises(ConfigError, match=message):
        resolve({"model": model})
