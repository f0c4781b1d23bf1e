"""Saved classifiers, opened by us and by Keras itself."""

import subprocess
import sys

import numpy as np
import pytest

from seqclf import build_classifier
from seqclf.config import resolve
from seqclf.data.dataset import DatasetSpec
from seqclf.errors import RunError
from seqclf.models.loading import load_classifier

FIXED = DatasetSpec("test", "rows", (8, 4), "float32", ("a", "b", "c"))
VARYING = DatasetSpec("test", "rows", (8, 4), "float32", ("a", "b", "c"), variable_length=True)


@pytest.mark.parametrize(
    "options",
    [
        {"bidirectional": True, "pooling": "mean"},
        {"time_reduction": [2], "chrono": 6},
        {"conv": [5, 3]},
    ],
    ids=str,
)
@pytest.mark.parametrize("spec", [FIXED, VARYING], ids=["fixed", "varying"])
def test_saved_and_loaded(spec, options, tmp_path):
    model = build_classifier(
        resolve({"model": {"units": [4, 3], "layer_norm": True, **options}}), spec
    )
    model.save(tmp_path / "m.keras")
    loaded = load_classifier(tmp_path / "m.keras")
    x = np.ones((2, 8, 4), "float32")
    inputs = {"sequences": x, "lengths": np.array([2, 6])} if spec.variable_length else x
    np.testing.assert_array_equal(loaded(inputs), model(inputs))


def test_a_public_name_makes_keras_open_every_model(tmp_path):
    """Even `default_config`, whose module needs no TensorFlow: all layers are registered."""
    for cell in ("gru", "lstm", "rnn", "mgu"):
        options = {"cell": cell, "units": [3, 3], "time_reduction": [2], "pooling": "mean"}
        options["conv"] = [3]
        chrono = {"chrono": 6} if cell != "rnn" else {}
        config = resolve({"model": {**options, **chrono}})
        build_classifier(config, VARYING).save(tmp_path / f"{cell}.keras")
    program = """
import sys
from seqclf import default_config
import keras
for path in sys.argv[1:]:
    keras.models.load_model(path)
"""
    files = sorted(map(str, tmp_path.glob("*.keras")))
    assert len(files) == 4
    command = [sys.executable, "-c", program, *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_a_damaged_model_file_is_named(tmp_path):
    path = tmp_path / "m.keras"
    build_classifier(resolve({"model": {"units": [4]}}), FIXED).save(path)
    content = path.read_bytes()
    for damaged in (content[:200], b"junk", content[:-400]):
        path.write_bytes(damaged)
        with pytest.raises(RunError, match="m.keras cannot be loaded as a model"):
            load_classifier(path)
