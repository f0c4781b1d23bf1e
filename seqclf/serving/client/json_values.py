"""Arrays, signatures and errors as TensorFlow Serving's REST writes them."""

import base64
import binascii
import json
import re
from typing import Any

import numpy as np

from seqclf.serving.client.tensors import TensorInfo, dtype_name, fitted
from seqclf.serving.object_arrays import object_array


def to_json(array: np.ndarray) -> Any:
    """Returns nested lists; bytes as base64."""
    if array.dtype != object:
        return array.tolist()
    return object_array([b64(value) for value in array.ravel()], array.shape).tolist()


def b64(value: bytes) -> dict[str, str]:
    """Returns what TensorFlow Serving takes as bytes."""
    return {"b64": base64.b64encode(value).decode()}


def from_json(name: str, value: Any, info: TensorInfo) -> np.ndarray:
    """Returns an output as the array that the model has computed.

    Raises:
        ValueError: it isn't of the promised type.
    """
    if info.dtype != "string":
        return fitted(name, np.asarray(value), info.dtype)
    array = np.array(value, dtype=object)
    if not name.endswith("_bytes"):
        if not all(isinstance(item, str) for item in array.ravel()):
            raise ValueError("its values aren't strings")
        return array
    try:
        flat = [base64.b64decode(item["b64"], validate=True) for item in array.ravel()]
    except (TypeError, KeyError, binascii.Error) as error:
        raise ValueError(f"its values aren't base64 ({error!r})") from error
    return object_array(flat, array.shape)


def infos(entries: dict[str, Any] | None) -> dict[str, TensorInfo]:
    """Returns the inputs or outputs of a signature in the server's metadata."""
    found = {}
    for name, entry in sorted((entries or {}).items()):
        shape = entry.get("tensor_shape", {})
        dims = tuple(int(dim["size"]) for dim in shape.get("dim", []))
        known = None if shape.get("unknown_rank") else dims
        found[name] = TensorInfo(dtype_name(entry["dtype"]), known)
    return found


def error_text(text: bytes) -> str:
    """Returns what TensorFlow Serving, or a proxy in another form, says of an error."""
    try:
        answer = json.loads(text)
    except ValueError:
        return page(text)
    error = answer.get("error", answer) if isinstance(answer, dict) else answer
    return error if isinstance(error, str) else json.dumps(error)


def page(text: bytes) -> str:
    """Returns the beginning of a page without its tags."""
    plain = re.sub(r"<(style|script|head).*?</\1>|<[^>]*>", " ", text.decode(errors="replace"))
    return " ".join(plain.split())[:200]
