"""The reports, manifests and metrics of runs are checked when they are read."""

import json
import tarfile

import pytest
from running import ROOT

from seqclf.errors import RunError
from seqclf.experiment.manifest import check_same_data
from seqclf.models.loading import load_trained
from seqclf.storage.run_directory import Run
from seqclf.training.metrics_log import read_metrics


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("old")
    with tarfile.open(ROOT / "tests/data_of_0_1/runs.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return Run(folder / "sequences")


@pytest.fixture
def run(original, tmp_path):
    for path in (original.manifest, original.report, original.metrics, original.config):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    for path in (original.dataset, original.model):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return Run(tmp_path)


def change(path, keys, value):
    """Sets one entry of a JSON file; None removes it."""
    content = json.loads(path.read_text())
    at = content
    for key in keys[:-1]:
        at = at[key]
    if value is None:
        del at[keys[-1]]
    else:
        at[keys[-1]] = value
    path.write_text(json.dumps(content))


def test_what_version_0_1_recorded_is_read(run):
    assert run.read_report()["test"]["examples"] == 12
    assert run.read_manifest()["status"] == "finished"
    assert read_metrics(run)


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (["test"], None, "it lacks the score of its `split`, 'test'"),
        (["test"], [], "`test` must be of type dict. Received: []"),
        (["split"], "training", "it lacks the score of its `split`, 'training'"),
        (["test", "loss"], None, "it lacks `test.loss`"),
        (["test", "accuracy"], "0.5", "`test.accuracy` must be of type int or float."),
        (["test", "accuracy"], True, "`test.accuracy` must be of type int or float."),
        (["test", "accuracy"], 10**400, "`test.accuracy` must be of type int or float."),
        (["test", "accuracy_interval"], [0.1], "`test.accuracy_interval` cannot have 1 elements"),
        (["test", "classes"], [], "`test.classes` cannot have 0 elements"),
        (["test", "classes", 1], {"name": "b"}, "it lacks `test.classes[1].f1`"),
        (["data", "origin"], 3, "`data.origin` must be of type str. Received: 3"),
        (["name"], "\ud800", "surrogates not allowed"),
    ],
)
def test_a_damaged_report_is_one_message(run, keys, value, message):
    change(run.report, keys, value)
    with pytest.raises(RunError) as caught:
        run.read_report()
    assert f"{run.report} is damaged: " in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (["data"], [1], "`data` must be of type dict. Received: [1]"),
        (["data"], "x", "`data` must be of type dict."),
        (["data", "fingerprint"], 5, "`data.fingerprint` must be of type str. Received: 5"),
        (["data", "input_range"], [1, 2], "`data.input_range` must be of type dict or NoneType."),
        (["status"], ["finished"], "`status` must be of type str."),
        (["starts"], {"place": "a"}, "it lacks `starts.count`"),
        (["resumed"], "yesterday", "`resumed` must be of type list."),
    ],
)
def test_a_damaged_manifest_is_one_message(run, keys, value, message):
    change(run.manifest, keys, value)
    with pytest.raises(RunError) as caught:
        check_same_data(run, None)
    assert f"{run.manifest} is damaged: " in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda lines: lines * 2, "line 2 is damaged: its `step` is not above that of the line"),
        (lambda lines: ["[" * 100_000], "line 1 is damaged: maximum recursion depth"),
        (lambda lines: ["null"], "line 1 is damaged: its content must be of type dict"),
        (lambda lines: ['{"step": 1}'], "line 1 is damaged: it lacks `train_loss`"),
    ],
)
def test_damaged_metrics_are_one_message(run, spoil, message):
    lines = run.metrics.read_text().splitlines()[:1]
    run.metrics.write_text("\n".join(spoil(lines)))
    with pytest.raises(RunError) as caught:
        read_metrics(run)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (["shift"], [0.0] * 3, "shift must have 1 or 2 values for 2 features. Received: 3"),
        (["scale"], [10**400], "scale must be of finite numbers. Received: (1000000"),
        (["scale"], [float("nan")], "scale must be of finite numbers. Received: (nan,)"),
        (["class_names", 0], "\ud800", "surrogates not allowed"),
    ],
)
def test_a_damaged_description_of_the_data_is_one_message(run, keys, value, message):
    change(run.dataset, keys, value)
    with pytest.raises(RunError) as caught:
        load_trained(run)
    assert f"{run.dataset} cannot be read: " in str(caught.value)
    assert message in str(caught.value)


def test_a_description_of_the_data_that_is_nested_too_deeply_is_one_message(run):
    run.dataset.write_text("[" * 100_000)
    with pytest.raises(RunError, match=r"dataset.json cannot be read: maximum recursion"):
        load_trained(run)
