"""Length buckets in a training: the same loss and gradients, exact resume, what is said."""

import numpy as np
import pytest
import tensorflow as tf
from numbered_shards import numbered

import seqclf
from seqclf.config import resolve
from seqclf.data.length_buckets import in_length_buckets
from seqclf.data.pipeline import training_batches
from seqclf.data.sources import load_dataset
from seqclf.errors import ConfigError
from seqclf.experiment.announcement import training_in_words
from seqclf.storage.run_directory import Run
from seqclf.training.distribution.workers import Workers
from seqclf.training.effective import check_fits_data
from seqclf.training.loop import build, fit
from seqclf.training.optimizers import build_optimizer
from seqclf.training.passes import choose_passes

RNG = np.random.default_rng(3)
LENGTHS = np.tile(np.arange(2, 22), 4)  # the longest has 21 time steps


@pytest.fixture(scope="module")
def dataset():
    sequences = [RNG.normal(size=(length, 2)) for length in LENGTHS]
    for sequence in sequences:
        sequence[1, 0] = np.nan
    return seqclf.Dataset.from_arrays(
        sequences, ["calm", "busy"] * 40, missing="interpolate", split_seed=1
    )


def config(**changes):
    small = {"batch_size": 8, "steps": 12, "validate_every": 6, "checkpoint_every": 6}
    model = {"units": [4], **changes.pop("model", {})}
    return resolve({**small, "length_buckets": 3, "model": model, "jit_compile": False, **changes})


def trimmed_and_whole(dataset, batch):
    """Returns a trimmed batch, and the same examples padded to the longest sequence of all."""
    buckets = in_length_buckets(dataset.train, 3)
    batches = training_batches(buckets, dataset.spec, batch, 0).take(4)
    inputs, y = min(batches, key=lambda each: each[0]["sequences"].shape[1])
    rest = 21 - inputs["sequences"].shape[1]
    assert rest > 3
    whole = tf.pad(inputs["sequences"], [[0, 0], [0, rest], [0, 0]])
    return inputs, {"sequences": whole, "lengths": inputs["lengths"]}, y


@pytest.mark.parametrize(
    ("model", "jit_compile"),
    [
        ({"cell": "gru", "pooling": "mean"}, True),
        ({"cell": "lstm", "conv": [5, 3]}, False),
        ({"cell": "gru", "units": [4, 3, 3], "time_reduction": [3, 2], "pooling": "mean"}, False),
        ({"cell": "gru", "units": [4, 3], "bidirectional": True, "layer_norm": True}, False),
        ({"cell": "mgu", "bidirectional": True, "pooling": "mean"}, False),
        ({"cell": "rnn", "units": [3, 3]}, False),
    ],
)
def test_loss_and_gradients_are_those_of_the_untrimmed_batch(dataset, model, jit_compile):
    chosen = config(model=model, jit_compile=jit_compile)
    classifier = build(chosen, dataset.spec)
    optimizer = build_optimizer(chosen, 12)
    optimizer.build(classifier.trainable_variables)
    passes = choose_passes(classifier, optimizer, chosen, Workers())
    trimmed, whole, y = trimmed_and_whole(dataset, 6)
    np.testing.assert_allclose(classifier(trimmed), classifier(whole), rtol=1e-5, atol=1e-6)
    ours, our_gradients = passes.losses_and_gradients(trimmed, y)
    theirs, their_gradients = passes.losses_and_gradients(whole, y)
    np.testing.assert_allclose(ours.loss, theirs.loss, rtol=1e-5)
    assert all(np.abs(gradient).max() > 0 for gradient in our_gradients)
    for a, b in zip(our_gradients, their_gradients, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_a_resumed_run_ends_with_the_same_bits(dataset, tmp_path):
    changes = {"steps": 8, "validate_every": 4, "length_buckets": 2, "model": {"dropout": 0.3}}
    chosen, weights = config(select="last", **changes), []
    for name, stops in (("whole", [None]), ("cut", [4, None])):
        run = Run(tmp_path / name)
        run.prepare(chosen)
        for until in stops:
            model, state, _ = fit(chosen, dataset, run, until=until)
        assert state.step == 8
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_is_saved_is_said_before_the_first_step(dataset):
    chosen = config()
    text = training_in_words(chosen, dataset, 12, Workers())
    bounds = in_length_buckets(dataset.train, 3).bounds
    lengths = f"{bounds[0]}, {bounds[1]} or {bounds[2]} time steps"
    (line,) = (line for line in text.splitlines() if "`length_buckets`" in line)
    assert line.strip().startswith("padding is 2") and lengths in line and "not 4" in line
    assert "padding" not in training_in_words(config(length_buckets=0), dataset, 12, Workers())


def test_examples_that_have_no_buckets_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="same number of time steps: set it to 0. Received: 3"):
        check_fits_data(config(data={"source": "digits"}), load_dataset("digits"))
    shards = numbered(tmp_path / "shards", 20, 2)
    with pytest.raises(ConfigError, match="and not for shards: set it to 0. Received: 3"):
        check_fits_data(config(), shards)
