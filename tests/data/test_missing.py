"""Missing values: what takes their place, beside pandas; what is fitted on the observed."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from seqclf.data.dataset import Dataset, DatasetSpec
from seqclf.data.normalization import as_sequences
from seqclf.data.pipeline import evaluation_batches, training_batches
from seqclf.data.sources import load_dataset
from seqclf.errors import DataError

RULES = ("interpolate", "forward", "mean", "indicator")


def spec_of(features, missing, steps=8, **changes):
    fill = tuple(float(10 * d + 5) for d in range(features))
    spec = DatasetSpec(
        "test", "rows", (steps, features), "float32", ("a", "b"), True, missing=missing, fill=fill
    )
    return dataclasses.replace(spec, **changes)


def by_pandas(series, missing, mean):
    """One series without its padding, filled by pandas."""
    series = pd.Series(series.astype(float))
    if missing == "interpolate":
        series = series.interpolate(limit_direction="both")
    elif missing == "forward":
        series = series.ffill()
    return series.fillna(mean).to_numpy()


@st.composite
def sequences(draw):
    batch, steps, features = draw(st.tuples(*(st.integers(1, n) for n in (4, 9, 3))))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.normal(0, 100, (batch, steps, features)).astype("float32")
    x[rng.random(x.shape) < draw(st.sampled_from([0.1, 0.5, 0.9, 1.0]))] = np.nan
    return x, rng.integers(1, steps + 1, batch).astype("int32")


@pytest.mark.parametrize("missing", RULES)
@settings(max_examples=60)
@given(drawn=sequences())
def test_what_takes_the_place_of_missing_values(missing, drawn):
    x, lengths = drawn
    spec = spec_of(x.shape[2], missing, shift=(3.0,), scale=(0.5,))
    ours = as_sequences(x, spec, lengths).numpy()
    assert ours.shape == (*x.shape[:2], spec.features)
    features = x.shape[2]
    for i, length in enumerate(lengths):
        for d in range(features):
            values = by_pandas(x[i, :length, d], missing, spec.fill[d])
            np.testing.assert_allclose(
                ours[i, :length, d], (values - 3) * 0.5, rtol=1e-5, atol=1e-4
            )
        if missing == "indicator":
            np.testing.assert_array_equal(ours[i, :length, features:], np.isnan(x[i, :length]))
        assert (ours[i, length:] == 0).all()


@pytest.mark.parametrize("missing", RULES)
def test_all_time_steps_are_valid_without_lengths(missing):
    x = np.array([[[1.0], [np.nan], [3.0], [np.nan]]], "float32")
    spec = spec_of(1, missing)
    whole = as_sequences(x, spec, np.array([4]))
    np.testing.assert_array_equal(as_sequences(x, spec), whole)
    assert np.isfinite(whole).all()


def test_what_padding_holds_does_not_matter():
    x = np.array([[[1.0], [np.nan], [7.0], [np.inf]]] * 2, "float32")
    x[1, 2:] = [[np.nan], [-9.0]]
    filled = as_sequences(x, spec_of(1, "interpolate"), np.array([2, 2])).numpy()
    np.testing.assert_array_equal(filled[..., 0], [[1, 1, 0, 0]] * 2)


def test_values_so_large_that_their_difference_overflows():
    x = np.array([[[3e38], [np.nan], [-3e38]]], "float32")
    assert as_sequences(x, spec_of(1, "interpolate")).numpy()[0, 1, 0] == 0


@pytest.mark.parametrize("missing", RULES)
def test_with_xla_and_in_a_graph_of_any_number_of_steps(missing):
    spec = spec_of(2, missing)
    shapes = [tf.TensorSpec([None, None, 2]), tf.TensorSpec([None], tf.int32)]
    graph = tf.function(lambda x, n: as_sequences(x, spec, n), input_signature=shapes)
    compiled = tf.function(lambda x, n: as_sequences(x, spec, n), jit_compile=True)
    rng = np.random.default_rng(0)
    for steps in (1, 5, 300):  # more than the longest sequence in training
        x = rng.normal(size=(3, steps, 2)).astype("float32")
        x[rng.random(x.shape) < 0.6] = np.nan
        lengths = np.array([steps, 1, max(1, steps - 2)], "int32")
        eager = as_sequences(x, spec, lengths).numpy()
        np.testing.assert_array_equal(graph(x, lengths), eager)
        np.testing.assert_allclose(compiled(x, lengths), eager, rtol=1e-6, atol=1e-6)


def test_without_the_option_the_graph_is_the_one_of_before():
    spec = spec_of(2, "error", fill=())
    graph = tf.function(lambda x: as_sequences(x, spec)).get_concrete_function(
        tf.TensorSpec([None, None, 2])
    )
    kinds = {operation.type for operation in graph.graph.get_operations()}
    assert kinds <= {
        *("Placeholder", "Const", "Shape", "StridedSlice", "Pack", "Reshape", "Sub", "Mul"),
        *("Identity", "NoOp"),
    }


def gappy(count=60, steps=6, features=3, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal([5, -3, 40], [1, 10, 4], (count, steps, features)).astype("float32")
    x[rng.random(x.shape) < 0.3] = np.nan
    lengths = rng.integers(2, steps + 1, count)
    return x, np.arange(count) % 2, lengths


@pytest.mark.parametrize("missing", RULES)
def test_the_fit_is_on_the_observed_values_of_the_training_split(missing):
    x, y, lengths = gappy()
    dataset = Dataset.from_arrays(x, y, lengths=lengths, missing=missing, normalize="standard")
    train = dataset.train
    valid = np.concatenate([each[:n] for each, n in zip(train.x, train.lengths, strict=True)])
    frame = pd.DataFrame(valid.astype(float))
    np.testing.assert_allclose(dataset.spec.fill, frame.mean(), rtol=1e-9)
    np.testing.assert_allclose(dataset.spec.shift, frame.mean(), rtol=1e-9)
    np.testing.assert_allclose(1 / np.array(dataset.spec.scale), frame.std(ddof=0), rtol=1e-6)
    together = Dataset.from_arrays(x, y, lengths=lengths, missing=missing, normalize="global").spec
    np.testing.assert_allclose(together.shift, [np.nanmean(valid, dtype=float)], rtol=1e-9)
    np.testing.assert_allclose(1 / together.scale[0], np.nanstd(valid, dtype=float), rtol=1e-6)


@pytest.mark.parametrize("missing", RULES)
@pytest.mark.parametrize("normalize", ["none", "standard"])
def test_training_and_evaluation_read_no_missing_value(missing, normalize):
    x, y, lengths = gappy()
    dataset = Dataset.from_arrays(x, y, lengths=lengths, missing=missing, normalize=normalize)
    spec = DatasetSpec.from_json(dataset.spec.to_json())
    assert spec == dataset.spec and spec.raw_features == 3
    for batches in (
        training_batches(dataset.train, spec, 8, 0).take(3),
        evaluation_batches(dataset.test, spec),
    ):
        for inputs, _ in batches:
            assert np.isfinite(inputs["sequences"]).all()
            assert inputs["sequences"].shape[2] == spec.features


def test_the_option_without_a_gap_is_fitted_for_gaps_to_come():
    x = np.arange(80, dtype="float32").reshape(20, 2, 2)
    spec = Dataset.from_arrays(x, np.arange(20) % 2, missing="forward").spec
    assert len(spec.fill) == 2
    gap = np.full((1, 2, 2), np.nan, "float32")
    raw = dataclasses.replace(spec, shift=(0.0,), scale=(1.0,))
    np.testing.assert_allclose(as_sequences(gap, raw)[0, 0], spec.fill, rtol=1e-6)


def test_a_feature_that_was_never_observed():
    x, y, lengths = gappy()
    x[:, :, 1] = np.nan
    with pytest.raises(DataError, match="only missing values in the training split for feature 1"):
        Dataset.from_arrays(x, y, lengths=lengths, missing="mean")
    with pytest.raises(DataError, match="for feature 'vib'"):
        names = ("temp", "vib", "press")
        Dataset.from_arrays(x, y, lengths=lengths, missing="mean", feature_names=names)


def test_images_have_no_missing_values():
    dataset = load_dataset("digits", missing="mean")
    assert dataset.spec == load_dataset("digits").spec
    assert dataset.notes == (
        "`data.missing` 'mean' changes nothing: values of uint8 cannot be missing",
    )


def test_images_of_real_numbers_read_by_columns():
    x = np.random.default_rng(0).normal(size=(9, 4, 3)).astype("float32")
    x[::3, 1, 2] = np.nan
    spec = DatasetSpec(
        "t", "columns", (4, 3), "float32", ("a", "b"), missing="forward", fill=(0,) * 4
    )
    filled = as_sequences(x, spec).numpy()  # [B, 3, 4]: a column is a time step
    np.testing.assert_array_equal(filled[::3, 2, 1], x[::3, 1, 1])
