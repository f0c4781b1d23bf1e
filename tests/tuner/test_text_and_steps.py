"""Searches on text, and on labels of time steps."""

import json

import pytest
from tiny_sources import SMALL, sources

from seqclf.config.search_space import Choice, SearchSpace
from seqclf.errors import ConfigError
from seqclf.tuner.search import SearchOptions, run_search

SPACE = {"optimizer.learning_rate": Choice(0.01, 0.1)}


@pytest.mark.parametrize(
    ("kind", "objective"), [("text", "validation_loss"), ("steps", "validation_macro_f1")]
)
def test_the_best_trial_is_found(tmp_path, kind, objective):
    space = SearchSpace({**SMALL, "data": sources(tmp_path)[kind]}, SPACE)
    rows = run_search(space, SearchOptions("grid", objective), tmp_path / "s")
    assert [row["status"] for row in rows] == ["completed"] * 2
    scores = [row["score"] for row in rows]
    assert scores == sorted(scores, reverse=objective != "validation_loss")
    for row in rows:
        run = tmp_path / "s/trials" / row["run"]
        values = [
            json.loads(x)[objective] for x in (run / "metrics.jsonl").read_text().splitlines()
        ]
        assert row["score"] == (min if kind == "text" else max)(values)
        assert "test" not in json.loads((run / "report.json").read_text())
    assert objective in (tmp_path / "s/search.md").read_text()


def test_means_over_classes_are_not_for_text(tmp_path):
    space = SearchSpace({**SMALL, "data": sources(tmp_path)["text"]}, SPACE)
    message = "by validation_accuracy or validation_loss: .* Received: --objective=validation_roc"
    with pytest.raises(ConfigError, match=message):
        run_search(space, SearchOptions("grid", "validation_roc_auc"), tmp_path / "s")
    assert not (tmp_path / "s").exists()
