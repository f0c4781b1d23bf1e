"""Files of a run that are damaged between two starts: one message, or made anew."""

import json

import pytest

from seqclf.config import resolve
from seqclf.errors import RunError
from seqclf.experiment.run import run_experiment
from seqclf.storage.run_directory import Run

CONFIG = {
    "data": {"source": "digits"},
    "model": {"units": [8]},
    "steps": 20,
    "validate_every": 10,
    "checkpoint_every": 10,
    "jit_compile": False,
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    run = Run(tmp_path_factory.mktemp("finished") / "run")
    run_experiment(resolve(CONFIG), run.path, export=False)
    return run


@pytest.mark.parametrize("name", ["manifest.json", "metrics.jsonl", "config.json"])
def test_one_message_names_it(finished, name):
    path, report = finished.path / name, finished.report.read_text()
    content = path.read_text()
    finished.report.unlink()
    path.write_text(content[: len(content) // 2])
    try:
        with pytest.raises(RunError, match=f"{name}.*(damaged|cannot be read)"):
            run_experiment(resolve(CONFIG), finished.path, export=False)
    finally:
        path.write_text(content)
        finished.report.write_text(report)


def test_a_damaged_report_is_named(finished):
    content = finished.report.read_text()
    finished.report.write_text(content[:50])
    with pytest.raises(RunError, match="report.json is damaged"):
        run_experiment(resolve(CONFIG), finished.path, export=False)
    finished.report.write_text(content)


def test_the_description_of_the_data_is_written_again(finished):
    content = finished.dataset.read_text()
    finished.report.unlink()
    finished.dataset.write_text(content[:50])
    run_experiment(resolve(CONFIG), finished.path, export=False)
    assert json.loads(finished.dataset.read_text()) == json.loads(content)
