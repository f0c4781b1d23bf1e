"""LastAndMean: what the head reads of a sequence's states."""

import keras
import numpy as np
import pytest

from seqclf.layers import LastAndMean

RNG = np.random.default_rng(0)
STATES = RNG.normal(size=(3, 7, 4)).astype("float32")  # [B, T, H]
LENGTHS = np.array([2, 7, 5])
MASK = np.arange(7) < LENGTHS[:, None]


def held(states):
    """As a recurrent layer gives them: after its length each sequence's last state again."""
    return np.take_along_axis(states, np.minimum(np.arange(7), LENGTHS[:, None] - 1)[..., None], 1)


def by_hand(states, lengths, bidirectional=False):
    rows = []
    for sequence, length in zip(states.astype(np.float64), lengths, strict=True):
        valid = sequence[:length]
        last = valid[-1].copy()
        if bidirectional:
            last[2:] = valid[0, 2:]  # read from the end, so step 0 is its last
        rows.append(np.concatenate([last, sum(valid) / length]))
    return np.stack(rows)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_it_joins_the_last_state_and_the_mean(bidirectional):
    layer = LastAndMean(bidirectional)
    expected = by_hand(STATES, [7, 7, 7], bidirectional)
    np.testing.assert_allclose(layer(STATES), expected, atol=1e-6)
    assert layer.compute_output_shape(STATES.shape) == (3, 8)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_masked_steps_do_not_count(bidirectional):
    expected = by_hand(STATES, LENGTHS, bidirectional)
    for states in (held(STATES), STATES * MASK[..., None], STATES):
        pooled = LastAndMean(bidirectional)(states, mask=MASK)
        np.testing.assert_allclose(pooled, expected, atol=1e-6)


def test_after_each_step_it_gives_what_the_prefix_would():
    layer, states = LastAndMean(), held(STATES)
    steps = np.asarray(layer.after_each_step(states, MASK))
    for t in range(1, 8):
        expected = by_hand(STATES, np.minimum(t, LENGTHS))
        np.testing.assert_allclose(steps[:, t - 1], expected, atol=1e-6)
    np.testing.assert_allclose(layer.after_each_step(STATES)[:, -1], layer(STATES), atol=1e-6)


def test_of_both_directions_there_is_no_state_after_a_step():
    with pytest.raises(ValueError, match="read in both directions have no last one"):
        LastAndMean(bidirectional=True).after_each_step(STATES)


def test_half_precision_counts_long_sequences_right():
    states = keras.ops.cast(np.arange(3000)[None, :, None] >= 1500, "bfloat16")  # 0, then 1
    layer = LastAndMean(dtype="mixed_bfloat16")
    for pooled in (layer(states), layer.after_each_step(states)[:, -1]):
        assert pooled.dtype == "bfloat16"
        np.testing.assert_allclose(np.asarray(pooled, "float32"), [[1.0, 0.5]])


def test_its_config_makes_it_again():
    assert LastAndMean.from_config(LastAndMean(True).get_config()).bidirectional is True
