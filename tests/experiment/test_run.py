"""run_experiment, in this process: from a config to report and export."""

import json

import keras
import numpy as np
import pytest

from seqclf.config import resolve
from seqclf.errors import ConfigError, RunError
from seqclf.experiment.run import run_experiment
from seqclf.experiment.run_evaluation import evaluate_run
from seqclf.storage.run_directory import Run

SMALL = {
    "data": {"source": "digits"},
    "model": {"units": [24]},
    "batch_size": 64,
    "steps": 60,
    "validate_every": 20,
    "checkpoint_every": 15,
}


def config(**changes):
    merged = {k: dict(v) if isinstance(v, dict) else v for k, v in SMALL.items()}
    for key, value in changes.items():
        merged[key] = {**merged.get(key, {}), **value} if isinstance(value, dict) else value
    return resolve(merged)


def test_an_experiment_leaves_everything_in_its_place(tmp_path, capsys):
    report = run_experiment(config(), tmp_path / "run")
    run = Run(tmp_path / "run")
    for path in (run.config, run.manifest, run.dataset, run.metrics, run.model, run.report_md):
        assert path.is_file(), path
    assert {path.name for path in run.figures.iterdir()} == {
        "learning_curves.png",
        "confusion_matrix.png",
        "mistakes.png",
        "probabilities.png",
    }
    assert list(run.tensorboard.glob("events*"))
    assert len(list(run.checkpoints.glob("step-*.npz"))) == 2
    assert not list(run.path.glob("**/.tmp-*"))
    manifest = run.read_manifest()
    assert manifest["status"] == "finished"
    assert manifest["seed"] == 0
    assert manifest["versions"]["keras"] == keras.__version__
    assert len(manifest["data"]["fingerprint"]) == 64
    assert json.loads(run.report.read_text()) == report
    test = report["test"]
    assert np.trace(test["confusion"]) / 360 == test["accuracy"]
    assert sum(c["support"] for c in test["classes"]) == 360 == np.sum(test["confusion"])
    low, high = test["accuracy_interval"]
    assert low < test["accuracy"] < high
    evaluated = evaluate_run(run, "test")
    assert evaluated["accuracy"] == test["accuracy"]
    assert evaluated["confusion"] == test["confusion"]
    capsys.readouterr()
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}
    assert run_experiment(config(), run.path) == report  # finished: nothing is done again
    said = capsys.readouterr().err
    assert f"The run in {run.path} is finished: nothing is trained" in said
    assert before == {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}


def test_sequences_of_varying_length_go_the_whole_way(tmp_path):
    rng = np.random.default_rng(0)
    y = np.arange(400) % 2
    lengths = rng.integers(3, 13, 400)
    x = rng.normal(size=(400, 12, 2))
    x[:, 0, 0] = 3.0 * (2 * y - 1)  # the class is told at the first step, and to be remembered
    np.savez(tmp_path / "a.npz", x=x, y=y, lengths=lengths, class_names=np.array(["no", "yes"]))
    chosen = config(data={"source": f"npz:{tmp_path}/a.npz"}, steps=200, batch_size=32)
    report = run_experiment(chosen, tmp_path / "run")
    assert report["test"]["accuracy"] > 0.95


def test_another_config_is_refused_and_nothing_changed(tmp_path):
    run = Run(tmp_path / "run")
    run.prepare(config())
    before = run.config.read_bytes()
    with pytest.raises(RunError) as caught:
        run.prepare(config(seed=3, model={"units": [8]}))
    assert "model.units: [24] -> [8]\n  seed: 0 -> 3" in str(caught.value)
    assert run.config.read_bytes() == before


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(RunError, match="is no run directory"):
        run_experiment(config(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be used as --workdir"):
        run_experiment(config(), tmp_path / "file" / "run")


def test_changed_data_is_refused(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {"x": rng.normal(size=(100, 4, 2)), "y": np.arange(100) % 2}
    np.savez(tmp_path / "a.npz", **arrays)
    chosen = config(data={"source": f"npz:{tmp_path}/a.npz"}, batch_size=16, steps=5)
    run_experiment(chosen, tmp_path / "run")
    (tmp_path / "run" / "report.json").unlink()
    arrays["x"][0] += 1
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(RunError, match="is not what the run in .* was trained on"):
        run_experiment(chosen, tmp_path / "run")
    with pytest.raises(RunError, match="is not what the run in"):
        evaluate_run(Run(tmp_path / "run"), "test")


def test_augmentation_of_what_is_no_image_is_refused(tmp_path):
    rng = np.random.default_rng(0)
    file = tmp_path / "own.npz"
    np.savez(file, x=rng.normal(size=(60, 5, 2)).astype("float32"), y=np.arange(60) % 2)
    chosen = config(data={"source": f"npz:{file}"}, batch_size=8, augment={"rotation": 5})
    with pytest.raises(ConfigError, match=r"`augment.rotation` distorts images.*float32"):
        run_experiment(chosen, tmp_path / "run")
    assert not (tmp_path / "run").exists()
