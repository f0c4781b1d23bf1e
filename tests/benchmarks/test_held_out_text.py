"""benchmarks.held_out_text: dynamic evaluation, and that a test part is read for one config."""

import json

import keras
import numpy as np
import pytest

from benchmarks import held_out_text
from benchmarks.held_out_text import dynamic_log_probabilities, score_test_part
from benchmarks.test_reads import Record
from seqclf.config import resolve
from seqclf.data.dataset import DatasetSpec
from seqclf.data.text.split import TextSplit
from seqclf.data.text.token_spec import TokenSpec
from seqclf.errors import DataError
from seqclf.models.language_model import build_language_model
from seqclf.training.text_evaluation import TextScorer

SPEC = DatasetSpec("text:t", "rows", (5, 1), "int32", ("<unk>", *"abc"), tokens=TokenSpec())
TEXT = np.tile(np.array([1, 2, 3, 2], np.int32), 60)


def language_model():
    keras.utils.set_random_seed(3)
    config = resolve({"model": {"units": [6]}, "data": {"source": "text:t"}})
    return build_language_model(config, SPEC)


@pytest.mark.parametrize("before", [0, 9])
def test_without_a_rate_it_is_the_score_of_the_model(before):
    part = TextSplit(TEXT[before:200], 5, before=TEXT[:before])
    model = language_model()
    found = dynamic_log_probabilities(model, part, 0.0)
    expected = TextScorer(model, SPEC)(part).log_probabilities
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_text_that_repeats_itself_is_learnt_while_it_is_read():
    part = TextSplit(TEXT, 5)
    static = dynamic_log_probabilities(language_model(), part, 0.0)
    dynamic = dynamic_log_probabilities(language_model(), part, 0.5)
    first = held_out_text.PIECE  # predicted before anything was learnt
    np.testing.assert_allclose(dynamic[:first], static[:first], rtol=1e-4)
    assert dynamic[-first:].mean() > static[-first:].mean() + 0.1


def test_the_test_part_is_for_the_first_config_and_seeds_are_scored_once(
    tmp_path, monkeypatch, capsys
):
    file = tmp_path / "text.txt"
    file.write_text("to be or not to be " * 40)
    config = resolve({"data": {"source": f"text:{file}", "window": 5}, "steps": 4})
    trained = []

    def figures(config, dataset, part, folder, rates):
        assert not len(dataset.validation) and part is dataset.test
        trained.append(config.seed)
        return {
            "static": 2.0 + config.seed / 1000,
            "dynamic": {str(rate): 1.5 for rate in rates},
            "seconds": 1.0,
            "cpu_seconds": 1.0,
        }

    monkeypatch.setattr(held_out_text, "trained_and_scored", figures)
    path, out = tmp_path / "reads.json", tmp_path / "out"
    for _ in range(2):
        score_test_part(config, out, Record(path, "bits_per_character"), 3, again=False)
    assert trained == [100, 101, 102]
    printed = capsys.readouterr().out
    assert "static 2.101 (2.100–2.102), dynamic 1.500 (1.500–1.500)" in printed
    assert "Kneser-Ney, order 6: " in printed
    other = config.changed({"steps": 5})
    with pytest.raises(DataError, match="the test split was read"):
        score_test_part(other, out, Record(path, "bits_per_character"), 1, again=False)
    score_test_part(other, out, Record(path, "bits_per_character"), 1, again=True)
    assert "not the first config" in capsys.readouterr().out
    (reads,) = json.loads(path.read_text()).values()
    assert reads[0]["bits_per_character"] == {"100": 2.1, "101": 2.101, "102": 2.102}
