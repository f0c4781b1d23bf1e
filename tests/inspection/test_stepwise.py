"""Inspections beside the classifier itself, and beside numbers that are known."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf

from seqclf import build_classifier
from seqclf.config import resolve
from seqclf.data.dataset import DatasetSpec
from seqclf.data.normalization import as_sequences
from seqclf.data.permutation import with_order
from seqclf.errors import RunError
from seqclf.inspection import figures
from seqclf.inspection.report import inspection_in_words, write_inspection
from seqclf.inspection.stepwise import inspect_examples, memory_in_steps

NAMES = ("nil", "one", "two")
IMAGES = DatasetSpec("test", "rows", (6, 5), "uint8", NAMES, scale=(1 / 255,))
VARYING = DatasetSpec("test", "rows", (6, 5), "float32", NAMES, variable_length=True)
READINGS = [
    IMAGES,
    dataclasses.replace(IMAGES, reading="columns"),
    dataclasses.replace(IMAGES, reading="pixels"),
    with_order(dataclasses.replace(IMAGES, reading="permuted"), seed=0),
    dataclasses.replace(IMAGES, raw_shape=(6, 5, 3)),
    VARYING,
    dataclasses.replace(VARYING, raw_shape=(6, 1), variable_length=False),
]
CELLS = ["gru", "lstm", "rnn", "mgu"]


def examples(spec, count=2):
    rng = np.random.default_rng(0)
    if spec.raw_dtype == "uint8":
        return rng.integers(0, 256, (count, *spec.raw_shape)).astype(np.uint8)
    return rng.normal(size=(count, *spec.raw_shape)).astype(np.float32)


def classifier(spec, **model):
    return build_classifier(resolve({"model": {"units": [8, 6]} | model}), spec)


@pytest.mark.parametrize(
    "options",
    [*({"cell": cell} for cell in CELLS), {"pooling": "mean"}],
    ids=lambda each: next(iter(each.values())),
)
def test_each_step_s_answer_is_that_to_the_prefix(options):
    model, x = classifier(VARYING, **options), examples(VARYING)
    lengths = np.array([6, 4], np.int32)
    inspections = inspect_examples(model, VARYING, x, lengths)
    for inspection, raw, length in zip(inspections, x, lengths, strict=True):
        assert inspection.probabilities.shape == (length, 3)
        for t in range(1, length + 1):
            upto = np.array([t], np.int32)
            sequences = as_sequences(raw[None], VARYING, upto)
            logits = model({"sequences": sequences, "lengths": tf.constant(upto)})
            expected = tf.nn.softmax(logits)[0]
            np.testing.assert_allclose(inspection.probabilities[t - 1], expected, atol=1e-5)


def test_the_answer_settles_where_it_changes_for_the_last_time():
    (inspection,) = inspect_examples(classifier(IMAGES), IMAGES, examples(IMAGES, 1))
    for winners, settled in (([0, 1, 1, 2, 1, 1], 5), ([2] * 6, 1), ([0, 0, 0, 0, 0, 1], 6)):
        probabilities = np.eye(3)[winners]
        changed = dataclasses.replace(inspection, probabilities=probabilities)
        assert changed.settled_step == settled
        assert changed.predicted_class == winners[-1]


def test_memory_is_the_time_to_an_e_th():
    kept = np.array([[np.exp(-1 / 5), 1.0, 0.0, 0.9], [np.exp(-1 / 5), 1.0, 0.5, 0.1]])
    lasts = memory_in_steps(kept)
    np.testing.assert_allclose(lasts[0], 5.0)
    assert lasts[1] == np.inf and lasts[2] == 0.0
    np.testing.assert_allclose(np.sqrt(0.9 * 0.1) ** lasts[3], np.exp(-1))


@pytest.mark.parametrize("spec", READINGS, ids=lambda s: f"{s.reading}-{s.raw_shape}-{s.raw_dtype}")
def test_figures_of_every_kind_of_example(spec, tmp_path):
    lengths = np.array([4], np.int32) if spec.variable_length else None
    (inspection,) = inspect_examples(classifier(spec), spec, examples(spec, 1), lengths)
    files = write_inspection(inspection, tmp_path)
    drawn = {file.name for file in files if file.suffix == ".png"}
    assert drawn == {
        *("answers.png", "gates_1.png", "gates_2.png", "memories_1.png", "memories_2.png")
    }
    assert all(file.stat().st_size > 1000 for file in files if file.suffix == ".png")
    content = json.loads((tmp_path / "reading.json").read_text())
    assert content["answer"] == NAMES[inspection.predicted_class]
    np.testing.assert_allclose(content["step_probabilities"], inspection.probabilities, atol=1e-5)
    words, T = inspection_in_words("it", inspection), len(inspection.probabilities)
    assert words.startswith(f"it: {NAMES[inspection.predicted_class]}, ")
    assert f"after {T:>{len(str(T))}} " in words


@pytest.mark.parametrize("cell", CELLS)
def test_every_gate_of_a_cell_has_its_map(cell):
    (inspection,) = inspect_examples(classifier(IMAGES, cell=cell), IMAGES, examples(IMAGES, 1))
    titles = [axes.get_title() for axes in figures.gates_by_step(inspection, 0).axes]
    gates = {
        "gru": ["update gate", "reset gate"],
        "lstm": ["input gate", "forget gate", "output gate"],
        "rnn": [],
        "mgu": ["forget gate"],
    }[cell]
    state = ["state", "cell state"] if cell == "lstm" else ["state"]
    assert [title for title in titles if title] == ["what is read", *gates, "candidate", *state]
    assert (figures.longest_memories(inspection, 0) is None) == (cell == "rnn")


def test_units_are_drawn_in_the_order_of_their_memories():
    (inspection,) = inspect_examples(classifier(IMAGES), IMAGES, examples(IMAGES, 1))
    axes = figures.gates_by_step(inspection, 0).axes[1]
    drawn = axes.images[0].get_array()
    order = np.argsort(-memory_in_steps(inspection.layers[0].kept), kind="stable")
    np.testing.assert_allclose(drawn, inspection.layers[0].gates["update_gate"][:, order])


@pytest.mark.parametrize(
    "options",
    [{"bidirectional": True}, {"bidirectional": True, "pooling": "mean"}, {"time_reduction": [2]}],
)
def test_what_cannot_be_watched_is_refused(options):
    with pytest.raises(RunError, match="cannot be watched step by step"):
        inspect_examples(classifier(IMAGES, **options), IMAGES, examples(IMAGES))
