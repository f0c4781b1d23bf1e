"""The JSON text of a request's body, read as TensorFlow Serving reads it, and quoted in messages.

TensorFlow Serving uses RapidJSON, which differs from Python's parser: of duplicate keys the first
one counts, text after the document is ignored, numbers that round to infinity are infinite, and
`Inf` is a number. (Integers beyond 64 bits are floats there, and `int` here until they get a type.)
What is refused here and accepted there is listed in docs/serving.md.
"""

import codecs
import json
import math
import re
from typing import Any

from seqclf.serving.server.fault import invalid

# A text whose digits are all 0 shows quickly whether its numbers need the slower reading.
TO_SKELETON = bytes.maketrans(b"123456789E", b"000000000e")
LARGE_EXPONENT = b"e000"
LONG_NUMBER = b"0" * 309
SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")  # half of a pair, perhaps without the other
# A string, which stays as it is, or a number that only RapidJSON knows.
STRING_OR_WORD = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|\bInf\b|-NaN\b', re.DOTALL)
PYTHON_WORDS = {"Inf": "Infinity", "-NaN": "NaN"}
SPACE = re.compile(r"[ \t\n\r]*")
MAX_EXPONENT = 308  # of a double
MAX_QUOTED_LENGTH = 80


def parse_json_object(body: bytes) -> dict[str, Any]:
    """Parses a body that must be a JSON object; `NaN` and `Infinity` are accepted as numbers.

    Raises:
        Fault: the body is no JSON, not an object, not UTF-8 or nested too deep; a number is too
            large for a double; half of a surrogate pair stands alone.
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    try:
        text = body.decode()
        skeleton = body.translate(TO_SKELETON, b"+")
        document = _parse(text, LONG_NUMBER in skeleton or LARGE_EXPONENT in skeleton)
        if SURROGATE_ESCAPE.search(text):
            json.dumps(document, ensure_ascii=False).encode()
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise _parse_error(error.start, str(error)) from error
    except json.JSONDecodeError as error:
        raise _parse_error(error.pos, error.msg) from error
    except (ValueError, RecursionError) as error:
        raise invalid(f"JSON Parse error: {error}") from error
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


def _parse(text: str, may_overflow: bool) -> Any:
    try:
        return _parse_document(text, may_overflow)
    except json.JSONDecodeError:
        if "Inf" not in text and "-NaN" not in text:
            raise
    text = STRING_OR_WORD.sub(lambda m: PYTHON_WORDS.get(m[0], m[0]), text)
    return _parse_document(text, may_overflow)


def _parse_document(text: str, may_overflow: bool) -> Any:
    """Parses the document at the beginning of a text; what follows it is ignored."""
    decoder = json.JSONDecoder(
        object_pairs_hook=_first_of_duplicates,
        parse_float=_float if may_overflow else None,
        parse_int=_integer if may_overflow else None,
    )
    start = SPACE.match(text)
    return decoder.raw_decode(text, start.end() if start else 0)[0]


def _first_of_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    return values if len(values) == len(pairs) else dict(reversed(pairs))


def _integer(text: str) -> int | float:
    """Reads an integer; a long one becomes a float, as `int` would take too long for it."""
    return int(text) if len(text) < len(LONG_NUMBER) else _finite(text)


def _float(text: str) -> float:
    """Reads a decimal number, which may become infinite by rounding, but not by its exponent."""
    mantissa, _, exponent = text.lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    _finite(whole)
    if exponent and not exponent.startswith("-"):
        digits = exponent.lstrip("+").lstrip("0")
        if len(digits) > 3 or int(digits or 0) > MAX_EXPONENT + len(fraction):
            raise ValueError(f"Number too big to be stored in double: {text[:MAX_QUOTED_LENGTH]}")
    return float(text)


def _finite(text: str) -> float:
    if math.isinf(number := float(text)):
        raise ValueError(f"Number too big to be stored in double: {text[:MAX_QUOTED_LENGTH]}")
    return number


def _parse_error(offset: int, reason: str) -> Exception:
    return invalid(f"JSON Parse error: Invalid value. at offset: {offset}: {reason}")
