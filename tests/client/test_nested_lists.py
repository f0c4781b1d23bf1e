"""Nested lists as tensors: NumPy, and seqclf's client that uses it, say what is right."""

import array
import enum
import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from seqclf.client.nested_lists import NestedLists, to_nested_lists
from seqclf.client.tensors import as_features, cast_exactly
from seqclf.serving.client.tensors import NumpyArrays

LISTS, NUMPY = NestedLists(), NumpyArrays()
DTYPES = [
    *("float16", "float32", "float64", "bool"),
    *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)),
]


def of_both(work):
    """Returns what each kind of tensors gives: a list, or the text of its complaint."""
    results = []
    for kind in (LISTS, NUMPY):
        try:
            result = work(kind)
        except ValueError as error:
            results.append(str(error))
        else:
            results.append(result.tolist() if isinstance(result, np.ndarray) else result)
    return results


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
def test_casts_are_numpys(dtype, data):
    source = data.draw(st.sampled_from(["float32", "float64", "int64", "uint8", "bool"]))
    shape = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
    values = data.draw(arrays.arrays(source, shape))
    with np.errstate(over="ignore"):
        lists, wanted = of_both(lambda kind: cast_exactly("x", kind.numbers(values), dtype, kind))
    if isinstance(wanted, str):
        # Of Python's numbers the lists do not know which of NumPy's types they were.
        wanted = re.sub(r"Received: (float|u?int)\d+$", r"Received: \g<1>64", wanted)
        assert lists == wanted.replace("Received: uint64", "Received: int64")
    else:
        np.testing.assert_array_equal(lists, wanted)
        assert types(lists) == types(wanted)


def types(value):
    return [types(each) for each in value] if isinstance(value, list) else type(value)


def test_numbers_at_the_ends_of_float_types():
    for dtype, largest in (("float16", 65504.0), ("float32", float(np.finfo("float32").max))):
        values = [largest, -largest * 1.5, 1e-50, -0.0, 0.1, math.inf]
        with np.errstate(over="ignore"):
            wanted = np.array(values).astype(dtype).tolist()
        assert LISTS.cast(values, dtype) == wanted and wanted[1] == -math.inf


def test_arrays_of_any_library_are_taken():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")

    class Level(enum.IntEnum):
        HIGH = 2

    wanted = [[1, 2], [3, 4]]
    for value in (
        np.array(wanted, "uint8"),
        torch.tensor(wanted),
        pd.DataFrame(wanted),
        [np.array([1, 2]), array.array("i", [3, 4])],
        ((1, Level.HIGH), range(3, 5)),
        [[np.int32(1), np.int64(2)], [np.uint8(3), 4]],
        [pd.Series([1, 2]), torch.tensor([3, 4])],
    ):
        lists = to_nested_lists(value)
        assert lists == wanted and types(lists) == types(wanted)
    assert to_nested_lists(np.float32(0.5)) == 0.5
    assert to_nested_lists("ab") == "ab" and to_nested_lists(None) is None


@pytest.mark.parametrize(
    "value, kind",
    [
        ([True], "b"),
        ([True, 2], "i"),
        ([[1, 2], [3, 4.0]], "f"),
        ([1, "a"], "O"),
        ([None], "O"),
        ([1j], "O"),
    ],
)
def test_kinds(value, kind):
    assert LISTS.kind(value) == kind
    if kind != "O":
        assert NUMPY.kind(NUMPY.numbers(value)) == kind


@pytest.mark.parametrize(
    "value, said",
    [
        ([[1, 2], [3]], "ragged: 1 to 2 long in dimension 1"),
        ([[[1]], [[1], [2]]], "ragged: 1 to 2 long in dimension 1"),
        ([[1], 2], "both lists and values in dimension 1"),
        ([[], [1]], "ragged: 0 to 1"),
    ],
)
def test_ragged_lists(value, said):
    with pytest.raises(ValueError, match=said):
        LISTS.numbers(value)
    with pytest.raises(ValueError):
        NUMPY.numbers(value)


@given(data=st.data())
def test_concatenation_and_first_steps_are_numpys(data):
    shape = data.draw(arrays.array_shapes(min_dims=2, max_dims=3, max_side=4))
    parts = [
        data.draw(arrays.arrays("int64", (n, *shape[1:]), elements=st.integers(-9, 9)))
        for n in data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    ]
    lists = [part.tolist() for part in parts]
    assert LISTS.concatenated(lists) == NUMPY.concatenated(parts).tolist()
    assert LISTS.first_steps(lists[0], 2) == NUMPY.first_steps(parts[0], 2).tolist()
    assert LISTS.shape(lists[0]) == parts[0].shape
    assert LISTS.limits(lists[0]) == NUMPY.limits(parts[0])
    with pytest.raises(ValueError, match="shapes"):
        LISTS.concatenated([*lists, [[[[0]]]]])


def test_padding_is_numpys():
    sequences = [np.full((n, 2, 3), n) for n in (3, 1, 2)]
    assert LISTS.padded([each.tolist() for each in sequences]) == NUMPY.padded(sequences).tolist()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_integers_beyond_any_float(dtype):
    with pytest.raises(ValueError, match=f"`x` must be {dtype}: int too large"):
        cast_exactly("x", [1, 10**400], dtype, LISTS)


@pytest.mark.parametrize(
    "value, wanted",
    [
        (np.array([[1, 2], [3, 4]], "uint8"), [1, 2, 3, 4]),
        (np.array([0.1], "float32"), [float(np.float32(0.1))]),
        ([1, 2.5], [1.0, 2.5]),
        (3, [3]),
        ("ä", ["ä".encode()]),
        ([b"\x00", "b"], [b"\x00", b"b"]),
        (np.array(["a", "b"]), [b"a", b"b"]),
        (np.array([b"a\x00", "b"], object), [b"a\x00", b"b"]),
        ([], []),
    ],
)
def test_features(value, wanted):
    features = as_features({"x": value})["x"]
    assert features == wanted and types(features) == types(wanted)


@pytest.mark.parametrize(
    "value, said",
    [
        ([2**63], "must lie in -9223372036854775808..9223372036854775807"),
        (None, "must be numbers, bytes or str. Received: NoneType"),
        ([b"a", 1], "must be bytes or str. Received: 1"),
        ([[1], [2, 3]], "ragged"),
    ],
)
def test_features_that_are_none(value, said):
    with pytest.raises(ValueError, match=said):
        as_features({"x": value})
