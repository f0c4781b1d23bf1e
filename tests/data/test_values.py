"""Values: missing ones are counted by name, padding is cleared in a copy, infinite ones refused."""

import numpy as np
import pytest

from seqclf.data import values as module
from seqclf.data.dataset import Dataset
from seqclf.data.values import missing_in_words, without_padding
from seqclf.errors import DataError

LABELS = ["a", "b"] * 20


@pytest.fixture(params=[64, 2**24], ids=["small parts", "one part"])
def part_size(request, monkeypatch):
    monkeypatch.setattr(module, "PART_BYTES", request.param)


def sequences():
    return np.random.default_rng(0).normal(size=(40, 6, 3)).astype(np.float32)


@pytest.mark.usefixtures("part_size")
def test_missing_values_are_counted_by_name_over_the_valid_time_steps():
    x, lengths = sequences(), np.full(40, 4)
    x[2, 3, 0] = x[30, 1:3, 2] = np.nan
    x[5, 4:] = np.nan  # padding
    with pytest.raises(DataError) as caught:
        Dataset.from_arrays(x, LABELS, lengths=lengths, feature_names=["temp", "vib", "press"])
    assert str(caught.value).startswith(
        "arrays: 3 values are missing (NaN), the first at example 2, time step 3. "
        "By feature: temp 1 of 160, press 2 of 160. Fill them in, or set `data.missing`"
    )
    assert missing_in_words(np.array([0, 5]), 1000) == "feature 1 5 of 1,000"


@pytest.mark.usefixtures("part_size")
@pytest.mark.parametrize("missing", ["error", "interpolate"])
def test_infinite_values_are_refused_whatever_is_done_with_missing_ones(missing):
    x = sequences().astype(np.float64)
    x[1, 1, 1] = np.nan if missing != "error" else 0
    x[20, 2, 1] = 1e39  # infinite in float32
    with pytest.raises(DataError, match=r"Received: inf at example 20, position \[2, 1\]"):
        Dataset.from_arrays(x, LABELS, missing=missing)


@pytest.mark.usefixtures("part_size")
def test_padding_is_cleared_in_a_copy_unless_the_array_is_ours():
    x, lengths = sequences(), np.arange(40) % 6 + 1
    expected = x.copy()
    for row, length in zip(expected, lengths, strict=True):
        row[length:] = 0
    before = x.copy()
    cleared = without_padding(x, lengths, owned=False)
    np.testing.assert_array_equal(cleared, expected)
    np.testing.assert_array_equal(x, before)
    assert without_padding(cleared, lengths, owned=False) is cleared  # nothing to clear: no copy
    assert without_padding(x, lengths, owned=True) is x
    np.testing.assert_array_equal(x, expected)
