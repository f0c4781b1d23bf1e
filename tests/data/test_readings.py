"""How images are read as sequences, and how they are normalised."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqclf.data.dataset import DatasetSpec
from seqclf.data.normalization import as_sequences
from seqclf.data.permutation import with_order
from seqclf.data.sources import load_dataset
from seqclf.errors import ConfigError, DataError


def spec_of(shape, reading):
    return with_order(DatasetSpec("test", reading, shape, "uint8", ("a", "b")), seed=3)


@given(
    height=st.integers(1, 5),
    width=st.integers(1, 5),
    channels=st.sampled_from([None, 1, 3]),
    reading=st.sampled_from(["rows", "columns", "pixels", "permuted"]),
)
def test_each_step_holds_its_row_column_or_pixel(height, width, channels, reading):
    shape = (height, width) if channels is None else (height, width, channels)
    x = np.random.default_rng(0).integers(0, 256, (2, *shape), dtype=np.uint8)
    spec = spec_of(shape, reading)
    sequences = as_sequences(x, spec).numpy()
    assert sequences.shape == (2, spec.time_steps, spec.features)
    for step in range(spec.time_steps):
        taken = {
            "rows": lambda t: x[:, t],
            "columns": lambda t: x[:, :, t],
            "pixels": lambda t: x[:, t // width, t % width],
            "permuted": lambda t: x[:, spec.order[t] // width, spec.order[t] % width],
        }[reading](step)
        np.testing.assert_array_equal(sequences[:, step], taken.reshape(2, -1))


def test_padding_becomes_zero_after_normalising():
    spec = dataclasses.replace(
        spec_of((3, 2), "rows"), variable_length=True, shift=(5.0, 6.0), scale=(2.0, 1.0)
    )
    x = np.full((2, 3, 2), 7.0)
    sequences = as_sequences(x, spec, np.array([1, 3])).numpy()
    assert sequences[0].tolist() == [[4, 1], [0, 0], [0, 0]]
    assert sequences[1].tolist() == [[4, 1]] * 3


def test_standard_gives_mean_0_and_deviation_1_over_valid_training_steps(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal([100.0, -3.0, 7.0], [5.0, 0.1, 0.0], size=(3000, 6, 3))
    lengths = rng.integers(1, 7, 3000)
    x[np.arange(6) >= lengths[:, None]] = 1e6  # padding must not count
    np.savez(tmp_path / "a.npz", x=x, y=np.arange(3000) % 2, lengths=lengths)
    dataset = load_dataset(f"npz:{tmp_path}/a.npz")
    train = dataset.train
    sequences = as_sequences(train.x, dataset.spec, train.lengths).numpy()
    valid = sequences[np.arange(6) < train.lengths[:, None]]
    np.testing.assert_allclose(valid.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(valid.std(0)[:2], 1, atol=1e-3)
    np.testing.assert_allclose(valid[:, 2], 0, atol=1e-4)  # a constant feature stays finite


def test_global_keeps_the_proportions_of_the_features():
    dataset = load_dataset("digits", normalize="global")
    sequences = as_sequences(dataset.train.x, dataset.spec).numpy()
    assert sequences.mean() == pytest.approx(0, abs=1e-5)
    assert sequences.std() == pytest.approx(1, abs=1e-5)
    plain = as_sequences(dataset.train.x, load_dataset("digits").spec).numpy()
    np.testing.assert_allclose(
        sequences.std((0, 1)) / sequences.std(), plain.std((0, 1)) / plain.std(), rtol=1e-3
    )


def test_digits_are_divided_by_their_own_full_scale():
    dataset = load_dataset("digits")
    assert as_sequences(dataset.train.x, dataset.spec).numpy().max() == 1.0
    raw = load_dataset("digits", normalize="none")
    assert as_sequences(raw.train.x, raw.spec).numpy().max() == 16.0


def test_unit_needs_a_known_full_scale(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((60, 2, 2)), y=np.arange(60) % 2)
    with pytest.raises(DataError, match="'unit' needs uint8 examples"):
        load_dataset(f"npz:{tmp_path}/a.npz", normalize="unit")


def test_varying_lengths_are_read_by_rows(tmp_path):
    arrays = {"x": np.zeros((60, 4, 2)), "y": np.arange(60) % 2, "lengths": np.full(60, 3)}
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match="can only be read by `rows`"):
        load_dataset(f"npz:{tmp_path}/a.npz", reading="pixels")
    with pytest.raises(ConfigError, match="`data.reading` must be one of"):
        load_dataset("digits", reading="spirals")
    with pytest.raises(
        ConfigError, match="resizes images of folders and of tensorflow-datasets only"
    ):
        load_dataset("digits", image_size=(16, 16))


@pytest.mark.parametrize("reading", ["columns", "permuted"])
def test_spec_survives_json(reading):
    spec = load_dataset("digits", reading=reading).spec
    assert DatasetSpec.from_json(spec.to_json()) == spec


def test_every_example_is_read_in_one_order_that_the_seed_draws():
    plain = load_dataset("digits", reading="pixels")
    once, again, other = (
        load_dataset("digits", reading="permuted", permutation_seed=seed) for seed in (0, 0, 1)
    )
    order = np.array(once.spec.order)
    assert sorted(order) == list(range(64)) and list(order) != sorted(order)
    assert once.spec == again.spec and once.spec.order != other.spec.order
    assert (once.spec.time_steps, once.spec.features) == (64, 1)
    assert (once.spec.shift, once.spec.scale) == (plain.spec.shift, plain.spec.scale)
    np.testing.assert_array_equal(once.test.x, plain.test.x)  # the raw examples stay images
    in_rows = as_sequences(plain.test.x, plain.spec).numpy()
    np.testing.assert_array_equal(as_sequences(once.test.x, once.spec), in_rows[:, order])


def test_a_seed_of_the_order_needs_the_reading_that_has_one():
    with pytest.raises(ConfigError, match="draws the order of the reading `permuted`: set"):
        load_dataset("digits", reading="pixels", permutation_seed=1)


@pytest.mark.parametrize("order", [[], [0, 1, 2], [0, 0, 1, 2], [0, 1, 2, True], "0123"])
def test_a_damaged_order_is_refused(order):
    spec = json.loads(spec_of((2, 2), "permuted").to_json()) | {"order": order}
    with pytest.raises(ValueError, match="order cannot be"):
        DatasetSpec.from_json(json.dumps(spec))
    with pytest.raises(ValueError, match="order cannot be"):
        DatasetSpec.from_json(json.dumps(spec | {"reading": "rows", "order": [0, 1, 2, 3]}))
