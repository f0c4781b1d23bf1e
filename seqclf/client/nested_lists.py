"""Tensors as nested lists of Python's own numbers, str and bytes; without NumPy."""

import math
import struct
from array import array as packed
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, TypeAlias

from .arrays import Arrays

NestedList: TypeAlias = list[Any]
PLAIN = frozenset((bool, int, float, str, bytes))
TYPE_OF_KIND = {"b": "bool", "i": "int64", "f": "float64"}  # as NumPy calls Python's numbers
PACKED_FLOATS = {"float32": "f", "float64": "d"}


class NestedLists(Arrays[NestedList]):
    """Tensors as nested lists. A tensor without dimensions is the value itself."""

    def numbers(self, value: Any) -> NestedList:
        lists: NestedList = to_nested_lists(value)
        check_rectangular(lists)
        return lists

    def objects(self, value: Any) -> NestedList:
        check_rectangular(value)
        lists: NestedList = value
        return lists

    def whole(self, value: Any) -> None:
        return None

    def shape(self, array: Any) -> tuple[int, ...]:
        sizes = []
        while isinstance(array, list):
            sizes.append(len(array))
            if not array:
                break
            array = array[0]
        return tuple(sizes)

    def kind(self, array: NestedList) -> str:
        types = set(map(type, flat(array)))
        for kind, allowed in (("b", {bool}), ("i", {bool, int}), ("f", {bool, int, float})):
            if types <= allowed:
                return kind
        return "O"

    def type_name(self, array: NestedList) -> str:
        kind = self.kind(array)
        if kind in TYPE_OF_KIND:
            return TYPE_OF_KIND[kind]
        return min({type(each).__name__ for each in flat(array)} - {"bool", "int", "float"})

    def limits(self, array: NestedList) -> tuple[int, int]:
        values = flat(array)
        return int(min(values)), int(max(values))

    def cast(self, array: NestedList, dtype: str) -> NestedList:
        convert = row_converter(dtype)

        def converted(value: Any) -> Any:
            if value and isinstance(value[0], list):
                return [converted(each) for each in value]
            return convert(value)

        if not isinstance(array, list):
            scalar: Any = convert([array])[0]
            return scalar
        lists: NestedList = converted(array)
        return lists

    def padded(self, sequences: Sequence[NestedList]) -> NestedList:
        steps = max(map(len, sequences))
        nothing = _zeros(self.shape(sequences[0])[1:])
        return [[*each, *([nothing] * (steps - len(each)))] for each in sequences]

    def first_steps(self, array: NestedList, steps: int) -> NestedList:
        return [each[:steps] for each in array]

    def concatenated(self, arrays: Sequence[NestedList]) -> NestedList:
        shapes = {self.shape(each)[1:] for each in arrays}
        if len(shapes) > 1:
            raise ValueError(f"shapes {', '.join(map(str, sorted(map(list, shapes))))}")
        return list(chain.from_iterable(arrays))

    def to_lists(self, array: NestedList) -> Any:
        return array


def to_nested_lists(value: Any) -> Any:
    """Converts sequences, and arrays of any library, to nested lists.

    Args:
        value: a number, bytes or str; or a sequence of such values; or an array, whose `tolist` or
            `__array__` is called. Anything else, such as None, is left as it is.
    """
    if not hasattr(value, "tolist") and hasattr(value, "__array__"):
        value = value.__array__()
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, str | bytes | bytearray | memoryview) or not isinstance(value, Sequence):
        return _plain_number(value)
    items = list(value)
    if PLAIN.issuperset(map(type, items)):
        return items
    return [to_nested_lists(each) for each in items]


def check_rectangular(value: Any) -> None:
    """Checks that the lists of each level have one length.

    Raises:
        ValueError: they don't, or there are values beside lists.
    """
    level, depth = [value], 0
    while list in (types := set(map(type, level))):
        if len(types) > 1:
            raise ValueError(f"there are both lists and values in dimension {depth}")
        lengths = sorted(set(map(len, level)))
        if len(lengths) > 1:
            raise ValueError(
                f"its lists are ragged: {lengths[0]} to {lengths[-1]} long in dimension {depth}"
            )
        level, depth = list(chain.from_iterable(level)), depth + 1


def flat(value: Any) -> list[Any]:
    """Returns the values in rectangular nested lists, in row-major order."""
    level = [value]
    while level and isinstance(level[0], list):
        level = list(chain.from_iterable(level))
    return level


def row_converter(dtype: str) -> Callable[[list[Any]], list[Any]]:
    """Returns a function that rounds a list of numbers to a dtype."""
    if dtype in PACKED_FLOATS:
        code = PACKED_FLOATS[dtype]
        return lambda row: packed(code, row).tolist()
    if dtype == "float16":
        return lambda row: list(map(_half, row))
    return list if dtype == "bool" else lambda row: list(map(int, row))


def _half(value: float) -> float:
    try:
        rounded: float = struct.unpack("e", struct.pack("e", float(value)))[0]
    except OverflowError:  # as NumPy rounds them
        rounded = math.copysign(math.inf, value)
    return rounded


def _plain_number(value: Any) -> Any:
    """Returns a number of a subclass, such as a member of an IntEnum, as Python's own."""
    if type(value) in PLAIN:
        return value
    for kind in (int, float):
        if isinstance(value, kind):
            return kind(value)
    return value


def _zeros(shape: tuple[int, ...]) -> Any:
    return [_zeros(shape[1:])] * shape[0] if shape else 0
