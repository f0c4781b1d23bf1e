"""Comparisons of cells: what is trained, what is kept, what the report says."""

import json

import numpy as np
import pytest
import tensorflow as tf
from language_models import spec_of

from seqclf import build_classifier, load_dataset
from seqclf.comparison import trainings
from seqclf.comparison.report import outcome_table, write_report
from seqclf.comparison.trainings import Outcome, median_step_ms, run_comparison
from seqclf.comparison.variants import Variant, make_variants, with_variant
from seqclf.config import resolve
from seqclf.errors import ConfigError, RunError
from seqclf.models.language_model import build_language_model

SMALL = {
    "name": "small",
    "data": {"source": "digits"},
    "model": {"units": [12, 8]},
    "batch_size": 64,
    "steps": 12,
    "validate_every": 4,
    "checkpoint_every": 4,
    "jit_compile": False,
    "select": "last",
}
CELLS = ["gru", "lstm", "rnn", "mgu"]


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits")


def test_equal_width_and_equal_size(digits):
    config = resolve({**SMALL, "model": {"units": [100, 50]}})
    found = make_variants(config, digits.spec, CELLS)
    assert [v.budget for v in found] == ["width"] * 4 + ["parameters"] * 4
    target = found[0].parameters
    for variant in found:
        model = build_classifier(with_variant(config, variant, 0), digits.spec)
        assert model.count_params() == variant.parameters
        assert variant.units == (100, 50) or variant.budget == "parameters"
    for variant in found[4:]:
        assert abs(variant.parameters - target) < 0.03 * target
        assert abs(variant.units[0] / variant.units[1] - 2) < 0.1
    by_cell = {variant.cell: variant.units[0] for variant in found[4:]}
    assert by_cell["lstm"] < by_cell["gru"] == 100 < by_cell["mgu"] < by_cell["rnn"]


def test_of_text_the_sizes_are_those_of_language_models():
    spec = spec_of()
    config = resolve({**SMALL, "data": {"source": "text:t"}})
    for variant in make_variants(config, spec, ["gru", "rnn"]):
        model = build_language_model(with_variant(config, variant, 0), spec)
        assert model.count_params() == variant.parameters


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparison") / "c"
    config = resolve(SMALL)
    digits = load_dataset("digits")
    outcomes = run_comparison(config, digits, folder, ["gru", "rnn"], seeds=2)
    write_report(config, digits, outcomes, folder)
    return folder, outcomes


def test_every_variant_is_trained_with_every_seed(finished):
    folder, outcomes = finished
    assert len(outcomes) == 8
    assert {(o.variant.cell, o.variant.budget, o.seed) for o in outcomes} == {
        (cell, budget, seed)
        for cell in ("gru", "rnn")
        for budget in ("width", "parameters")
        for seed in (0, 1)
    }
    runs = {path.name for path in (folder / "runs").iterdir()}
    assert len(runs) == 6  # the GRU is the same in both
    for outcome in outcomes:
        assert 0 < outcome.accuracy < 1 and outcome.step_ms > 0
        report = json.loads((outcome.run / "report.json").read_text())
        assert report["test"]["accuracy"] == outcome.accuracy
        assert not (outcome.run / "export").exists()


def test_the_report_has_every_number_and_figure(finished):
    folder, outcomes = finished
    text = (folder / "report.md").read_text()
    for outcome in outcomes:
        assert f"{outcome.variant.parameters:,}" in text
    for name in ("curves", "gradient_flow_initialisation", "gradient_flow_training"):
        assert f"figures/{name}.png" in text
        assert (folder / "figures" / f"{name}.png").stat().st_size > 10_000
    results = json.loads((folder / "results.json").read_text())
    assert len(results["outcomes"]) == 8


def test_what_is_done_is_not_done_again(finished, monkeypatch, digits):
    folder, outcomes = finished
    monkeypatch.setattr("seqclf.experiment.run.fit", None)
    again = run_comparison(resolve(SMALL), digits, folder, ["gru", "rnn"], seeds=2)
    assert [o.accuracy for o in again] == [o.accuracy for o in outcomes]


def test_another_config_or_folder_is_refused(finished, tmp_path, digits):
    folder, _ = finished
    with pytest.raises(RunError, match=r"batch_size: 64 -> 32"):
        run_comparison(resolve({**SMALL, "batch_size": 32}), digits, folder)
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(RunError, match="holds no comparison"):
        run_comparison(resolve(SMALL), digits, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_training_that_diverges_is_a_result(tmp_path, monkeypatch, digits):
    optimizer = {"name": "sgd", "learning_rate": 1e38, "clip_norm": 0.0, "warmup_steps": 0}
    config = resolve({**SMALL, "optimizer": optimizer})
    (width, size) = run_comparison(config, digits, tmp_path / "c", ["gru"], seeds=1)
    assert width.accuracy is None and size.accuracy is None
    assert "diverged" in "\n".join(outcome_table([width, size]))
    monkeypatch.setattr(trainings, "run_experiment", None)  # it is not trained again
    run_comparison(config, digits, tmp_path / "c", ["gru"], seeds=1)
    write_report(config, digits, [width, size], tmp_path / "c")
    assert not (tmp_path / "c/figures/gradient_flow_training.png").exists()


def test_an_option_that_a_cell_lacks_is_named(tmp_path, digits):
    config = resolve({**SMALL, "model": {"units": [8], "chrono": 8}})
    with pytest.raises(ConfigError, match="`model.cell` 'rnn' has none"):
        run_comparison(config, digits, tmp_path / "c", CELLS)
    assert not (tmp_path / "c").exists()


def test_the_first_interval_is_left_out_of_the_time():
    records = [{"step": s, "train_seconds": t} for s, t in ((10, 9.0), (20, 9.1), (40, 9.5))]
    np.testing.assert_allclose(median_step_ms(records), 15.0)
    assert np.isnan(median_step_ms(records[:1]))


def test_medians_and_spread_of_the_table(tmp_path):
    variant = Variant("gru", "width", (4,), 100)
    outcomes = [
        Outcome(variant, seed, tmp_path, accuracy, 0.5, 1.0, [])
        for seed, accuracy in enumerate((0.9, 0.8, None, 0.95))
    ]
    row = outcome_table(outcomes)[-1]
    assert "**90.00** (80.00 – 95.00), 1 of 4 diverged" in row


def test_a_cell_that_does_not_fit_into_memory_is_refused(digits, monkeypatch):
    def build(config, spec):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")

    monkeypatch.setattr("seqclf.comparison.variants.build_model", build)
    with pytest.raises(ConfigError, match=r"`model.units` \[12, 8\] .* more memory than there is"):
        make_variants(resolve(SMALL), digits.spec, CELLS)
