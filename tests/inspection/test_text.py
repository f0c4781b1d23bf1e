"""What a language model does along a text: probabilities, the units that are drawn, the files."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqclf.config import resolve
from seqclf.data.dataset import DatasetSpec
from seqclf.data.text.token_spec import TokenSpec
from seqclf.errors import ConfigError, DataError
from seqclf.experiment.coloured_text import ROW, rows_of, signed_colours, surprise_colours
from seqclf.inspection.text import (
    chosen_units,
    inspect_text,
    text_inspection_in_words,
    write_text_inspection,
)
from seqclf.models.language_model import build_language_model

SPEC = DatasetSpec("text:t", "rows", (5, 1), "int32", ("<unk>", *" abcdefgh\n"), tokens=TokenSpec())
TEXT = "bad cab\nfed a ${} head " * 8


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(3)
    options = {"units": [6, 5], "embedding": 4, "layer_norm": True, "dropout": 0.2}
    config = resolve({"model": options, "data": {"source": "text:t"}})
    return build_language_model(config, SPEC)


@pytest.fixture(scope="module")
def inspection(model):
    return inspect_text(model, SPEC, TEXT)


def test_probabilities_are_those_of_the_model(model, inspection):
    index = {name: i for i, name in enumerate(SPEC.class_names)}
    ids = np.array([[index.get(character, 0) for character in TEXT]])
    probabilities = tf.nn.softmax(model(ids))[0].numpy()
    expected = probabilities[np.arange(len(TEXT) - 1), ids[0, 1:]]
    np.testing.assert_allclose(inspection.probabilities[1:], expected, rtol=1e-4)
    assert np.isnan(inspection.probabilities[0]) and inspection.tokens.count("<unk>") == 24
    assert inspection.expected[1] == SPEC.class_names[probabilities[0].argmax()]
    assert [v["state"].shape for v in inspection.values] == [(len(TEXT), 6), (len(TEXT), 5)]
    assert "update_gate" in inspection.values[0]


def test_units_are_those_asked_for_or_those_that_change_most(inspection):
    assert chosen_units(inspection, ["1:6", "2:1"]) == [(1, 6), (2, 1)]
    layers, units = zip(*chosen_units(inspection), strict=True)
    spread = inspection.values[1]["state"].std(axis=0)
    assert set(layers) == {2} and spread[units[0] - 1] == spread.max()
    for wrong in ("3:1", "1:7", "0:1", "1:0", "one", "1"):
        with pytest.raises(ConfigError, match=f"layers of 6, 5 units. Received: '{wrong}'"):
            chosen_units(inspection, [wrong])


def test_it_writes_figures_and_numbers(inspection, tmp_path):
    files = write_text_inspection(inspection, [(1, 2), (2, 3)], tmp_path)
    assert {file.name for file in files} == {
        *("surprise.png", "units_state.png", "units_update_gate.png", "units_reset_gate.png"),
        "reading.json",
    }
    reading = json.loads((tmp_path / "reading.json").read_text())
    assert "".join(reading["tokens"]).replace("<unk>", "$") == TEXT.translate(
        str.maketrans("{}", "$$")
    )
    assert reading["probabilities"][0] is None and len(reading["units"]) == 2
    assert reading["bits_per_token"] == pytest.approx(np.nanmean(inspection.bits))


def test_the_most_surprising_tokens_are_named(inspection):
    first = text_inspection_in_words("page.txt", inspection).splitlines()
    assert first[0].startswith(f"page.txt: {len(TEXT)} tokens") and len(first) == 6
    assert f"{np.nanmax(inspection.bits):.1f} bits" in first[1]


def test_of_a_long_text_the_beginning_is_read_and_that_is_said(model, monkeypatch):
    monkeypatch.setattr("seqclf.inspection.text.MOST_TOKENS", 9)
    long = inspect_text(model, SPEC, TEXT)
    assert len(long.tokens) == 9
    said = text_inspection_in_words("page.txt", long)
    assert said.startswith(f"page.txt: the first 9 of {len(TEXT)} tokens, ")


def test_one_token_is_too_few(model):
    with pytest.raises(DataError, match="two tokens at least.*Received: 'a', 1 characters"):
        inspect_text(model, SPEC, "a")


def test_rows_hold_what_fits():
    rows = rows_of(["abcd"] * 40, most=2)
    assert [len(row) for row in rows] == [ROW // 4] * 2 and rows[1][0] == ROW // 4
    assert rows_of(["x" * (ROW + 5), "y"], most=3) == [[0], [1]]
    assert rows_of(["a", "b"], most=3) == [[0, 1]]


def test_colours_have_their_ends():
    orange = (1.0, 0.38, 0.0)
    assert surprise_colours(np.array([0.0, 8.0, 99.0]), 8) == [(1, 1, 1), orange, orange]
    blue, white, orange = signed_colours(np.array([-5.0, 0.0, 1.0]))
    assert blue[2] == 1 and blue[0] == 0.25 and white == (1, 1, 1) and orange[0] == 1
