"""Many trainings and scorings in one process do not cause TensorFlow's warning of retracing."""

import logging

import keras
import numpy as np
import pytest

from seqclf.config import resolve
from seqclf.data.dataset import DatasetSpec, Split
from seqclf.training.evaluation import Scorer
from seqclf.training.optimizers import build_optimizer
from seqclf.training.step import TrainStep

SPEC = DatasetSpec("test", "rows", (3, 2), "float32", ("a", "b"))
X = np.random.default_rng(0).normal(size=(8, 3, 2)).astype("float32")
Y = np.arange(8, dtype="int32") % 2
MANY = 5  # TensorFlow warns at the fifth


def model():
    inputs = keras.Input((3, 2))
    return keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(inputs)))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_many_scorers(jit_compile, caplog):
    with caplog.at_level(logging.WARNING, logger="tensorflow"):
        for _ in range(MANY):
            Scorer(model(), SPEC, jit_compile)(Split(X, Y))
    assert not caplog.messages


def test_many_short_trainings(caplog):
    plain = {"name": "sgd", "schedule": "constant"}
    config = resolve({"batch_size": 8, "jit_compile": False, "optimizer": plain})
    with caplog.at_level(logging.WARNING, logger="tensorflow"):
        for _ in range(MANY):
            trained = model()
            step = TrainStep(trained, build_optimizer(config, 1), config)
            step(keras.ops.convert_to_tensor(X), keras.ops.convert_to_tensor(Y))
    assert not caplog.messages


def test_batches_of_many_lengths(caplog):
    inputs = keras.Input((None, 2))
    pooled = keras.layers.GlobalAveragePooling1D()(inputs)
    trained = keras.Model(inputs, keras.layers.Dense(2)(pooled))
    plain = {"name": "sgd", "schedule": "constant"}
    config = resolve({"batch_size": 8, "jit_compile": False, "optimizer": plain})
    step = TrainStep(trained, build_optimizer(config, 1), config)
    with caplog.at_level(logging.WARNING, logger="tensorflow"):
        for length in range(1, MANY + 3):
            x = np.zeros((8, length, 2), "float32")
            step(keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(Y))
    assert not caplog.messages
