"""The range of the training inputs, which tells inputs of another scale from right ones."""

import numpy as np

from seqclf.data.dataset import Dataset, DatasetSpec
from seqclf.data.input_range import PART, input_range
from seqclf.data.split import Split


def dataset(x, spec, lengths=None):
    train = Split(x, np.zeros(len(x), np.int32), lengths)
    other = Split(x[:1] * 0 - 99, np.zeros(1, np.int32), None if lengths is None else lengths[:1])
    return Dataset(spec, train, other, other, "made up")


def test_images_go_from_black_to_full_scale():
    spec = DatasetSpec("t", "rows", (4, 3), "uint8", ("a", "b"), full_scale=16.0)
    assert input_range(dataset(np.ones((2, 4, 3), np.uint8), spec)) == {"low": 0.0, "high": 16.0}


def test_each_feature_has_a_range_of_its_own():
    x = np.random.default_rng(0).normal(size=(PART + 5, 4, 3)).astype("float32") * [1, 10, 100]
    x[-1, 2] = [-1000, 2000, 3000]
    spec = DatasetSpec("t", "rows", (4, 3), "float32", ("a", "b"))

    found = input_range(dataset(x, spec))

    assert found == {"low": x.min((0, 1)).tolist(), "high": x.max((0, 1)).tolist()}
    assert found["low"][0] == -1000 and found["high"][1:] == [2000, 3000]


def test_padding_does_not_count():
    x = np.full((2, 4, 1), 7.0, "float32")
    x[0, 3:], x[1, 2:] = 1e6, -1e6
    spec = DatasetSpec("t", "rows", (4, 1), "float32", ("a", "b"), variable_length=True)

    found = input_range(dataset(x, spec, np.array([3, 2], np.int32)))

    assert found == {"low": [7.0], "high": [7.0]}


def test_it_is_unknown_of_examples_in_files():
    spec = DatasetSpec("t", "rows", (4, 3), "float32", ("a", "b"))
    other = Split(np.ones((1, 4, 3), "float32"), np.zeros(1, np.int32))
    assert input_range(Dataset(spec, object(), other, other, "shards")) is None
