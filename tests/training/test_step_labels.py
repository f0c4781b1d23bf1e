"""Training on labels of time steps, against Keras and scikit-learn, and what it must not read."""

import json

import keras
import numpy as np
import pytest
from resuming import assert_a_stop_changes_no_bit
from sklearn.metrics import classification_report
from sklearn.utils.class_weight import compute_class_weight

import seqclf
from seqclf import build_classifier
from seqclf.config import resolve
from seqclf.console.progress import Silent
from seqclf.data.pipeline import evaluation_batches
from seqclf.errors import ConfigError
from seqclf.experiment.score_text import score_line
from seqclf.storage.run_directory import Run
from seqclf.training.class_report import class_report
from seqclf.training.effective import check_fits_data
from seqclf.training.evaluation import Scorer
from seqclf.training.example_weights import example_weights
from seqclf.training.intervals import sequence_intervals
from seqclf.training.loop import fit
from seqclf.training.optimizers import build_optimizer
from seqclf.training.step import TrainStep

RNG = np.random.default_rng(4)
LENGTHS = np.tile(np.arange(2, 9), 6)
SEQUENCES = [RNG.normal(size=(n, 2)).astype("float32") for n in LENGTHS]
LABELS = [np.digitize(each[:, 0].cumsum(), [-0.5, 0.5]) for each in SEQUENCES]
LABELS[0][0] = LABELS[5][2] = -1


@pytest.fixture(scope="module")
def dataset():
    splits = ["train"] * 28 + ["validation"] * 7 + ["test"] * 7
    return seqclf.Dataset.from_arrays(
        SEQUENCES, LABELS, class_names=("low", "mid", "high"), splits=splits
    )


def config(**changes):
    small = {"batch_size": 7, "steps": 8, "validate_every": 4, "checkpoint_every": 4}
    model = {"units": [4], **changes.pop("model", {})}
    plain = {"name": "sgd", "schedule": "constant", "momentum": 0.0, "clip_norm": 0.0}
    optimizer = {**plain, "learning_rate": 0.5, **changes.pop("optimizer", {})}
    return resolve({"model": model, "optimizer": optimizer, "jit_compile": False, **small,
                    **changes})  # fmt: skip


def a_batch(dataset):
    inputs, y = next(iter(evaluation_batches(dataset.train, dataset.spec, 7)))
    assert (y.numpy() == -1).any()
    return inputs, y


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"jit_compile": True, "shares": 3},
        {"jit_compile": True, "shares": 1},
        {"nonfinite": "skip"},
    ],
)
def test_a_step_is_that_of_keras_with_a_mask_as_sample_weights(dataset, changes):
    chosen = config(**changes)
    model = build_classifier(chosen, dataset.spec)
    peer = keras.Sequential(
        [keras.layers.GRU(4, return_sequences=True), keras.layers.Dense(3)]
    )  # without a mask: what is behind the end reaches no time step before it
    inputs, y = a_batch(dataset)
    peer.build(inputs["sequences"].shape)
    peer.set_weights(model.get_weights())
    optimizer = build_optimizer(chosen, 8)
    optimizer.build(model.trainable_variables)
    result = TrainStep(model, optimizer, chosen)(inputs, y)
    counted = y.numpy() >= 0
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, reduction="mean_with_sample_weight"
    )
    peer.compile(keras.optimizers.SGD(0.5), loss)
    x, labels = inputs["sequences"].numpy(), np.maximum(y.numpy(), 0)
    theirs = peer.train_on_batch(x, labels, sample_weight=counted.astype("float32"))
    assert float(result.loss) == pytest.approx(float(theirs), rel=1e-5)
    assert int(result.examples) == counted.sum()
    for ours, other in zip(model.get_weights(), peer.get_weights(), strict=True):
        np.testing.assert_allclose(ours, other, rtol=1e-4, atol=1e-6)


def test_what_stands_behind_the_end_changes_nothing(dataset):
    model = build_classifier(config(model={"bidirectional": True, "units": [4, 3]}), dataset.spec)
    inputs, _ = a_batch(dataset)
    x, lengths = inputs["sequences"].numpy(), inputs["lengths"].numpy()
    valid = np.arange(x.shape[1]) < lengths[:, None]
    other = np.where(valid[..., None], x, 50.0)
    longer = np.pad(other, ((0, 0), (0, 3), (0, 0)), constant_values=-9.0)
    wanted = model({"sequences": x, "lengths": lengths}).numpy()[valid]
    for changed in (other, longer):
        logits = model({"sequences": changed, "lengths": lengths}).numpy()[:, : x.shape[1]]
        np.testing.assert_allclose(logits[valid], wanted, rtol=1e-5, atol=1e-6)


def test_weights_of_classes_and_examples_are_of_time_steps():
    own = RNG.uniform(1, 3, len(SEQUENCES))
    data = seqclf.Dataset.from_arrays(SEQUENCES, LABELS, class_names=("a", "b", "c"), weights=own)
    y = data.train.y
    weights = example_weights(config(class_weight="balanced"), data)
    found = np.asarray(weights.of(np.arange(len(y)), y))[y >= 0]
    steps = np.repeat(data.train.weights, (y >= 0).sum(1))
    assert found.mean() == pytest.approx(1, rel=1e-5)
    sums = np.bincount(y[y >= 0], found)
    np.testing.assert_allclose(sums, sums.mean(), rtol=1e-5)
    plain = seqclf.Dataset.from_arrays(SEQUENCES, LABELS, class_names=("a", "b", "c"))
    known = plain.train.y[plain.train.y >= 0]
    theirs = compute_class_weight("balanced", classes=np.arange(3), y=known)
    ours = example_weights(config(class_weight="balanced"), plain).per_class
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    assert np.unique((found / steps).round(4)).size == 3


def test_the_report_is_that_of_scikit_learn_on_all_time_steps(dataset, tmp_path):
    run = Run(tmp_path)
    run.prepare(chosen := config())
    model, _, _ = fit(chosen, dataset, run, make_progress=Silent)
    score = Scorer(model, dataset.spec)(dataset.train)
    truth, guess = [], []
    for x, y, n in zip(dataset.train.x, dataset.train.y, dataset.train.lengths, strict=True):
        (mean, scale) = (np.array(v, "float32") for v in (dataset.spec.shift, dataset.spec.scale))
        one = {"sequences": ((x[:n] - mean) * scale)[None], "lengths": np.array([n])}
        counted = y[:n] >= 0
        truth += y[:n][counted].tolist()
        guess += model(one).numpy()[0].argmax(-1)[counted].tolist()
    report = class_report(score, dataset.spec.class_names)
    theirs = classification_report(
        truth, guess, target_names=dataset.spec.class_names, output_dict=True, zero_division=0.0
    )
    assert report["accuracy"] == pytest.approx(theirs["accuracy"])
    assert report["macro_f1"] == pytest.approx(theirs["macro avg"]["f1-score"])
    for each in report["classes"]:
        of_class = theirs[each["name"]]
        assert each["support"] == of_class["support"]
        assert each["recall"] == pytest.approx(of_class["recall"])
    assert (report["examples"], report["sequences"]) == (len(truth), len(dataset.train))
    assert f"{len(truth)} time steps of {len(dataset.train)} sequences" in score_line("a", report)


def test_the_figures_of_an_interval_are_means_over_its_time_steps(dataset, tmp_path):
    run = Run(tmp_path)
    chosen = config(steps=4, optimizer={"learning_rate": 1e-9})  # an epoch, of four batches
    run.prepare(chosen)
    model, _, _ = fit(chosen, dataset, run, make_progress=Silent)
    record = json.loads(run.metrics.read_text().splitlines()[-1])
    score = Scorer(model, dataset.spec)(dataset.train)
    assert record["train_loss"] == pytest.approx(score.loss, rel=1e-4)
    assert record["train_accuracy"] == pytest.approx(score.accuracy, abs=1e-4)


def test_a_resumed_run_ends_with_the_same_bits(dataset, tmp_path):
    chosen = config(model={"dropout": 0.3}, length_buckets=2)
    assert_a_stop_changes_no_bit(chosen, dataset, tmp_path, 4)


def test_intervals_draw_whole_sequences():
    """100 sequences of 50 time steps, each all right or all wrong, are 100 examples and no more."""
    right = np.arange(100) < 80
    sequences = np.repeat(np.arange(100), 50)
    labels = sequences % 2
    guess = np.where(right[sequences], labels, 1 - labels)
    low, high = sequence_intervals(labels, guess, sequences, 2)["accuracy"]
    expected = 1.96 * np.sqrt(0.8 * 0.2 / 100)  # of the normal approximation
    assert (0.8 - low, high - 0.8) == pytest.approx((expected, expected), abs=0.015)
    assert sequence_intervals(labels[:50], guess[:50], sequences[:50], 2) == {}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": {"pooling": "mean"}}, "`model.pooling` cannot be used for labels of time steps"),
        ({"model": {"units": [4, 4], "time_reduction": [2]}}, "`model.time_reduction` cannot"),
        ({"model": {"conv": [8]}}, "`model.conv` cannot .*Received: \\(8,\\)"),
        ({"batch_selection": 2}, "`batch_selection` cannot .*Leave it at 1. Received: 2"),
        ({"augment": {"shift": 0.1}}, "`augment.shift` cannot"),
    ],
)
def test_what_labels_of_time_steps_do_not_go_with(dataset, changes, message):
    with pytest.raises(ConfigError, match=message):
        check_fits_data(config(**changes), dataset)
