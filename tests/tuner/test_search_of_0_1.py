"""A search that version 0.1 began, killed in its second trial, goes on in this version.

`tests/data_of_0_1/searches.tar.xz` has what `seqclf.tune` and `seqclf.compare` of version 0.1 left
behind, without figures, and the recipe of both.
"""

import json
import tarfile

import numpy as np
import pytest
from running import ROOT

from seqclf.config import nest
from seqclf.config.recipes import load_recipe
from seqclf.config.search_space import SearchSpace
from seqclf.storage.run_directory import Run
from seqclf.training.metrics_log import read_metrics
from seqclf.tuner.search import SearchOptions, run_search

# What version 0.1 itself finds when it resumes: trial, learning rate, validation loss. Only of
# trial 3, which it begins anew, it has 2.163818: of two validations with the same accuracy it took
# the first instead of that of the lower loss.
FOUND = [(3, 0.0386083, 2.138856), (1, 0.00185664, 2.302845), (2, 0.00299178, 2.321631)]


@pytest.fixture
def old(tmp_path):
    with tarfile.open(ROOT / "tests" / "data_of_0_1" / "searches.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path


def test_it_goes_on_as_in_that_version(old, capsys):
    folder = old / "search"
    first = (folder / "trials/001/model.keras").read_bytes()
    recipe = load_recipe(str(old / "recipe.py"))
    space = SearchSpace(nest(recipe.values), recipe.search_space())
    rows = run_search(space, SearchOptions("random", max_trials=3), folder)
    output = capsys.readouterr().out
    assert "Resuming: 1 trials have ended before." in output
    assert "Resuming at step 16 of 24." in output
    assert (folder / "trials/001/model.keras").read_bytes() == first
    found = [
        (r["trial"], r["values"]["optimizer.learning_rate"], r["validation_loss"]) for r in rows
    ]
    assert [each[:2] for each in found] == [each[:2] for each in FOUND]
    losses, expected = [each[2] for each in found], [each[2] for each in FOUND]
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    manifest = Run(folder / "trials/002").read_manifest()
    assert (manifest["status"], len(manifest["resumed"])) == ("finished", 1)
    assert [record["step"] for record in read_metrics(Run(folder / "trials/002"))] == [8, 16, 24]
    assert json.loads((folder / "search.json").read_text())["seconds"] > 0


def test_its_trials_are_runs(old):
    run = Run(old / "search/trials/001")
    report = json.loads(run.report.read_text())
    assert run.read_config().optimizer.learning_rate == 0.00185664
    assert report["validation"]["loss"] == pytest.approx(FOUND[1][2], rel=1e-5)
