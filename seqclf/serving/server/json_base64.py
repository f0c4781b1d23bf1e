"""Bytes in JSON: an object `{"b64": "…"}` with standard base64."""

import base64
import binascii
from typing import Any

from seqclf.serving.server.fault import invalid
from seqclf.serving.server.json_document import quoted_json


def is_base64_object(value: Any) -> bool:
    """Returns whether a JSON value stands for bytes."""
    return isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str)


def encode_base64(value: bytes) -> dict[str, str]:
    """Returns the JSON object that stands for bytes."""
    return {"b64": base64.b64encode(value).decode()}


def decode_base64(value: Any) -> bytes:
    """Decodes `{"b64": "…"}`.

    Raises:
        Fault: the value has another form, or its text is not base64.
    """
    if not is_base64_object(value):
        raise invalid(
            f"JSON Value: {quoted_json(value)} not formatted correctly for base64 data: expected "
            "{'b64': '...'} and no other key"
        )
    text = "".join(value["b64"].split())
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid(f"Unable to base64 decode: {error}") from error
