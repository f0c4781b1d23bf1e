"""`data.validation=0`: all examples are trained on, and the last weights become the model."""

import json

import numpy as np
import pytest

import seqclf
from seqclf.config import Config, DataConfig, ModelConfig
from seqclf.config.search_space import Choice, SearchSpace
from seqclf.data.shards.convert import open_source
from seqclf.errors import ConfigError, RunError
from seqclf.inspection.report import gradient_flow_batch
from seqclf.training.effective import check_fits_data
from seqclf.training.metrics_log import read_metrics
from seqclf.tuner.search import SearchOptions, run_search


def from_arrays(**options):
    x = np.random.default_rng(0).normal(size=(40, 3, 1))
    return seqclf.Dataset.from_arrays(x, ["a", "b"] * 20, **options)


@pytest.fixture(scope="module")
def data():
    return from_arrays(validation=0)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, data):
    config = {
        "model.units": [4],
        "batch_size": 8,
        "steps": 6,
        "validate_every": 2,
        "jit_compile": False,
    }
    workdir = tmp_path_factory.mktemp("runs") / "run"
    return seqclf.fit(config, data, workdir=workdir, export=False)


def test_every_example_is_in_train_or_test(data):
    assert [len(split) for _, split in data.splits()] == [32, 0, 8]
    assert data.division == (
        "test is held out at random by class, seed 0; there is no validation split"
    )
    assert not data.notes
    np.testing.assert_array_equal(data.test.x, from_arrays().test.x)
    assert (
        data.fingerprint()
        == from_arrays(validation=0).fingerprint()
        != (from_arrays().fingerprint())
    )


def test_a_validation_split_of_the_source_is_used():
    own = from_arrays(validation=0, splits=["train", "train", "validation", "validation"] * 10)
    assert [len(split) for _, split in own.splits()] == [16, 20, 4]


def test_the_last_weights_become_the_model_and_nothing_is_validated(trained, capsys):
    training = trained.report["training"]
    assert (training["selected_step"], training["validation_accuracy"]) == (6, None)
    records = read_metrics(trained.directory)
    assert [record["step"] for record in records] == [2, 4, 6]
    assert not any(name.startswith("validation") for record in records for name in record)
    text = trained.directory.report_md.read_text()
    assert "weights: those of step 6, the last; no validation examples" in text
    assert (trained.directory.figures / "learning_curves.png").exists()
    assert json.loads(trained.directory.report.read_text())["data"]["examples"] == {
        "train": 32,
        "validation": 0,
        "test": 8,
    }
    with pytest.raises(RunError, match="has no validation examples"):
        seqclf.evaluate(trained, "validation")
    with pytest.raises(RunError, match="data.validation=0. Train another run with"):
        seqclf.export(trained, trained.path / "never", target_recall=0.9)


def test_gradients_flow_on_training_examples(data):
    sequences, labels = gradient_flow_batch(data, 5)
    assert sequences.shape == (5, 3, 1)
    np.testing.assert_array_equal(labels, data.train.y[:5])


@pytest.mark.parametrize(
    ("changes", "received"),
    [
        ({"early_stopping": 3}, "early_stopping=3"),
        ({"select": "best"}, "select='best'"),
        ({"select": "roc_auc"}, "select='roc_auc'"),
    ],
)
def test_what_needs_validation_is_refused(data, changes, received):
    with pytest.raises(ConfigError, match=f"Received: {received}, data.validation=0"):
        check_fits_data(Config(data=data.options, batch_size=4, **changes), data)
    check_fits_data(Config(data=data.options, batch_size=4, select="last"), data)


def test_a_search_and_shards_need_a_validation_split(tmp_path):
    config = Config(
        data=DataConfig(source="digits", validation=0), model=ModelConfig(units=(4,)), steps=2
    )
    space = SearchSpace(config, {"batch_size": Choice(32, 64)})
    with pytest.raises(ConfigError, match="A search compares its trials on the validation split"):
        run_search(space, SearchOptions("random", max_trials=1), tmp_path / "search")
    assert not (tmp_path / "search").exists()
    with pytest.raises(ConfigError, match="--validation must be above 0"):
        open_source("digits", validation=0.0)
    with pytest.raises(ConfigError, match="--test must be above 0"):
        open_source("digits", test=0.0)


def test_a_run_needs_a_test_split_and_a_dataset_does_not(tmp_path):
    all_of_it = from_arrays(validation=0, test=0)
    assert [len(split) for _, split in all_of_it.splits()] == [40, 0, 0]
    assert all_of_it.division == "there is no validation split; there is no test split"
    with pytest.raises(ConfigError, match="no test examples: set `data.test` above 0"):
        seqclf.fit({"steps": 1}, all_of_it, workdir=tmp_path / "run")
    assert not (tmp_path / "run").exists()
