"""Inputs that a model accepts but probably misreads are warned about."""

import dataclasses

import numpy as np
import pytest

from seqclf.data.spec import DatasetSpec
from seqclf.serving.input_range import InputRange
from seqclf.serving.input_warnings import input_warnings

RANGE = InputRange.from_json({"low": 0.0, "high": 16.0})


def sequences(*rows, lengths=None):
    x = np.array(rows, np.float32)[..., None]
    return {"inputs": x} if lengths is None else {"inputs": x, "lengths": np.array(lengths)}


@pytest.mark.parametrize(
    ("inputs", "kinds"),
    [
        (sequences([1, 2, 3, 4]), set()),
        (sequences([1, 2, 3, 4], lengths=[4]), set()),
        (sequences([1, 2, 0, 0], [1, 2, 3, 4], lengths=[2, 4]), set()),
        (sequences([1, 2, 3, 0], lengths=[4]), set()),  # one step of zeros may be meant
        (sequences([0, 0, 0, 0], lengths=[4]), set()),  # and so may nothing but zeros
        (sequences([0, 0, 0, 5], lengths=[4]), set()),
        (sequences([1, 2, 0, 0], lengths=[4]), {"padding"}),
        (sequences([1, 2, 3, 4], [1, 0, 0, 0], lengths=[4, 3]), {"padding"}),
        (sequences([1, 2, 3, 4], lengths=[3]), {"beyond"}),
        (sequences([1, 0, 0, 4], lengths=[3]), {"beyond", "padding"}),
        (sequences([1, 2, 3, 4], [1, 2, 0, 0], lengths=[5, 2]), {"lengths"}),
        (sequences([1, 2, 255, 4]), {"range"}),
        (sequences([1, -100, 0, 0], lengths=[2]), {"range"}),
        (sequences([1, 2, 255, 4], lengths=[2]), {"beyond"}),  # what is not read has no range
    ],
)
def test_what_is_warned_about(inputs, kinds):
    assert input_warnings(inputs, RANGE).keys() == kinds
    assert input_warnings(inputs, None).keys() == kinds - {"range"}


def test_sequences_of_one_value_where_each_is_scaled_by_itself():
    spec = DatasetSpec("test", "rows", (4, 2), "float32", ("a", "b"), True, own_scale=True)
    x = np.random.default_rng(0).normal(size=(4, 4, 2)).astype("float32")
    x[1] = 5.0
    x[2, :2], x[2, 2:] = (1.0, np.nan), 7.0
    x[3, :, 0] = 5.0  # the other feature tells something
    inputs = {"inputs": x, "lengths": np.array([4, 4, 2, 4])}
    found = input_warnings(inputs, None, spec)["flat"]
    assert found.startswith("2 of 4 sequences have one value only in every feature. This model")
    assert "1 of 4 sequences has" in input_warnings({"inputs": x}, None, spec)["flat"]
    for other in (None, dataclasses.replace(spec, own_scale=False)):
        assert "flat" not in input_warnings(inputs, None, other)


def test_sequences_much_longer_than_those_of_the_training():
    spec = DatasetSpec("test", "rows", (4, 1), "float32", ("a", "b"), variable_length=True)
    x = np.ones((3, 9, 1), np.float32)
    found = input_warnings({"inputs": x, "lengths": np.array([8, 9, 3])}, None, spec)["long"]
    assert found.startswith("1 of 3 sequences are more than twice as long as the longest one of")
    assert "up to 9 time steps, and that had 4." in found
    assert "3 of 3 sequences" in input_warnings({"inputs": x}, None, spec)["long"]
    fine = {"inputs": x, "lengths": np.array([8, 8, 3])}
    assert "long" not in input_warnings(fine, None, spec)
    equal = dataclasses.replace(spec, variable_length=False)
    assert input_warnings({"inputs": x}, None, equal) == {}
    assert input_warnings({"inputs": x}, None, None) == {}


def test_the_sentences_say_how_many():
    inputs = sequences([1, 2, 3, 4], [1, 0, 0, 0], [2, 3, 0, 0], lengths=[3, 4, 4])
    found = input_warnings(inputs, None)
    assert found["padding"].startswith("2 of 3 sequences end in time steps of zeros")
    assert found["beyond"].startswith("1 of 3 sequences have values other than 0 beyond")


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"image_bytes": np.array([b"x"], object)},
        {"inputs": np.array([b"x"], object)},
        {"inputs": np.float32(3)},
        {"inputs": np.zeros((0, 4, 1))},
        {"inputs": np.ones((2, 4, 1)), "lengths": np.array([1])},
        {"inputs": np.ones((1, 4, 1)), "lengths": np.array([1.5])},
        {"inputs": np.ones((1, 4, 1)), "lengths": np.array(3)},
    ],
)
def test_what_is_not_checked(inputs):
    assert input_warnings(inputs, RANGE) == {}


def test_time_steps_of_several_numbers():
    x = np.zeros((1, 5, 2, 2), np.uint8)
    x[0, :3, 1, 1] = 7
    assert input_warnings({"inputs": x, "lengths": np.array([3])}, None) == {}
    assert input_warnings({"inputs": x, "lengths": np.array([5])}, None).keys() == {"padding"}
