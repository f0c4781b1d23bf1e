"""The JSON text of a request's body, and how messages quote a part of it."""

import json
import math
import re
from typing import Any

from seqclf.serving.server.fault import invalid

# Only a text that has one of these needs the slower check of its numbers or strings.
LARGE_EXPONENT = re.compile(r"[eE]\+?\d{3}")
LONG_NUMBER = re.compile(r"\d{309}")
SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")  # half of a pair, perhaps without the other
MAX_QUOTED_LENGTH = 80


def parse_json_object(body: bytes) -> dict[str, Any]:
    """Parses a body that must be a JSON object; `NaN` and `Infinity` are accepted as numbers.

    Raises:
        Fault: the body is no JSON, or not an object; a number is too large for a double.
    """
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    try:
        text = body.decode()
        may_overflow = LARGE_EXPONENT.search(text) or ("." in text and LONG_NUMBER.search(text))
        document = json.loads(text, parse_float=_finite_float if may_overflow else None)
        if SURROGATE_ESCAPE.search(text):
            json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        raise invalid(f"JSON Parse error: Invalid value: {error}") from error
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {quoted_json(document)} Is not object")
    return document


def quoted_json(value: Any) -> str:
    """Returns a JSON value as text for a message, cut after `MAX_QUOTED_LENGTH` characters."""
    try:
        text = json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        text = repr(type(value))
    return text if len(text) <= MAX_QUOTED_LENGTH else text[:MAX_QUOTED_LENGTH] + " …"


def _finite_float(text: str) -> float:
    if math.isinf(number := float(text)):
        raise ValueError(f"Number too big to be stored in double: {text}")
    return number
