"""The `tf.Example` messages in the JSON of a `:classify` request (util/json_tensor.cc)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from seqclf.serving.object_arrays import object_array
from seqclf.serving.server.fault import Fault, invalid
from seqclf.serving.server.json_base64 import decode_base64


def examples_from_json(document: Mapping[str, Any]) -> np.ndarray:
    """Converts the body of a `:classify` request.

    Args:
        document: an object with the key `examples`, a list of objects (feature name → a value or a
            list of values), and perhaps `context`, an object of features that all examples share.

    Returns:
        Serialized `tf.Example` messages, an object array `[B]` of bytes.

    Raises:
        Fault: the document has another form.
    """
    if "examples" not in document:
        raise invalid("When method is classify, key 'examples' is expected and was not found")
    examples = document["examples"]
    if not isinstance(examples, list):
        raise invalid("Expecting 'examples' value to be an list/array")
    if not examples:
        raise invalid("'examples' value is an empty array")
    context = _features(document["context"]) if "context" in document else {}
    return object_array([_serialize(context | _features(example)) for example in examples])


def _serialize(features: dict[str, tf.train.Feature]) -> bytes:
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return bytes(example.SerializeToString())


def _features(example: Any) -> dict[str, tf.train.Feature]:
    if not isinstance(example, dict):
        raise invalid(f"Example must be JSON object but got JSON {type(example).__name__}")
    return {name: _feature(name, value) for name, value in example.items()}


def _feature(name: str, content: Any) -> tf.train.Feature:
    values = [_as_float_beyond_64_bits(v) for v in _as_list(content)]
    types = {int if type(value) is bool else type(value) for value in values}
    try:
        if not values:
            return tf.train.Feature()  # a feature without a kind counts as absent
        if types <= {int}:
            numbers = [int(value) for value in values]
            if max(numbers) >= 2**63:
                raise invalid(f"Feature: {name} has uint64_t element. Only int64_t is supported.")
            return tf.train.Feature(int64_list=tf.train.Int64List(value=numbers))
        if types == {float}:
            return tf.train.Feature(float_list=tf.train.FloatList(value=values))
        if types <= {str, dict}:
            strings = [v.encode() if isinstance(v, str) else decode_base64(v) for v in values]
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=strings))
    except Fault:
        raise
    except (ValueError, UnicodeError, OverflowError) as error:
        raise invalid(f"Feature: {name} has an element out of range: {error}") from error
    raise _type_error(name, types)


def _as_list(content: Any) -> list[Any]:
    return content if isinstance(content, list) else [content]


def _as_float_beyond_64_bits(value: Any) -> Any:
    if type(value) is int and not -(2**63) <= value < 2**64:
        return float(value)
    return value


def _type_error(name: str, types: set[type]) -> Fault:
    unknown = types - {int, float, str, dict}
    if unknown:
        return invalid(
            f"Feature: {name} has element with unexpected JSON type: {unknown.pop().__name__}"
        )
    return invalid(
        f"Unexpected element type in feature: {name}: all must be integers, all numbers with a "
        "decimal point, or all strings. Received: " + ", ".join(sorted(t.__name__ for t in types))
    )
