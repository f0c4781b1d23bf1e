"""The JSON of responses to `:predict` and `:classify` (its rules: util/json_tensor.cc)."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from seqclf.serving.object_arrays import object_array
from seqclf.serving.server.fault import invalid
from seqclf.serving.server.json_base64 import encode_base64

WRITABLE_DTYPES = {
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float32", "float64", "bool"),
}


def predictions_json(outputs: Mapping[str, np.ndarray], is_rows: bool) -> str:
    """Writes the response to a `:predict` request.

    If there is only one output its name is left out.

    Args:
        outputs: arrays by name; strings as object arrays of bytes.
        is_rows: whether to write an object for each example (`predictions`) or each output whole
            (`outputs`).

    Raises:
        Fault: there is no output, JSON has no form for its dtype, or outputs that are to be
            written in rows differ in their number of examples.
    """
    names = sorted(outputs)
    if not names:
        raise invalid("Cannot convert empty tensor map to JSON")
    values = {name: _nested_values(outputs[name], name.endswith("_bytes")) for name in names}
    if not is_rows:
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
    """Writes the response to a `:classify` request: `[[label, score], …]` for each example.

    Args:
        classes: labels, object array `[B, C]` of bytes; None writes empty labels.
        scores: scores, float32 `[B, C]`; None writes zeros. One of the two must be given.
    """
    shape = scores.shape if scores is not None else classes.shape  # type: ignore[union-attr] # one
    labels = _nested_values(classes, False) if classes is not None else np.full(shape, "").tolist()
    numbers = _nested_values(scores, False) if scores is not None else np.zeros(shape).tolist()
    pairs = zip(labels, numbers, strict=True)
    return json.dumps({"results": [[list(p) for p in zip(*pair, strict=True)] for pair in pairs]})


def _nested_values(array: np.ndarray, as_bytes: bool) -> Any:
    """Returns an array as nested lists of JSON values; strings as base64 if `as_bytes`."""
    if array.dtype == object:
        if as_bytes:
            return _nested_lists((encode_base64(value) for value in array.flat), array.shape)
        texts = (value.decode("utf-8", "replace") for value in array.flat)
        return _nested_lists(texts, array.shape)
    if array.dtype == np.float32:  # as its own shortest decimal: 0.2, not 0.20000000298023224
        return _nested_lists(map(float, array.ravel().astype(str).tolist()), array.shape)
    if array.dtype.name not in WRITABLE_DTYPES:
        raise invalid(f"Failed to write JSON value for tensor type: {array.dtype.name}")
    return array.tolist()


def _nested_lists(values: Iterable[Any], shape: tuple[int, ...]) -> Any:
    return object_array(values, shape).tolist()
