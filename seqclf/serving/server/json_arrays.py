"""A tensor in JSON, lists of lists of values, converted to an array (util/json_tensor.cc)."""

import itertools
from typing import Any

import numpy as np

from seqclf.serving.object_arrays import object_array
from seqclf.serving.server.fault import Fault, invalid
from seqclf.serving.server.json_base64 import decode_base64
from seqclf.serving.server.json_document import quoted_json

# TensorFlow Serving checks the range of the JSON number, which may be wider than that of the dtype.
INTEGER_RANGES = {
    **dict.fromkeys(("int32", "int16", "int8", "uint8"), (-(2**31), 2**31 - 1)),
    "int64": (-(2**63), 2**63 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
}
FLOATS = ("float32", "float64")
TENSORFLOW_NAMES = {"float16": "half", "float32": "float", "float64": "double"}
MAX_NESTING = 32  # levels of lists
JSON_TYPE_NAMES = {dict: "Object", str: "String", bool: "Bool", int: "Number", float: "Number"}


def array_from_json(value: Any, dtype: str, name: str) -> np.ndarray:
    """Converts a JSON value to an array.

    Args:
        value: a scalar, or lists of lists of scalars.
        dtype: NumPy's name of the dtype, or `string`.
        name: name of the input, for messages.

    Returns:
        An array of that dtype; an object array of bytes for strings.

    Raises:
        Fault: the lists are ragged, or a value has the wrong type; UNIMPLEMENTED if JSON has no
            form for the dtype.
    """
    shape, flat = _flatten(value, name)
    if dtype == "string":
        return object_array([_string_bytes(item, name) for item in flat], shape)
    if dtype in FLOATS:
        _check_types(flat, {int, float}, dtype, name)
        with np.errstate(over="ignore"):  # 1e39 is infinite in float32
            return np.array(flat, dtype).reshape(shape)
    if dtype == "bool":
        _check_types(flat, {bool}, dtype, name)
        return np.array(flat, dtype).reshape(shape)
    if dtype in INTEGER_RANGES:
        return _integers(flat, dtype, name).reshape(shape)
    first = quoted_json(flat[0] if flat else value)
    raise Fault("UNIMPLEMENTED", f"Conversion of JSON Value: {first} to type: {_type_name(dtype)}")


def _flatten(value: Any, name: str) -> tuple[tuple[int, ...], list[Any]]:
    """Returns the shape, read from the first element of each level, and all values in a row."""
    shape: list[int] = []
    level = [value]
    while level and isinstance(level[0], list):
        size = len(level[0])
        _check_sizes(level, size, len(shape), name)
        shape.append(size)
        if len(shape) > MAX_NESTING:
            raise invalid(f"input {name!r}: lists nested more than {MAX_NESTING} deep")
        level = list(itertools.chain.from_iterable(level))
    if list in set(map(type, level)):
        raise invalid(
            f"input {name!r}: encountered list at unexpected level: {len(shape)}: lists are ragged"
        )
    return tuple(shape), level


def _check_sizes(items: list[Any], size: int, depth: int, name: str) -> None:
    for item in items:
        if not isinstance(item, list) or len(item) != size:
            got = f"a list of {len(item)}" if isinstance(item, list) else quoted_json(item)
            raise invalid(
                f"input {name!r}: lists are ragged at level {depth}: expecting tensor size: "
                f"{size} but got: {got}"
            )


def _integers(flat: list[Any], dtype: str, name: str) -> np.ndarray:
    _check_types(flat, {int}, dtype, name)
    low, high = INTEGER_RANGES[dtype]
    if flat and not (low <= min(flat) and max(flat) <= high):
        raise _type_error(next(v for v in flat if not low <= v <= high), dtype, name)
    wide = np.array(flat, "uint64" if dtype == "uint64" else "int64")
    return wide.astype(dtype)  # 300 becomes 44 in uint8, as in TensorFlow Serving


def _string_bytes(value: Any, name: str) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if not isinstance(value, dict):
        raise _type_error(value, "string", name)
    return decode_base64(value)


def _check_types(flat: list[Any], allowed: set[type], dtype: str, name: str) -> None:
    if not set(map(type, flat)) <= allowed:
        raise _type_error(next(v for v in flat if type(v) not in allowed), dtype, name)


def _type_error(value: Any, dtype: str, name: str) -> Fault:
    return invalid(
        f"input {name!r}: JSON Value: {quoted_json(value)} "
        f"Type: {JSON_TYPE_NAMES.get(type(value), 'Null')} is not of expected type: "
        f"{_type_name(dtype)}"
    )


def _type_name(dtype: str) -> str:
    """Returns TensorFlow's name of a dtype."""
    return TENSORFLOW_NAMES.get(dtype, dtype)
