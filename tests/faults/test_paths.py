"""Folders whose names have characters that TensorFlow takes for a pattern, and `~`."""

import numpy as np
import pytest
from file_predictions import predict_file

from seqclf import load_dataset
from seqclf.comparison.report import write_report
from seqclf.comparison.trainings import run_comparison
from seqclf.config import nest, resolve
from seqclf.config.recipes import load_recipe
from seqclf.config.search_space import Range, SearchSpace
from seqclf.experiment.run import run_experiment
from seqclf.experiment.run_evaluation import evaluate_run
from seqclf.inspection.inputs import load_inputs
from seqclf.inspection.report import write_inspection
from seqclf.inspection.stepwise import inspect_examples
from seqclf.models.loading import load_trained
from seqclf.serving.export import export_run
from seqclf.serving.predictor import Predictor
from seqclf.serving.server.model import ServedModel
from seqclf.serving.verify.check import verify
from seqclf.storage.run_directory import Run
from seqclf.training.loop import fit
from seqclf.tuner.search import SearchOptions, run_search

NAME = "run [1] a*b? {x,y} c\\d é"
CONFIG = {
    "name": "small",
    "data": {"source": "digits"},
    "model": {"units": [4]},
    "batch_size": 64,
    "steps": 4,
    "validate_every": 2,
    "checkpoint_every": 2,
    "jit_compile": False,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paths") / NAME
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def run(folder):
    """A run that was stopped after step 2, and resumed."""
    run, config = Run(folder / "run"), resolve(CONFIG)
    run.prepare(config)
    fit(config, load_dataset("digits"), run, until=2)
    run_experiment(config, run.path)
    return run


@pytest.fixture(scope="module")
def sample(run):
    return str(min(run.samples.iterdir()))


def test_train_resumes_and_exports(run):
    assert run.report.is_file() and list(run.tensorboard.glob("events*"))
    assert [path.name for path in sorted(run.checkpoints.glob("step-*"))] == [
        "step-000000002.npz",
        "step-000000004.npz",
    ]
    assert (run.export / "1" / "variables" / "variables.index").is_file()


def test_evaluate(run):
    assert evaluate_run(run, "validation")["examples"] == 144


def test_export_and_verify(run, folder):
    version = export_run(run, folder / "models", litert="float32")
    assert version == folder / "models" / "1"
    checks = {check.rule: check for check in verify(folder / "models")}
    assert all(check.passed is not False for check in checks.values()), checks
    assert checks["runs"].passed and checks["golden"].passed is None
    assert "TensorFlow Serving takes [ and \\ for a pattern" in checks["layout"].detail


def test_predict_and_serve_agree(run, sample):
    (prediction,) = predict_file(Predictor(run.export), sample)
    served = ServedModel(run.export / "1")
    x = load_dataset("digits").test.x[:1]
    (again,) = Predictor(run.export / "1").predict(x, None, ["first"])
    outputs = served.run("serving_default", {"inputs": x})
    np.testing.assert_allclose(outputs["probabilities"][0], again.probabilities, atol=1e-6)
    assert prediction.class_name in "0123456789"


def test_explain(run, sample, folder):
    model, spec = load_trained(run)
    for name, raw, lengths, _ in load_inputs(sample, spec, False):
        (inspection,) = inspect_examples(model, spec, raw, lengths)
        files = write_inspection(inspection, folder / "explain" / name)
        assert files and all(file.is_file() for file in files)


def test_a_search_is_resumed(folder, capsys):
    space = SearchSpace(resolve(CONFIG), {"optimizer.learning_rate": Range(0.001, 0.01)})
    for trials in (1, 2):
        options = SearchOptions("random", max_trials=trials)
        rows = run_search(space, options, folder / "search")
        assert len(rows) == trials
    assert "Resuming: 1 trials have ended before." in capsys.readouterr().out
    assert len(list((folder / "search" / "trials").glob("*/report.json"))) == 2


def test_compare(folder):
    config, digits = resolve(CONFIG), load_dataset("digits")
    outcomes = run_comparison(config, digits, folder / "comparison", ["rnn"], 1, ["width"])
    write_report(config, digits, outcomes, folder / "comparison")
    assert (folder / "comparison" / "report.md").is_file()


def test_a_tilde_is_the_home_folder(run, sample, folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    assert Run("~/run").path == run.path
    assert resolve(nest(load_recipe("~/run/config.json").values)) == resolve(CONFIG)
    (prediction,) = predict_file(Predictor("~/run/export"), sample.replace(str(folder), "~"))
    assert prediction.class_name in "0123456789"
    assert export_run(run, "~/home models") == folder / "home models" / "1"
    assert all(check.passed is not False for check in verify("~/home models"))
