"""The examples of an `.npz` file for a model: values that are not finite are refused by place."""

import re

import numpy as np
import pytest

from seqclf.errors import DataError
from seqclf.serving.npz_inputs import read_npz_inputs


def saved(folder, **arrays):
    np.savez(folder / "q.npz", **arrays)
    return str(folder / "q.npz")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_a_value_that_is_not_finite_in_float32(tmp_path, value):
    x = np.zeros((3, 4, 2))
    x[1, 2, 0] = value
    path = saved(tmp_path, x=x)
    with pytest.raises(
        DataError, match=rf"q.npz: `x` must be finite.*{re.escape(str(value))}.*example 1.* step 2"
    ):
        read_npz_inputs(path, (4, 2), "float32", False)


def test_padding_may_be_anything(tmp_path):
    x = np.zeros((2, 4, 2), "float32")
    x[1, 3] = np.nan
    path = saved(tmp_path, x=x, lengths=np.array([4, 3]))
    assert read_npz_inputs(path, (None, 2), "float32", True).lengths.tolist() == [4, 3]
    with pytest.raises(DataError, match="Received: nan at example 1, time step 3"):
        read_npz_inputs(saved(tmp_path, x=x), (None, 2), "float32", True)
