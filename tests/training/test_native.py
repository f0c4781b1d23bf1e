"""When a training and a prediction take the native operations, and what is said without them."""

import numpy as np
import pytest

from seqclf import build_classifier, load_dataset
from seqclf.config import resolve
from seqclf.errors import ConfigError
from seqclf.layers import native as operations
from seqclf.layers.native import library
from seqclf.training import native
from seqclf.training.effective import check_fits_data, choices_in_words
from seqclf.training.native import predicts_natively, trains_natively
from seqclf.training.prediction import make_prediction_step

built = pytest.mark.skipif(
    bool(operations.obstacle()), reason=f"no native operations: {operations.obstacle()}"
)


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits")


@built
@pytest.mark.parametrize(
    ("changes", "taken"),
    [
        ({}, True),
        ({"jit_compile": False}, True),
        ({"native": "off"}, False),
        ({"model": {"conv": [4]}}, False),
        ({"model": {"conv": [4]}, "native": "on"}, True),
        ({"model": {"cell": "lstm"}}, False),
        ({"precision": "mixed_bfloat16"}, False),
    ],
)
def test_where_a_training_takes_them(changes, taken):
    assert trains_natively(resolve(changes)) is taken


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"model": {"cell": "lstm"}}, "they are made for the GRU, and `model.cell` is 'lstm'"),
        ({"precision": "mixed_bfloat16"}, "they compute in float32, and `precision` is 'mixed_"),
    ],
)
def test_on_is_refused_where_they_cannot_be_taken(changes, why, digits):
    with pytest.raises(ConfigError, match=f"`native` is 'on', but .*: {why}.*'auto'"):
        check_fits_data(resolve({**changes, "native": "on"}), digits)


def test_without_the_library_it_is_said_once_and_on_is_refused(monkeypatch, digits):
    missing = library.Library(None, "", "it was not built")
    monkeypatch.setattr(native.native, "obstacle", lambda: missing.obstacle)
    line = "no native operations: it was not built"
    assert choices_in_words(resolve({}), digits).count(line) == 1
    for changes in ({"native": "off"}, {"model": {"cell": "lstm"}}):
        assert line not in choices_in_words(resolve(changes), digits)
    assert not trains_natively(resolve({}))
    with pytest.raises(ConfigError, match="it was not built"):
        trains_natively(resolve({"native": "on"}))


@built
@pytest.mark.parametrize(
    ("changes", "taken"),
    [({"bidirectional": True}, True), ({"cell": "mgu"}, False), ({"conv": [4]}, False), ({}, True)],
)
def test_where_a_prediction_takes_them(changes, taken, digits):
    config = resolve({"model": {"units": [6, 4], **changes}})
    model = build_classifier(config, digits.spec)
    assert predicts_natively(model) is taken
    x = np.random.default_rng(0).normal(size=(9, 8, 8)).astype("float32")
    expected = make_prediction_step(model, jit_compile=False, native=False)(x)
    np.testing.assert_allclose(make_prediction_step(model, True)(x), expected, atol=1e-5)
