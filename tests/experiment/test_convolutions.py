"""Convolutions beside the recurrent layers through the whole path: train, resume, export, trace."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from resuming import assert_a_stop_changes_no_bit

from seqclf import build_classifier, load_dataset
from seqclf.config import resolve
from seqclf.data.normalization import as_sequences
from seqclf.errors import ConfigError
from seqclf.experiment.run import run_experiment
from seqclf.models.loading import load_trained
from seqclf.serving.export import export_run
from seqclf.serving.file_names import LITERT
from seqclf.serving.litert import run_litert
from seqclf.serving.predictor import Predictor
from seqclf.storage.run_directory import Run
from seqclf.training.effective import check_fits_data
from seqclf.training.optimizers import build_optimizer
from seqclf.training.passes import SharePasses


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits")


def config(**changes):
    model = {"units": [8], "conv": [8, 6], **changes.pop("model", {})}
    small = {"batch_size": 32, "steps": 12, "validate_every": 6, "checkpoint_every": 6, "shares": 2}
    return resolve({"data": {"source": "digits"}, **small, "model": model, **changes})


@pytest.mark.parametrize("dropout", [0.0, pytest.param(0.2, marks=pytest.mark.slow)])
def test_stopped_and_resumed_ends_with_the_same_bits(dropout, digits, tmp_path):
    chosen = config(select="last", model={"dropout": dropout})
    assert_a_stop_changes_no_bit(chosen, digits, tmp_path, stop=6)


def test_trained_exported_and_traced(digits, tmp_path):
    report = run_experiment(
        config(
            steps=200,
            jit_compile=False,
            optimizer={"learning_rate": 0.02},
            model={"conv_dilation": 2, "conv_pooling": "max"},
        ),
        tmp_path / "run",
    )
    assert report["test"]["accuracy"] > 0.8
    run = Run(tmp_path / "run")
    model, spec = load_trained(run)
    x = digits.test.x[:5]
    expected = tf.nn.softmax(model(as_sequences(x, spec)))
    version = export_run(run, tmp_path / "models", litert="float32")  # which verifies it
    answers = Predictor(version).predict(x, None, [""] * 5)
    np.testing.assert_allclose([a.probabilities for a in answers], expected, atol=1e-5)
    served = tf.saved_model.load(str(version)).signatures["trace_gates"]
    steps = served(inputs=tf.constant(x))["step_probabilities"]
    np.testing.assert_allclose(steps[:, -1], expected, atol=1e-5)
    on_device = run_litert((version / LITERT).read_bytes(), x)
    np.testing.assert_allclose(on_device, expected, atol=1e-5)


def test_the_gradient_is_the_same_whatever_the_shares(digits):
    chosen = config(model={"units": [4], "conv": [5, 4, 3]})
    model = build_classifier(chosen, digits.spec)
    optimizer = build_optimizer(chosen, 10)
    optimizer.build(model.trainable_variables)
    inputs, labels = (
        as_sequences(digits.train.x[:10], digits.spec),
        tf.constant(digits.train.y[:10]),
    )
    results = [
        SharePasses(model, optimizer, chosen, shares, True).losses_and_gradients(inputs, labels)
        for shares in (1, 3)
    ]
    (one, gradients), (other, in_shares) = results
    np.testing.assert_allclose(one.loss, other.loss, atol=1e-5)
    for a, b in zip(gradients, in_shares, strict=True):
        assert np.abs(a).max() > 0
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_sequences_shorter_than_a_kernel_are_refused_before_a_run_is_made(digits):
    narrow = dataclasses.replace(digits.spec, raw_shape=(7, 8))
    short = dataclasses.replace(digits, spec=narrow)
    with pytest.raises(ConfigError, match=r"`model.conv` reads 8 time steps at once.*have 7: set"):
        check_fits_data(config(), short)
    check_fits_data(config(model={"conv": []}), short)
