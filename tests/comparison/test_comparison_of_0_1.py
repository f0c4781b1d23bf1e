"""A comparison that version 0.1 began goes on in this version."""

import json
import tarfile

from running import ROOT

from seqclf import load_dataset
from seqclf.comparison.report import write_report
from seqclf.comparison.trainings import run_comparison
from seqclf.config import nest, resolve
from seqclf.config.recipes import load_recipe


def test_a_second_cell_is_trained_and_the_first_is_kept(tmp_path):
    with tarfile.open(ROOT / "tests" / "data_of_0_1" / "searches.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    folder = tmp_path / "comparison"
    config = resolve(nest(load_recipe(str(tmp_path / "recipe.py")).values))
    digits = load_dataset(**config.data.to_dict())
    model = (folder / "runs/gru-4-seed0/model.keras").read_bytes()
    before = json.loads((folder / "results.json").read_text())["outcomes"][0]
    outcomes = run_comparison(config, digits, folder, ["gru", "mgu"], seeds=1, budgets=["width"])
    assert [outcome.variant.cell for outcome in outcomes] == ["gru", "mgu"]
    assert (folder / "runs/gru-4-seed0/model.keras").read_bytes() == model
    write_report(config, digits, outcomes, folder)  # opens both models
    after = json.loads((folder / "results.json").read_text())["outcomes"]
    assert after[0] == before
    assert after[1]["test_accuracy"] > 0
