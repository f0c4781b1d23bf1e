"""Tensors, signatures and errors in the JSON of TensorFlow Serving's REST API."""

import base64
import binascii
import json
import re
from typing import Any

from .arrays import A, Arrays
from .tensors import TensorInfo, cast_exactly, dtype_name


def to_json(lists: Any) -> Any:
    """Returns nested lists of bytes as JSON values; bytes become `{"b64": …}`."""
    if isinstance(lists, list):
        return [to_json(each) for each in lists]
    return base64_object(lists)


def base64_object(value: bytes) -> dict[str, str]:
    """Returns the JSON object that stands for bytes."""
    return {"b64": base64.b64encode(value).decode()}


def from_json(name: str, value: Any, info: TensorInfo, arrays: Arrays[A]) -> A:
    """Converts a JSON value to the tensor that the model has computed.

    Args:
        name: name of the output.
        value: nested lists.
        info: dtype and shape in the signature.
        arrays: the kind of tensor to make.

    Raises:
        ValueError: the value has another type than the signature says.
    """
    if info.dtype != "string":
        return cast_exactly(name, arrays.numbers(value), info.dtype, arrays)
    return arrays.objects(_strings(value, encoded=name.endswith("_bytes")))


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


def _strings(value: Any, encoded: bool) -> Any:
    if isinstance(value, list):
        return [_strings(each, encoded) for each in value]
    if not encoded:
        if not isinstance(value, str):
            raise ValueError("its values aren't strings")
        return value
    try:
        return base64.b64decode(value["b64"], validate=True)
    except (TypeError, KeyError, binascii.Error) as error:
        raise ValueError(f"its values aren't base64 ({error!r})") from error
