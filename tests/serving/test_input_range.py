"""Warnings about inputs that are scaled otherwise than the training inputs."""

import json

import numpy as np
import pytest

from seqclf.serving.input_range import InputRange
from seqclf.serving.model_facts import ModelFacts, read_entries

DIGITS = InputRange.from_json({"low": 0, "high": 16})
MEASURED = InputRange.from_json({"low": [0.0, -100.0, 3.0], "high": [1.0, 100.0, 3.0]})


def test_pixels_of_another_full_scale():
    x = np.zeros((2, 8, 8), np.uint8)
    assert DIGITS.warning(x) == "" and DIGITS.warning(x + 16) == "" and DIGITS.warning(x + 30) == ""
    x[1, 2, 3] = 255
    assert "go from 0 to 255, but the training inputs went from 0 to 16" in DIGITS.warning(x)


@pytest.mark.parametrize(("feature", "value", "warns"), [
    (0, 1.9, False), (0, 2.1, True), (0, -1.1, True), (1, 299, False), (1, -301, True),
    (2, 100, False), (2, 250, True),
])  # fmt: skip
def test_each_feature_has_a_range_of_its_own(feature, value, warns):
    x = np.tile(np.float32([0.5, 0, 3]), (2, 5, 1))
    x[1, 4, feature] = value
    assert bool(MEASURED.warning(x)) == warns
    assert MEASURED.warning(x, np.array([5, 4])) == ""  # it is padding


def test_missing_values_do_not_hide_a_value_far_outside():
    x = np.full((2, 5, 3), np.nan, "float32")
    assert MEASURED.warning(x) == ""
    x[0, 1, 1], x[1, 2, 1] = 0, 999
    assert "the inputs go from 0 to 999, but" in MEASURED.warning(x)


def test_inputs_that_cannot_be_compared_get_no_warning():
    assert MEASURED.warning(np.full((1, 2, 4), 1e9)) == ""
    assert MEASURED.warning(np.array([[b"a"]], object)) == ""
    assert MEASURED.warning(np.zeros((0, 2, 3))) == ""


@pytest.mark.parametrize(
    "entry", [None, 3, {}, {"low": 1}, {"low": "a", "high": 2}, {"low": 2, "high": 1},
              {"low": [0], "high": [1, 2]}, {"low": [[0]], "high": [[1]]}, {"low": [], "high": []}]
)  # fmt: skip
def test_entries_that_are_no_range(entry):
    assert InputRange.from_json(entry) is None


def recorded(version):
    return ModelFacts.from_json(read_entries(version)).input_range


def test_it_is_read_from_the_manifest(tmp_path):
    assert recorded(tmp_path) is None
    path = tmp_path / "assets.extra" / "manifest.json"
    path.parent.mkdir()
    for text in ("not json", "[]", "{}"):
        path.write_text(text)
        assert recorded(tmp_path) is None
    path.write_text(json.dumps({"input_range": {"low": 0, "high": [1]}}))
    assert recorded(tmp_path) is None
    path.write_text(json.dumps({"input_range": {"low": [0], "high": [1]}}))
    assert recorded(tmp_path).high.tolist() == [1]
