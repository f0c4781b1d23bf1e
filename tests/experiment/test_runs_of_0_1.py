"""Runs, checkpoints, models and exports that version 0.1 wrote are opened by this one.

`tests/data_of_0_1/runs.tar.xz` has what `seqclf.train` of version 0.1 left behind, without figures:
`run` (the digits, a GRU of 4 units, 12 steps), `stopped` (the same, stopped after step 6) and
`sequences` (sequences of varying length in `seq.npz`).
"""

import tarfile

import numpy as np
import pytest
import tensorflow as tf
from running import ROOT

from seqclf.config import Config, nest, resolve
from seqclf.config.recipes import load_recipe
from seqclf.data.normalization import as_sequences
from seqclf.data.sources import load_dataset
from seqclf.errors import RunError
from seqclf.experiment.run import run_experiment
from seqclf.experiment.run_evaluation import evaluate_run
from seqclf.models.loading import load_trained
from seqclf.serving.export import export_run
from seqclf.storage.run_directory import Run


@pytest.fixture
def old(tmp_path, monkeypatch):
    with tarfile.open(ROOT / "tests" / "data_of_0_1" / "runs.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    monkeypatch.chdir(tmp_path)  # the config of `sequences` names its file without a folder
    return tmp_path


def test_a_finished_run_is_left_as_it_is_and_its_figures_hold(old):
    run = Run(old / "run")
    report = run_experiment(run.read_config(), run.path)
    assert (report["training"]["steps"], report["test"]["examples"]) == (12, 360)
    again = evaluate_run(run, "test")
    assert again["accuracy"] == pytest.approx(report["test"]["accuracy"], abs=3 / 360)
    assert again["loss"] == pytest.approx(report["test"]["loss"], rel=1e-4)


def test_the_default_selection_of_today_does_not_make_it_another_run(old):
    run = Run(old / "stopped")
    begun = run.read_config()
    assert begun.select == "best" and Config().select == "auto"
    run.check_usable(begun.changed({"select": "auto"}))
    with pytest.raises(RunError, match="select: 'best' -> 'last'"):
        run.check_usable(begun.changed({"select": "last"}))
    finished = Run(old / "run")
    asked = finished.read_config().changed({"select": "auto"})
    assert run_experiment(asked, finished.path) == finished.read_report()


def test_the_config_of_a_run_is_a_recipe(old):
    run = Run(old / "sequences")
    assert resolve(nest(load_recipe(str(run.config)).values)) == run.read_config()


def test_a_stopped_run_goes_on_to_the_weights_of_one_that_was_not_stopped(old):
    run = Run(old / "stopped")
    report = run_experiment(run.read_config(), run.path, export=False)
    assert report["training"]["steps"] == 12
    resumed = load_trained(run)[0].get_weights()
    whole = load_trained(Run(old / "run"))[0].get_weights()
    for ours, theirs in zip(resumed, whole, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", ["run", "sequences"])
def test_model_and_export_give_the_same_probabilities(old, name):
    run = Run(old / name)
    model, spec = load_trained(run)
    test = load_dataset(**run.read_config().data.to_dict()).test
    inputs = {"inputs": tf.constant(test.x[:7])}
    fed = as_sequences(test.x[:7], spec)
    if spec.variable_length:
        inputs["lengths"] = tf.constant(test.lengths[:7], tf.int32)
        fed = {"sequences": fed, "lengths": inputs["lengths"]}
    expected = tf.nn.softmax(model(fed)).numpy()
    for version in (run.export / "1", export_run(run, old / "again")):
        exported = tf.saved_model.load(str(version)).signatures["serving_default"]
        np.testing.assert_allclose(exported(**inputs)["probabilities"], expected, atol=1e-6)
