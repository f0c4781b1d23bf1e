"""Whole searches in this process: small trainings on the bundled digits."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from seqclf.config import from_json, resolve
from seqclf.config.search_space import Choice, Range, SearchSpace
from seqclf.errors import RunError, SearchError
from seqclf.experiment.run import run_experiment
from seqclf.models.loading import load_classifier
from seqclf.storage.run_directory import Run
from seqclf.training.metrics_log import read_metrics
from seqclf.tuner import tuner as tuner_module
from seqclf.tuner.hypermodel import ClassifierHyperModel
from seqclf.tuner.search import SearchOptions, run_search

BASE = {
    "name": "small",
    "data": {"source": "digits"},
    "model": {"units": [8]},
    "batch_size": 64,
    "steps": 12,
    "validate_every": 4,
    "checkpoint_every": 4,
    "jit_compile": False,
    "optimizer": {"warmup_steps": 4},
}
DIVERGING = {"optimizer": {"name": "sgd", "warmup_steps": 0, "clip_norm": 0.0}}
SPACE = {
    "optimizer.learning_rate": Range(1e-3, 1e-1, log=True),
    "model.units": Choice([8], [4, 4]),
    "model.dropout": Range(0, 0.5, step=0.25, when={"model.units": [8]}),
}


def search(folder, declared=SPACE, base=BASE, tuner="random", overwrite=False, **settings):
    if tuner in ("random", "bayesian"):
        settings = {"max_trials": 3} | settings
    return run_search(
        SearchSpace(base, declared), SearchOptions(tuner, **settings), folder, overwrite
    )


def manifest(folder, row):
    return Run(folder / "trials" / row["run"]).read_manifest()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("search")
    diverges = Choice(0.01, 1e38)
    rows = search(
        folder,
        {"optimizer.learning_rate": diverges, "model.units": Choice([8], [4, 4])},
        BASE | DIVERGING,
        tuner="grid",
    )
    return folder, rows


def test_every_trial_is_a_run_that_has_not_seen_the_test_split(finished):
    folder, rows = finished
    assert sorted(row["trial"] for row in rows) == [1, 2, 3, 4]
    for row in rows:
        if row["status"] != "completed":
            continue
        run = Run(folder / "trials" / row["run"])
        assert run.read_config().optimizer.learning_rate == 0.01
        assert run.read_manifest()["status"] == "finished"
        report = json.loads(run.report.read_text())
        assert report["split"] == "validation" and "test" not in report
        assert report["validation"]["accuracy"] == pytest.approx(row["score"])
        assert "Test" not in run.report_md.read_text()
        assert (run.figures / "learning_curves.png").exists()
        assert load_classifier(run.model).output_shape == (None, 10)
        assert not run.export.exists()


def test_a_trial_that_diverges_has_failed_and_the_search_goes_on(finished):
    folder, rows = finished
    failed = [row for row in rows if row["status"] == "failed"]
    assert [row["values"]["optimizer.learning_rate"] for row in failed] == [1e38, 1e38]
    assert rows[-2:] == failed and failed[0]["score"] is None
    assert all("The loss is " in row["reason"] for row in failed)
    assert manifest(folder, failed[0])["status"] == "failed"
    text = (folder / "search.md").read_text()
    assert f"- trial {failed[0]['trial']}: The loss is " in text


def test_tensorboard_has_the_hyper_parameters_and_the_metrics(finished):
    folder, rows = finished
    events = folder / "trials" / rows[0]["run"] / "tensorboard"
    log = EventAccumulator(str(events)).Reload()
    plugin = log.summary_metadata["_hparams_/session_start_info"].plugin_data
    assert plugin.plugin_name == "hparams"
    assert b"optimizer.learning_rate" in plugin.content and b"model.units" in plugin.content
    assert "validation_accuracy" in log.Tags()["tensors"]


def test_the_best_config_trains_as_it_is(finished, tmp_path):
    folder, rows = finished
    best = from_json((folder / "best_config.json").read_text())
    assert best.name == "small_tuned"
    assert best.optimizer.learning_rate == 0.01
    assert best.model.units == rows[0]["values"]["model.units"]
    program = (folder / "best_config.py").read_text()
    names: dict = {}
    exec(program, names)
    assert resolve(names["get_config"]()) == best
    again = run_experiment(best, tmp_path / "run")
    assert again["training"]["validation_accuracy"] == pytest.approx(rows[0]["score"])


def test_the_report_has_its_figures_and_a_row_for_each_trial(finished):
    folder, rows = finished
    text = (folder / "search.md").read_text()
    for name in ("score_by_trial", "score_by_value", "parallel_coordinates"):
        assert f"figures/{name}.png" in text
        assert (folder / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert all(f"| trials/{row['run']} |" in text for row in rows)
    assert json.loads((folder / "results.json").read_text())[0]["trial"] == rows[0]["trial"]


def test_a_finished_search_is_not_run_again_and_can_be_extended(tmp_path, capsys):
    rows = search(tmp_path / "s")
    marks = {p: p.stat().st_mtime_ns for p in (tmp_path / "s" / "trials").rglob("*.npz")}
    again = search(tmp_path / "s")
    assert again == rows
    assert "Resuming: 3 trials have ended" in capsys.readouterr().out
    assert {p: p.stat().st_mtime_ns for p in marks} == marks
    more = search(tmp_path / "s", max_trials=4)
    assert len(more) == 4 and {p: p.stat().st_mtime_ns for p in marks} == marks
    for changed in ({"seed": 1}, {"tuner": "grid"}, {"base": BASE | {"batch_size": 32}}):
        with pytest.raises(RunError, match="holds another search, left as it is. It differs in"):
            search(tmp_path / "s", **changed)
    (tmp_path / "s" / "notes.txt").write_text("mine")
    assert len(search(tmp_path / "s", overwrite=True, seed=1, max_trials=1)) == 1
    assert (tmp_path / "s" / "notes.txt").read_text() == "mine"


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(RunError, match="exists and holds no search"):
            search(tmp_path, overwrite=overwrite)
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "text", ["precious", "[]", "{}", '{"seconds": "x", "tuner": "grid", "space": {}}', "\xff"]
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_search_json_of_something_else_is_left_alone(tmp_path, text, overwrite):
    (tmp_path / "search.json").write_bytes(text.encode("latin-1"))
    (tmp_path / "photo.jpg").write_text("mine")
    with pytest.raises(RunError, match=r"search\.json cannot be read as that of a search"):
        search(tmp_path, overwrite=overwrite)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["photo.jpg", "search.json"]


def test_damaged_files_are_named(tmp_path):
    search(tmp_path / "s", max_trials=1)
    files = ["keras_tuner/oracle.json", "keras_tuner/trial_0/trial.json", "trials/001/report.json"]
    for name in files:
        path = tmp_path / "s" / name
        before = path.read_text()
        path.write_text("{")
        with pytest.raises(RunError, match=rf"({name}|keras_tuner) (is|are) damaged"):
            search(tmp_path / "s", max_trials=1)
        path.write_text(before)
    assert len(search(tmp_path / "s", max_trials=1)) == 1


def test_no_trial_completed_is_an_error_with_a_report(tmp_path, capfd):
    space = {"optimizer.learning_rate": Choice(1e38, 2e38)}
    base = BASE | DIVERGING
    with pytest.raises(SearchError, match=r"No trial was completed: .*search\.md says why"):
        search(tmp_path / "s", space, base, tuner="grid")
    output = capfd.readouterr()
    assert "failed: The loss is " in output.out and "Traceback" not in output.out + output.err
    assert "**No trial was completed.**" in (tmp_path / "s" / "search.md").read_text()
    assert not (tmp_path / "s" / "best_config.json").exists()


@pytest.mark.faults
def test_out_of_memory_is_a_failed_trial_and_anything_else_ends_the_search(tmp_path, monkeypatch):
    errors = iter(
        [tf.errors.ResourceExhaustedError(None, None, "OOM when allocating"), MemoryError(), None]
    )
    original = ClassifierHyperModel.fit

    def fit(self, *arguments, **keywords):
        error = next(errors)
        if error:
            raise error
        return original(self, *arguments, **keywords)

    monkeypatch.setattr(ClassifierHyperModel, "fit", fit)
    rows = search(tmp_path / "s")
    assert [row["status"] for row in rows] == ["completed", "failed", "failed"]
    assert rows[1]["reason"] == "out of memory: OOM when allocating"
    errors = iter([OSError("No space left on device")])
    with pytest.raises(OSError, match="No space left"):
        search(tmp_path / "t")
    errors = iter([None] * 3)
    assert len(search(tmp_path / "t")) == 3  # the same trial was tried again


def test_a_trial_that_kills_the_process_each_time_is_given_up(tmp_path, monkeypatch):
    class Killed(BaseException):
        """What no code of ours catches, as a kill."""

    original = ClassifierHyperModel.fit
    starts = []

    def fit(self, hp, *arguments, **keywords):
        if not starts or starts[0] == keywords["trial"]:
            starts.append(keywords["trial"])
            raise Killed
        return original(self, hp, *arguments, **keywords)

    monkeypatch.setattr(ClassifierHyperModel, "fit", fit)
    for _ in range(tuner_module.MAX_STARTS):
        with pytest.raises(Killed):
            search(tmp_path / "s")
    rows = search(tmp_path / "s")
    assert len(starts) == tuner_module.MAX_STARTS
    assert [row["status"] for row in rows] == ["completed", "completed", "failed"]
    assert "stopped 3 times at the same place" in rows[-1]["reason"]


@pytest.mark.slow
def test_a_promoted_trial_goes_on_to_the_bit(tmp_path):
    """What Hyperband trained in three rounds is what one training gives."""
    model = {"units": [8], "dropout": 0.2}
    base = BASE | {"batch_size": 256, "model": model}
    rows = search(
        tmp_path / "s",
        {"optimizer.learning_rate": SPACE["optimizer.learning_rate"]},
        base,
        tuner="hyperband",
        max_trials=13,  # the first bracket: 9, of these 3, of these 1
        max_epochs=9,
    )
    [last] = [row for row in rows if row["epochs"] == 9]
    chain = [Run(tmp_path / "s" / "trials" / last["run"])]
    while "continues" in chain[0].read_manifest():
        parent = chain[0].read_manifest()["continues"]
        chain.insert(0, Run(tmp_path / "s" / "trials" / parent))
    steps = [json.loads(run.report.read_text())["training"]["steps"] for run in chain]
    assert steps == [8, 16, 45]  # 1 and 3 of 9 epochs, each up to the next validation
    run_experiment(chain[-1].read_config(), tmp_path / "alone")
    alone = Run(tmp_path / "alone")
    ours, theirs = (load_classifier(run.model).get_weights() for run in (chain[-1], alone))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(read_metrics(chain[-1]), read_metrics(alone), strict=True):
        assert (a["step"], a["validation_loss"]) == (b["step"], b["validation_loss"])


def test_executions_are_averaged_and_have_seeds_of_their_own(tmp_path):
    [row] = search(tmp_path / "s", max_trials=1, executions_per_trial=2)
    runs = [Run(tmp_path / "s" / "trials" / name) for name in (row["run"], row["run"] + ".1")]
    assert [run.read_config().seed for run in runs] == [0, 1]
    scores = [json.loads(run.report.read_text())["validation"]["accuracy"] for run in runs]
    assert row["score"] == pytest.approx(np.mean(scores))


def test_another_objective(tmp_path):
    rows = search(tmp_path / "s", objective="validation_loss")
    scores = [row["score"] for row in rows]
    assert scores == sorted(scores) and scores[0] > 0


def test_the_hypermodel_builds_and_fits_on_its_own(tmp_path):
    import keras_tuner

    hypermodel = ClassifierHyperModel(SearchSpace(BASE, SPACE))
    hp = keras_tuner.HyperParameters()
    model = hypermodel.build(hp)
    assert isinstance(model, keras.Model)
    [score] = hypermodel.fit(hp, model, run=Run(tmp_path / "run")).values()
    assert 0 <= score <= 1


def test_a_search_of_a_version_with_fewer_keys_goes_on(tmp_path):
    from seqclf.tuner.folder import check_same_search, read_search

    config = json.loads(json.dumps(resolve({"data": {"source": "digits"}, "steps": 5}).to_dict()))
    search = {"config": config, "space": {}, "tuner": "grid", "seconds": 0.0}
    older = json.loads(json.dumps(search))
    del older["config"]["nonfinite"]
    path = tmp_path / "search.json"
    path.write_text(json.dumps(older))
    check_same_search(path, read_search(path), search)
    older["config"]["nonfinite"] = "skip"
    path.write_text(json.dumps(older))
    with pytest.raises(RunError, match="holds another search"):
        check_same_search(path, read_search(path), search)
