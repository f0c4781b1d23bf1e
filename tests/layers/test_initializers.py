"""Chrono initialisation: the memories that units start with."""

import keras
import numpy as np
import pytest

from seqclf.layers import GRU, LSTM, MGU, ChronoBias


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("make", [GRU, keras.layers.GRU])
def test_units_start_with_memories_of_all_lengths(make, reset_after):
    """An undriven state falls to 1/e of its value within about its drawn length."""
    keras.utils.set_random_seed(0)
    layer = make(
        400,
        bias_initializer=ChronoBias(longest=200),
        kernel_initializer="zeros",
        recurrent_initializer="zeros",
        reset_after=reset_after,
        return_sequences=True,
    )
    states = np.asarray(layer(np.zeros([1, 400, 1], "float32"), initial_state=np.ones([1, 400])))
    lasted = (states[0] > np.exp(-1)).sum(0)  # [H], steps
    assert 1 <= lasted.min() < 12 and 180 < lasted.max() <= 200
    counts, _ = np.histogram(lasted, bins=4, range=(0, 200))
    assert counts.min() > 70  # uniform: 100 each


def test_only_the_update_gate_of_the_input_row_is_set():
    bias = np.asarray(ChronoBias(50, seed=1)([2, 12]))
    assert (bias[0, :4] > 0).all() and (bias[0, :4] < np.log(49)).all()
    assert not bias[0, 4:].any() and not bias[1].any()
    np.testing.assert_array_equal(bias[0], ChronoBias(50, seed=1)([12]))


def test_layers_differ_and_a_seed_decides():
    keras.utils.set_random_seed(3)
    first, second = (np.asarray(ChronoBias(50)([2, 12])) for _ in range(2))
    assert (first != second).any()
    keras.utils.set_random_seed(3)
    np.testing.assert_array_equal(ChronoBias(50)([2, 12]), first)


def test_it_is_saved_with_the_layer():
    layer = GRU(3, bias_initializer=ChronoBias(9, seed=2))
    again = GRU.from_config(layer.get_config())
    assert again.bias_initializer.get_config() == {
        "longest": 9,
        "seed": 2,
        "keeping": (1, 0, 0),
    }


@pytest.mark.parametrize("longest", [-1, 0, 2])
def test_lengths_that_are_none_are_refused(longest):
    with pytest.raises(ValueError, match=f"above 2 steps. Received: {longest}"):
        ChronoBias(longest)


def test_lstm_and_mgu_start_with_memories_too():
    """Undriven, their states fall as the GRU's do."""
    for layer_class in (LSTM, MGU):
        keras.utils.set_random_seed(0)
        keeping = layer_class.cell_class.keeping
        more = {"unit_forget_bias": False} if layer_class is LSTM else {}
        layer = layer_class(
            400,
            bias_initializer=ChronoBias(longest=200, keeping=keeping),
            kernel_initializer="zeros",
            recurrent_initializer="zeros",
            return_state=True,
            **more,
        )
        lasted = np.zeros(400)
        states = [np.ones([1, 400])] * len(layer.cell.state_names)
        for _ in range(210):
            _, *states = layer(np.zeros([1, 1, 1], "float32"), initial_state=states)
            lasted += np.asarray(states[-1])[0] > np.exp(-1)
        assert 1 <= lasted.min() < 12 and 180 < lasted.max() <= 200


def test_a_cell_without_gates_has_none():
    with pytest.raises(ValueError, match="a cell without gates"):
        ChronoBias(9, keeping=())
