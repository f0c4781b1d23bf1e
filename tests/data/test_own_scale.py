"""`data.normalize=sequence`: every sequence is scaled by itself, beside scikit-learn's scaler."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from seqclf.data.dataset import Dataset, DatasetSpec
from seqclf.data.input_range import input_range
from seqclf.data.normalization import as_sequences
from seqclf.data.own_scale import scaled_by_itself

LABELS = ["a", "b"] * 20


def spec_of(features, steps=None, **changes):
    lengths_vary = steps is None
    return DatasetSpec(
        *("test", "rows", (steps or 9, features), "float32", ("a", "b"), lengths_vary),
        own_scale=True,
        **changes,
    )


@st.composite
def batches(draw):
    """Sequences whose features have offsets and scales of their own, and their lengths."""
    batch, steps, features = draw(st.tuples(*(st.integers(1, n) for n in (4, 9, 3))))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale = 10.0 ** rng.uniform(-30, 30, (batch, 1, features))
    x = ((rng.normal(size=(batch, steps, features)) + rng.normal()) * scale).astype("float32")
    return x, rng.integers(1, steps + 1, batch).astype("int32")


@settings(max_examples=100)
@given(batches())
def test_each_sequence_has_mean_0_and_deviation_1(drawn):
    x, lengths = drawn
    ours = as_sequences(x, spec_of(x.shape[2]), lengths).numpy()
    for row, given_row, length in zip(ours, x.astype("float64"), lengths, strict=True):
        expected = [
            StandardScaler().fit_transform(feature[:length, None] / np.abs(feature).max())[:, 0]
            if length > 1
            else np.zeros(1)
            for feature in given_row.T
        ]
        np.testing.assert_allclose(row[:length].T, expected, atol=2e-5)
        assert not row[length:].any()


@settings(max_examples=50)
@given(batches(), st.sampled_from([2.0**-20, 2.0**-3, 2.0**10]), st.booleans())
def test_the_unit_of_the_values_changes_nothing(drawn, factor, negative):
    x, lengths = drawn
    spec = spec_of(x.shape[2])
    sign = -1 if negative else 1
    ours = as_sequences(x, spec, lengths).numpy()
    scaled = as_sequences(x * np.float32(sign * factor), spec, lengths).numpy()
    np.testing.assert_allclose(sign * scaled, ours, atol=1e-5)


def test_the_offset_of_a_sequence_and_the_other_sequences_change_nothing():
    x = np.random.default_rng(0).normal(size=(5, 20, 2)).astype("float32")
    spec = spec_of(2, 20)
    ours = as_sequences(x, spec).numpy()
    np.testing.assert_allclose(as_sequences(x + 64, spec).numpy(), ours, atol=1e-4)
    np.testing.assert_allclose(as_sequences(x[3:4], spec).numpy(), ours[3:4], atol=1e-6)


def test_a_large_offset_does_not_hide_a_small_signal():
    counts = np.round(np.random.default_rng(0).normal(size=(40, 50, 1)) * 3) + 2**23  # of 24 bits
    ours = as_sequences(counts.astype("float32"), spec_of(1, 50)).numpy()
    np.testing.assert_allclose(ours[..., 0].std(1), 1, atol=1e-4)
    relative = (counts - 2**23).astype("float32")
    np.testing.assert_allclose(ours, as_sequences(relative, spec_of(1, 50)), atol=1e-4)


@pytest.mark.parametrize("missing", ["interpolate", "forward", "mean", "indicator"])
def test_data_with_a_gap_in_every_sequence_is_taken(missing):
    x = np.random.default_rng(0).normal(size=(40, 10, 2)) + 5
    x[:, 0, 0] = np.nan
    spec = Dataset.from_arrays(x, LABELS, normalize="sequence", missing=missing).spec
    np.testing.assert_allclose(spec.fill, 5, atol=0.5)  # as for every other normalisation
    assert np.isfinite(as_sequences(x, spec)).all()


@pytest.mark.parametrize("value", [0.0, 3.7, -1e30, 12345.678])
def test_a_feature_of_one_value_becomes_0(value):
    x = np.full((1, 1000, 2), value, "float32")
    x[0, :, 1] = np.arange(1000)
    ours = as_sequences(x, spec_of(2, 1000)).numpy()
    assert not ours[..., 0].any()
    assert ours[..., 1].std() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("missing", ["interpolate", "forward", "mean", "indicator"])
def test_missing_values_do_not_count_and_take_the_mean_of_their_own_sequence(missing):
    x = np.array([[1, 5, np.nan, 3, 77], [np.nan, 2e6, 4e6, np.nan, 0]], "float32")[..., None]
    lengths, nothing = np.array([4, 4], np.int32), np.full((1, 5, 1), np.nan, "float32")
    spec = spec_of(1, missing=missing, fill=(1e9,))  # a mean that is far from both sequences
    ours = as_sequences(x, spec, lengths).numpy()
    deviation = np.sqrt(8 / 3)
    between = {"interpolate": 1 / deviation, "forward": 2 / deviation}.get(missing, 0)
    first = {"interpolate": -1}.get(missing, 0)
    last = {"interpolate": 1, "forward": 1}.get(missing, 0)
    expected = [[-2 / deviation, 2 / deviation, between, 0, 0], [first, -1, 1, last, 0]]
    np.testing.assert_allclose(ours[..., 0], expected, atol=1e-6)
    assert not as_sequences(nothing, spec, np.array([4], np.int32)).numpy()[..., 0].any()
    if missing == "indicator":
        assert ours[..., 1].tolist() == [[0, 0, 1, 0, 0], [1, 0, 0, 1, 0]]


def test_a_value_that_is_not_finite_stays_so():
    for value in (np.nan, np.inf):  # a request with one is refused by the export's check
        x = np.array([[[1.0], [value], [3.0]]], "float32")
        assert not np.isfinite(as_sequences(x, spec_of(1, 3)).numpy()).all()
        behind = as_sequences(x, spec_of(1), np.array([1], np.int32)).numpy()
        assert np.isfinite(behind).all()  # padding may hold anything
    filled = as_sequences(x, spec_of(1, 3, missing="mean", fill=(0.0,))).numpy()
    assert filled[0, 1, 0] == np.inf  # not taken for a missing value


def test_xla_computes_the_same():
    x = tf.constant(np.random.default_rng(0).normal(size=(3, 50, 2)) * 1e-20, tf.float32)
    compiled = tf.function(scaled_by_itself, jit_compile=True)
    ours, theirs = scaled_by_itself(x, tf.constant(True)), compiled(x, tf.constant(True))
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_dataset_is_read_so_and_remembers_it():
    x = np.random.default_rng(0).normal(size=(40, 5, 2))
    dataset = Dataset.from_arrays(x, LABELS, normalize="sequence")
    assert dataset.spec.own_scale and '"own_scale": true' in dataset.spec.to_json()
    assert DatasetSpec.from_json(dataset.spec.to_json()) == dataset.spec
    assert "own_scale" not in Dataset.from_arrays(x, LABELS).spec.to_json()
    assert input_range(dataset) is None  # no warning of an input in another unit
    means = as_sequences(dataset.train.x, dataset.spec).numpy().mean(1)
    np.testing.assert_allclose(means, 0, atol=1e-6)


def test_images_can_be_scaled_so():
    images = np.random.default_rng(0).integers(0, 256, (40, 4, 5)).astype(np.uint8)
    for reading in ("rows", "columns", "pixels"):
        spec = Dataset.from_arrays(images, LABELS, normalize="sequence", reading=reading).spec
        x = as_sequences(images, spec).numpy()
        np.testing.assert_allclose(x.std(1), 1, atol=1e-5)


# ---- what is said


def test_sequences_of_very_different_scales_are_said():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 30, 2)) * np.array([1, 1])
    x[:, :, 1] *= 10.0 ** rng.uniform(-3, 3, (40, 1))
    note = (
        "the deviation within a sequence differs by a factor of 100 and more from sequence to "
        "sequence, in 1 of 2 features: b. If the scale of a sequence says little about its class, "
        "set `data.normalize` to sequence, which scales each by itself"
    )
    notes = Dataset.from_arrays(x, LABELS, feature_names=["a", "b"]).notes
    assert notes == (note,)
    lengths = rng.integers(2, 31, 40)
    x[np.arange(30) >= lengths[:, None]] = 0
    assert Dataset.from_arrays(x, LABELS, lengths=lengths, feature_names=["a", "b"]).notes == notes
    for normalize in ("sequence", "none"):
        assert not Dataset.from_arrays(x, LABELS, normalize=normalize, lengths=lengths).notes
    x[:, :, 1] = np.sign(x[:, :, 1]) * (np.arange(40) > 20)[:, None]  # a few do not vary at all
    assert not Dataset.from_arrays(x, LABELS, lengths=lengths).notes


def test_features_that_are_lost_are_said():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 30, 3))
    x[:, :, 1] = rng.normal(size=(40, 1))  # of the sequence, such as an age
    x[:, :, 2] = 7  # of all: there is a note of it already
    notes = Dataset.from_arrays(x, LABELS, normalize="sequence").notes
    assert notes[0].startswith("1 of 3 features have one value only in the training split")
    assert notes[1:] == (
        "`data.normalize` sequence makes 1 of 3 features 0 in more than half of the sequences, "
        "because they have one value in the whole sequence: feature 1. Leave them out if they are "
        "not to be 0",
    )
