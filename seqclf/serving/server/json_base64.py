"""Bytes in JSON: an object `{"b64": "…"}` with standard base64."""

import base64
import binascii
import re
from typing import Any

from seqclf.serving.server.fault import invalid
from seqclf.serving.server.json_document import quoted_json

SPACE = re.compile(r"[ \t\n\v\f\r]+")


def is_base64_object(value: Any) -> bool:
    """Returns whether a JSON value stands for bytes."""
    return isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str)


def encode_base64(value: bytes) -> dict[str, str]:
    """Returns the JSON object that stands for bytes."""
    return {"b64": base64.b64encode(value).decode()}


def decode_base64(value: Any) -> bytes:
    """Decodes `{"b64": "…"}`; the padding must be complete or missing.

    Raises:
        Fault: the value has another form, or its text is not base64.
    """
    if not is_base64_object(value):
        raise invalid(
            f"JSON Value: {quoted_json(value)} not formatted correctly for base64 data: expected "
            "{'b64': '...'} and no other key"
        )
    text = SPACE.sub("", value["b64"])
    digits = text.rstrip("=")
    due = -len(digits) % 4
    if len(text) - len(digits) not in (0, due):
        raise invalid(f"Unable to base64 decode: {len(text) - len(digits)} `=` instead of {due}")
    try:
        return base64.b64decode(digits + "=" * due, validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid(f"Unable to base64 decode: {error}") from error
