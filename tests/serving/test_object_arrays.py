"""Object arrays keep each value as it is."""

import pytest

from seqclf.serving.object_arrays import object_array


def test_bytes_keep_their_zeros_and_lists_stay_elements():
    values = [b"a\0\0", [1, 2], [3, 4], {"b64": ""}]

    array = object_array(iter(values), (2, 2))

    assert array.dtype == object and array.shape == (2, 2)
    assert array.ravel().tolist() == values


def test_no_values_make_an_empty_array():
    assert object_array([]).shape == (0,)
    assert object_array([], (0, 3)).shape == (0, 3)


def test_a_shape_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="reshape"):
        object_array([b"a", b"b", b"c"], (2, 2))
