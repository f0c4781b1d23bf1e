"""Wrong arguments of the functions: one message of seqclf's own."""

import numpy as np
import pytest

import seqclf
from seqclf.api.inputs import raw_examples
from seqclf.data.spec import DatasetSpec
from seqclf.errors import ConfigError, DataError, ExportError, RunError

VARYING = DatasetSpec(
    "t", "rows", (6, 2), "float32", ("a", "b"), True, feature_names=("speed", "load")
)
FIXED = DatasetSpec("t", "rows", (6, 1), "float32", ("a", "b"))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"stepz": 5}, "Unknown config key `stepz`. Did you mean `steps`"),
        ({"steps": 5}, "`fit` needs data"),
        (None, "`fit` needs data"),
        (7, "`config` must be a Config.*Received: 7"),
        ("no_recipe", "^The recipe could not be found: no such file: 'no_recipe'.*digits"),
        ({"data": {"source": "digits"}, "steps": "many"}, "`steps`"),
    ],
)
def test_configs(tmp_path, config, message):
    with pytest.raises(ConfigError, match=message):
        seqclf.fit(config, workdir=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_data(tmp_path):
    with pytest.raises(DataError, match="`dataset` must be what .* returns. Received: ndarray"):
        seqclf.fit(None, np.zeros(3), workdir=tmp_path / "run")
    with pytest.raises(DataError, match="was in memory .arrays."):
        seqclf.load_dataset("arrays")
    with pytest.raises(DataError, match="was in memory .data frame."):
        seqclf.load_dataset("data frame")


def test_runs(tmp_path):
    (tmp_path / "empty").mkdir()
    for function in (seqclf.load_run, seqclf.evaluate, lambda run: seqclf.export(run, tmp_path)):
        with pytest.raises(RunError, match="is no run directory"):
            function(tmp_path / "empty")
    with pytest.raises(RunError, match="A run must be .* Received: 5"):
        seqclf.evaluate(5)
    with pytest.raises(ExportError):
        seqclf.predict(tmp_path / "empty", np.zeros((1, 6, 1)))
    with pytest.raises(ConfigError, match="`model` must be a run.*Received: 5"):
        seqclf.predict(5, [])


def test_a_run_that_has_no_model_yet(tmp_path):
    seqclf.api.runs.Run(tmp_path / "run").prepare(seqclf.Config())
    with pytest.raises(RunError, match="has no model.keras yet: finish its training first"):
        seqclf.load_run(tmp_path / "run")
    run = seqclf.TrainedRun(tmp_path / "run")
    with pytest.raises(RunError, match="has no report.json yet"):
        _ = run.report
    with pytest.raises(ConfigError, match="`split` must be one of.*Received: 'all'"):
        (tmp_path / "run" / "model.keras").touch()
        seqclf.evaluate(run, "all")


def test_a_keras_model_needs_the_spec():
    model = seqclf.build_classifier(seqclf.Config(), FIXED)
    with pytest.raises(ConfigError, match="give `spec=dataset.spec`"):
        seqclf.predict(model, np.zeros((1, 6, 1)))
    assert len(seqclf.predict(model, np.zeros((4, 6)), spec=FIXED)) == 4


@pytest.mark.parametrize(
    ("spec", "given", "options", "message"),
    [
        (
            FIXED,
            np.zeros((2, 5, 1)),
            {},
            r"\[N, 6, 1\] for this model. Received: \[2, 5, 1\]",
        ),
        (FIXED, np.zeros((6, 1)), {}, r"Received: \[6, 1, 1\]"),
        (VARYING, np.zeros((6, 2)), {}, r"\[N, T, 2\] \(speed, load\).*Give one example as"),
        (VARYING, [np.zeros((6, 3))], {}, r"\[N, T, 2\] \(speed, load\)"),
        (VARYING, [], {}, "there are no sequences"),
        (VARYING, np.zeros((0, 6, 2)), {}, r"Received: \[0, 6, 2\]"),
        (VARYING, [[]], {}, "no time steps"),
        (VARYING, ["ab"], {}, "real numbers"),
        (VARYING, 7, {}, "Received: int"),
        (VARYING, [np.full((3, 2), np.nan)], {}, r"6 values are missing.*speed 3 of 3, load 3"),
        (VARYING, [np.full((3, 2), np.inf)], {}, "must be finite"),
        (VARYING, [np.zeros((3, 2))], {"lengths": [3]}, "both a list and `lengths`"),
        (VARYING, np.zeros((2, 3, 2)), {"lengths": [3, 4]}, r"1..3.*Received: 4 at example 1"),
        (VARYING, np.zeros((2, 3, 2)), {"lengths": [3]}, r"of shape \[2\]"),
        (FIXED, np.zeros((2, 6, 1)), {"lengths": [6, 5]}, "6 time steps, all valid.*from 5 to 6"),
        (FIXED, [np.zeros(6), np.zeros(5)], {}, "6 time steps, all valid.*from 5 to 6"),
    ],
)
def test_sequences(spec, given, options, message):
    with pytest.raises(DataError, match=message):
        raw_examples(given, options.get("lengths"), spec)


def test_a_dataset_in_the_place_of_a_split():
    model = seqclf.build_classifier(seqclf.Config(), FIXED)
    data = seqclf.Dataset.from_arrays(np.random.default_rng(0).normal(size=(40, 6)), [0, 1] * 20)
    with pytest.raises(DataError, match="give one of them, such as dataset.test"):
        seqclf.predict(model, data, spec=data.spec)
