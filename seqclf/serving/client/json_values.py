"""Arrays, signatures and errors in the JSON of TensorFlow Serving's REST API."""

import base64
import binascii
import json
import re
from typing import Any

import numpy as np

from seqclf.serving.client.tensors import TensorInfo, cast_exactly, dtype_name
from seqclf.serving.object_arrays import object_array


def to_json(array: np.ndarray) -> Any:
    """Converts an array to nested lists; bytes become `{"b64": …}`."""
    if array.dtype != object:
        return array.tolist()
    return object_array([base64_object(value) for value in array.ravel()], array.shape).tolist()


def base64_object(value: bytes) -> dict[str, str]:
    """Returns the JSON object that stands for bytes."""
    return {"b64": base64.b64encode(value).decode()}


def from_json(name: str, value: Any, info: TensorInfo) -> np.ndarray:
    """Converts a JSON value to the array that the model has computed.

    Args:
        name: name of the output.
        value: nested lists.
        info: dtype and shape in the signature.

    Raises:
        ValueError: the value has another type than the signature says.
    """
    if info.dtype != "string":
        return cast_exactly(name, np.asarray(value), info.dtype)
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


def tensor_infos(entries: dict[str, Any] | None) -> dict[str, TensorInfo]:
    """Reads the inputs or the outputs of a signature in the server's metadata."""
    found = {}
    for name, entry in sorted((entries or {}).items()):
        shape = entry.get("tensor_shape", {})
        dims = tuple(int(dim["size"]) for dim in shape.get("dim", []))
        known = None if shape.get("unknown_rank") else dims
        found[name] = TensorInfo(dtype_name(entry["dtype"]), known)
    return found


def error_text(text: bytes) -> str:
    """Returns the message in the body of an error, from TensorFlow Serving or from a proxy."""
    try:
        answer = json.loads(text)
    except ValueError:
        return page_text(text)
    error = answer.get("error", answer) if isinstance(answer, dict) else answer
    return error if isinstance(error, str) else json.dumps(error)


def page_text(text: bytes) -> str:
    """Returns the first 200 characters of an HTML page without its tags."""
    plain = re.sub(r"<(style|script|head).*?</\1>|<[^>]*>", " ", text.decode(errors="replace"))
    return " ".join(plain.split())[:200]
