"""TimeReduction: one state of each block of steps, the block's last."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqclf.layers import GRU, TimeReduction


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 12), st.integers(1, 5))
def test_it_keeps_the_last_state_of_each_block(steps, factor):
    x = np.random.default_rng(0).normal(size=(2, steps, 3)).astype("float32")
    blocks = [x[:, i : i + factor][:, -1] for i in range(0, steps, factor)]
    layer = TimeReduction(factor)
    np.testing.assert_array_equal(layer(x), np.stack(blocks, 1))
    assert layer.compute_output_shape(x.shape) == layer(x).shape


@pytest.mark.parametrize("factor", [2, 3, 7])
def test_padding_changes_nothing(factor):
    """A batch of varying lengths gives what each sequence gives alone."""
    keras.utils.set_random_seed(0)
    lower, upper, reduce = GRU(5, return_sequences=True), GRU(4), TimeReduction(factor)
    x = np.random.default_rng(0).normal(size=(6, 9, 3)).astype("float32")
    lengths = np.array([1, 2, 3, 5, 8, 9])
    mask = np.arange(9) < lengths[:, None]
    kept = reduce(lower(x, mask=mask), mask=mask)
    together = np.asarray(upper(kept, mask=reduce.compute_mask(kept, mask)))
    for one, length, expected in zip(x, lengths, together, strict=True):
        alone = upper(reduce(lower(one[None, :length])))
        np.testing.assert_allclose(alone[0], expected, atol=1e-6)


def test_it_is_saved_with_the_model(tmp_path):
    model = keras.Sequential([keras.Input((None, 2)), TimeReduction(3), GRU(2)])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    x = np.random.default_rng(0).normal(size=(2, 8, 2)).astype("float32")
    np.testing.assert_array_equal(again(x), model(x))


def test_a_factor_that_is_none_is_refused():
    with pytest.raises(ValueError, match="at least 1. Received: factor=0"):
        TimeReduction(0)
