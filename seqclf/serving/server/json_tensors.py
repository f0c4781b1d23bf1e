"""TensorFlow Serving's JSON, to arrays and back (its rules: util/json_tensor.cc there).

A request names a signature and gives either `instances`, a list of examples that is answered by
`predictions`, or `inputs`, whole tensors, answered by `outputs`. A string may be `{"b64": …}`.
"""

import base64
import binascii
import itertools
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqclf.serving.object_arrays import object_array
from seqclf.serving.server.fault import Fault, invalid

INT_RANGES = {  # what the server checks: not the range of the type, but that of the JSON number
    **dict.fromkeys(("int32", "int16", "int8", "uint8", "uint16"), (-(2**31), 2**31 - 1)),
    "int64": (-(2**63), 2**63 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
}
LARGEST_INTEGERS = {"float32": 2**24 - 1, "float64": 2**53 - 1}  # that a float holds exactly
DEEPEST = 32  # levels of lists
EXPONENT = re.compile(r"[eE]\+?\d{3}")  # of a number that may be beyond a double,
LONG = re.compile(r"\d{309}")  # as may one that is so long
HALF = re.compile(r"\\u[dD][89a-fA-F]")  # of a pair of surrogates, maybe without the other
WRITTEN = {*INT_RANGES, *LARGEST_INTEGERS, "bool"}  # types of outputs


@dataclass(frozen=True)
class JsonRequest:
    """A prediction request before its tensors are looked at.

    Attributes:
        signature: its name, "" for the default.
        rows: whether it came as `instances`.
        content: of `instances` or `inputs`.
    """

    signature: str
    rows: bool
    content: Any


def load_object(body: bytes) -> dict[str, Any]:
    """Parses a body that must be a JSON object; NaN and Infinity are taken for numbers."""
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    try:
        text = body.decode()
        too_big = EXPONENT.search(text) or ("." in text and LONG.search(text))  # maybe
        document = json.loads(text, parse_float=_finite if too_big else None)
        if HALF.search(text):
            json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        raise invalid(f"JSON Parse error: Invalid value: {error}") from error
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {_shown(document)} Is not object")
    return document


def _finite(text: str) -> float:
    if math.isinf(number := float(text)):
        raise ValueError(f"Number too big to be stored in double: {text}")
    return number


def signature_name(document: Mapping[str, Any]) -> str:
    """Returns the signature that a request names, "" if none."""
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(
            f"JSON Value: {_shown(name)} not formatted correctly. 'signature_name' key must be a "
            "string value."
        )
    return name


def parse_request(document: Mapping[str, Any]) -> JsonRequest:
    """Finds out what a `:predict` request asks."""
    signature = signature_name(document)
    if "instances" in document and "inputs" in document:
        raise invalid(
            "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist"
        )
    if "inputs" in document:
        return JsonRequest(signature, False, document["inputs"])
    if "instances" not in document:
        raise invalid("Missing 'inputs' or 'instances' key")
    instances = document["instances"]
    if not isinstance(instances, list):
        raise invalid("Expecting 'instances' to be a list/array")
    if not instances:
        raise invalid("No values in 'instances' array")
    return JsonRequest(signature, True, instances)


def to_tensors(request: JsonRequest, dtypes: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Converts the content of a request.

    Args:
        request: from `parse_request`.
        dtypes: of the signature's inputs, by name: NumPy's names, and `string`.

    Returns:
        An array for each input; of `object` (bytes) for strings.

    Raises:
        Fault: a value is of the wrong type, lists are ragged, names are unknown or missing.
    """
    if not dtypes:
        name = request.signature or "DEFAULT"
        raise invalid(f"Failed to get input map for signature: {name}: it takes no inputs")
    return (_from_rows if request.rows else _from_columns)(request.content, dtypes)


def predictions_json(outputs: Mapping[str, np.ndarray], rows: bool) -> str:
    """Writes the answer to a `:predict` request.

    Args:
        outputs: by name; strings as `object` arrays of bytes.
        rows: as in `JsonRequest`: an object for each example, or each output whole. If there is but one
            output, its name is left out.
    """
    names = sorted(outputs)
    if not names:
        raise invalid("Cannot convert empty tensor map to JSON")
    values = {name: _plain(outputs[name], name.endswith("_bytes")) for name in names}
    if not rows:
        return json.dumps({"outputs": values if len(names) > 1 else values[names[0]]})
    sizes = {name: outputs[name].shape[:1] for name in names}
    if len(set(sizes.values())) != 1 or () in sizes.values():
        raise invalid(f"Outputs have inconsistent batch sizes: {sizes}")
    if (0,) in sizes.values():
        raise invalid("Outputs have an invalid batch size: 0")
    if len(names) == 1:
        return json.dumps({"predictions": values[names[0]]})
    table = zip(*(values[name] for name in names), strict=True)
    return json.dumps({"predictions": [dict(zip(names, row, strict=True)) for row in table]})


def classifications_json(classes: np.ndarray | None, scores: np.ndarray | None) -> str:
    """Writes the answer to a `:classify` request: `[[label, score], …]` for each example."""
    shape = scores.shape if scores is not None else classes.shape  # type: ignore[union-attr]
    labels = _plain(classes, False) if classes is not None else np.full(shape, "").tolist()
    numbers = _plain(scores, False) if scores is not None else np.zeros(shape).tolist()
    pairs = zip(labels, numbers, strict=True)
    return json.dumps({"results": [[list(p) for p in zip(*pair, strict=True)] for pair in pairs]})


def _from_rows(instances: list, dtypes: Mapping[str, str]) -> dict[str, np.ndarray]:
    named = _is_named(instances[0])
    if not named and len(dtypes) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors "
            f"required: {', '.join(sorted(dtypes))}"
        )
    columns: dict[str, list] = {name: [] for name in dtypes}
    only = next(iter(dtypes))
    for i, instance in enumerate(instances):
        if _is_named(instance) != named:
            expected, got = ("object", "list") if named else ("value/list", "object")
            raise invalid(f"Expecting {expected} but got {got} at item {i} of input list")
        if not named:
            columns[only].append(instance)
            continue
        if instance.keys() != dtypes.keys():
            raise invalid(
                f"Failed to process element: {i} of 'instances' list. JSON object keys must be "
                f"equal to: {','.join(sorted(dtypes))}. Received: {','.join(sorted(instance))}"
            )
        for name, value in instance.items():
            columns[name].append(value)
    return {name: _array(values, dtypes[name], name) for name, values in columns.items()}


def _from_columns(inputs: Any, dtypes: Mapping[str, str]) -> dict[str, np.ndarray]:
    if not _is_named(inputs):
        if len(dtypes) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors "
                f"required: {', '.join(sorted(dtypes))}"
            )
        inputs = {next(iter(dtypes)): inputs}
    for name in dtypes:
        if name not in inputs:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: _array(inputs[name], dtype, name) for name, dtype in dtypes.items()}


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and not _is_base64(value)


def _is_base64(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str)


def _array(value: Any, dtype: str, name: str) -> np.ndarray:
    shape, flat = _flatten(value, name)
    if dtype == "string":
        return object_array((_bytes(item, name) for item in flat), shape)
    types = set(map(type, flat))
    if dtype in LARGEST_INTEGERS:
        _check_types(types, {int, float}, flat, dtype, name)
        check_lossless(flat, dtype, types, name)
    elif dtype == "bool":
        _check_types(types, {bool}, flat, dtype, name)
    elif dtype in INT_RANGES:
        _check_types(types, {int}, flat, dtype, name)
        low, high = INT_RANGES[dtype]
        if flat and not (low <= min(flat) and max(flat) <= high):
            raise _type_error(next(v for v in flat if not low <= v <= high), dtype, name)
        wide = np.array(flat, "uint64" if dtype == "uint64" else "int64")
        return wide.astype(dtype).reshape(shape)  # 300 becomes 44, as it does in the server
    else:
        raise Fault("UNIMPLEMENTED", f"Conversion of JSON Value to type: {dtype}")
    return np.array(flat, dtype).reshape(shape)


def _flatten(value: Any, name: str) -> tuple[tuple[int, ...], list]:
    """Returns the shape that the first elements have, and all values, or refuses ragged lists."""
    shape: list[int] = []
    level = [value]
    while level and isinstance(level[0], list):
        size = len(level[0])
        for item in level:
            if not isinstance(item, list) or len(item) != size:
                got = f"a list of {len(item)}" if isinstance(item, list) else _shown(item)
                raise invalid(
                    f"input {name!r}: lists are ragged at level {len(shape)}: expecting tensor "
                    f"size: {size} but got: {got}"
                )
        shape.append(size)
        if len(shape) > DEEPEST:
            raise invalid(f"input {name!r}: lists nested more than {DEEPEST} deep")
        level = list(itertools.chain.from_iterable(level))
    if list in set(map(type, level)):
        raise invalid(
            f"input {name!r}: encountered list at unexpected level: {len(shape)}: lists are ragged"
        )
    return tuple(shape), level


def _check_types(types: set, allowed: set, flat: list, dtype: str, name: str) -> None:
    if not types <= allowed:
        raise _type_error(next(v for v in flat if type(v) not in allowed), dtype, name)


def _type_error(value: Any, dtype: str, name: str) -> Fault:
    kind = {dict: "Object", str: "String", bool: "Bool", int: "Number", float: "Number"}
    return invalid(
        f"input {name!r}: JSON Value: {_shown(value)} Type: {kind.get(type(value), 'Null')} is not "
        f"of expected type: {dtype.removesuffix('32') if dtype == 'float32' else dtype}"
    )


def check_lossless(flat: list, dtype: str, types: set, name: str) -> None:
    """Checks that a float type can hold numbers; NaN and infinity it can.

    Args:
        flat: the numbers.
        dtype: `float32` or `float64`.
        types: of the numbers, `int` and `float`.
        name: of what they are for.

    Raises:
        Fault: one is too large, or an integer with too many digits.
    """
    most = LARGEST_INTEGERS[dtype]
    largest = float(np.finfo(dtype).max)
    for kind, bound in ((int, most), (float, largest)):
        if kind in types:
            numbers = flat if len(types) == 1 else [v for v in flat if type(v) is kind]
            if not (max(numbers) <= bound and min(numbers) >= -bound):  # or a NaN is the first
                bad = next((v for v in numbers if bound < abs(v) < float("inf")), None)
                if bad is not None:
                    raise invalid(
                        f"input {name!r}: Cannot convert JSON value: {bad} to "
                        f"{dtype.removesuffix('32')} without loss of precision."
                    )


def _bytes(value: Any, name: str) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if not isinstance(value, dict):
        raise _type_error(value, "string", name)
    return decode_base64(value)


def decode_base64(value: Any) -> bytes:
    """Decodes `{"b64": "…"}`.

    Raises:
        Fault: it is not that, or not base64.
    """
    if not _is_base64(value):
        raise invalid(
            f"JSON Value: {_shown(value)} not formatted correctly for base64 data: expected "
            "{'b64': '...'} and no other key"
        )
    text = "".join(value["b64"].split())
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid(f"Unable to base64 decode: {error}") from error


def _plain(array: np.ndarray, as_bytes: bool) -> Any:
    """Returns nested lists of what JSON has."""
    if array.dtype == object:
        if as_bytes:
            return _nested(({"b64": base64.b64encode(v).decode()} for v in array.flat), array.shape)
        return _nested((v.decode("utf-8", "replace") for v in array.flat), array.shape)
    if array.dtype == np.float32:  # by way of its own shortest decimal: 0.2, not 0.20000000298
        return _nested(map(float, array.ravel().astype(str).tolist()), array.shape)
    if array.dtype.name not in WRITTEN:
        raise invalid(f"Failed to write JSON value for tensor type: {array.dtype.name}")
    return array.tolist()


def _nested(values: Iterable[Any], shape: tuple[int, ...]) -> Any:
    return object_array(values, shape).tolist()


def _shown(value: Any) -> str:
    try:
        text = json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        text = repr(type(value))
    return text if len(text) <= 80 else text[:80] + " …"
