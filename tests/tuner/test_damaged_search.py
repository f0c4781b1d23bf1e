"""A search or a comparison whose files were damaged says which one it is, and loses nothing."""

import json
import shutil

import pytest

from seqclf import load_dataset
from seqclf.comparison.report import write_report
from seqclf.comparison.trainings import run_comparison
from seqclf.config import resolve
from seqclf.config.search_space import Choice, SearchSpace
from seqclf.errors import RunError
from seqclf.tuner.search import SearchOptions, run_search

CONFIG = {"data": {"source": "digits"}, "model": {"units": [4]}, "steps": 4, "jit_compile": False}
RUN = "runs/gru-4-seed0"


@pytest.fixture(scope="module")
def search_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("search")
    search(folder)
    return folder


@pytest.fixture(scope="module")
def comparison_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparison")
    compare(folder)
    return folder


def search(folder):
    space = SearchSpace(CONFIG, {"batch_size": Choice(32, 64)})
    return run_search(space, SearchOptions("random", max_trials=1), folder)


def compare(folder):
    config, digits = resolve(CONFIG), load_dataset("digits")
    outcomes = run_comparison(config, digits, folder, ["gru"], seeds=1, budgets=["width"])
    write_report(config, digits, outcomes, folder)


def damage(folder, name, change):
    """Writes text in place of a file, or changes entries of its JSON."""
    path = folder / name
    text = change if isinstance(change, str) else json.dumps(json.loads(path.read_text()) | change)
    path.write_text(text)


TRIAL = "keras_tuner/trial_0/trial.json"


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("search.json", "null"),
        ("search.json", {"config": None}),
        ("search.json", {"config": []}),
        ("search.json", {"seconds": "5"}),
        ("search.json", {"seconds": float("nan")}),
        ("keras_tuner/oracle.json", "[]"),
        ("keras_tuner/oracle.json", {"start_order": ["9"]}),
        ("keras_tuner/oracle.json", {"end_order": ["9"]}),
        (TRIAL, "{}"),
        (TRIAL, {"score": None}),
        (TRIAL, {"status": "RUNNING"}),
        (TRIAL, {"trial_id": "one"}),
        ("trials/001/report.json", "[]"),
        ("trials/001/report.json", {"validation": 3}),
        ("trials/001/report.json", {"training": {"train_seconds": None}}),
    ],
)
def test_a_damaged_search_is_named(search_folder, tmp_path, name, change):
    folder = tmp_path / "s"
    shutil.copytree(search_folder, folder)
    damage(folder, name, change)
    before = sorted(path for path in folder.rglob("*") if path.name != "trials")
    with pytest.raises(RunError, match=r"damaged|cannot be read") as caught:
        search(folder)
    assert name.split("/")[0] in str(caught.value)
    assert set(before) <= set(folder.rglob("*"))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("comparison.json", "[]"),
        (f"{RUN}/report.json", "[]"),
        (f"{RUN}/report.json", {"test": 3}),
        (f"{RUN}/report.json", {"test": {"accuracy": "high", "loss": 1}}),
        (f"{RUN}/metrics.jsonl", "{"),
    ],
)
def test_a_damaged_comparison_is_named(comparison_folder, tmp_path, name, change):
    folder = tmp_path / "c"
    shutil.copytree(comparison_folder, folder)
    damage(folder, name, change)
    with pytest.raises(RunError, match=r"damaged|cannot be read") as caught:
        compare(folder)
    assert name in str(caught.value)
