"""Arrays by name, and their conversion from and to the protocol buffers of TensorFlow."""

import math
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from seqclf.serving.object_arrays import object_array
from seqclf.serving.server.fault import invalid

# Inputs or outputs of a signature by name; an input or output of strings is an object array of
# bytes.
TensorMap: TypeAlias = dict[str, np.ndarray]

MAX_TENSOR_BYTES = 2**28  # a message of a few bytes can name any shape
VALUE_FIELDS = {  # NumPy's dtype → the field of TensorProto that holds the values
    **dict.fromkeys(("int8", "int16", "int32", "uint8", "uint16"), "int_val"),
    **{name: f"{name}_val" for name in ("bool", "int64", "uint32", "uint64")},
    **{"float32": "float_val", "float64": "double_val"},
}


def array_from_proto(proto: Any) -> np.ndarray:
    """Converts a TensorProto to an array.

    Raises:
        Fault: the message is malformed, or the array would be larger than `MAX_TENSOR_BYTES`.
    """
    try:
        dtype = tf.dtypes.as_dtype(proto.dtype)
        shape = [dim.size for dim in proto.tensor_shape.dim]
        size = math.prod(shape)
        if min(shape, default=0) < 0:
            raise invalid(f"A tensor cannot have the shape {shape}.")
        if size * max(dtype.size or 1, 1) > MAX_TENSOR_BYTES:
            raise invalid(f"A tensor of {size} values is too large.")
        if dtype == tf.string:
            return _strings_from_proto(proto, shape, size)
        array: np.ndarray = tf.make_ndarray(proto)
        return array
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise invalid(f"A tensor cannot be read: {error}") from error


def _strings_from_proto(proto: Any, shape: list[int], size: int) -> np.ndarray:
    """Returns the strings of a TensorProto; the last one stands for those that are missing."""
    values = list(proto.string_val)
    if len(values) > size:
        raise invalid(f"{size} strings expected. Received: {len(values)}")
    values += [values[-1] if values else b""] * (size - len(values))
    return object_array(values, tuple(shape))


def proto_from_array(array: np.ndarray) -> Any:
    """Converts an array to a TensorProto with its values in `float_val` and the like.

    `make_tensor_proto` would put them into `tensor_content`. TensorFlow Serving does not, and many
    clients read `response.outputs["y"].float_val`.
    """
    field = VALUE_FIELDS.get(array.dtype.name)
    if field is None:
        return tf.make_tensor_proto(array)
    dtype = tf.dtypes.as_dtype(array.dtype).as_datatype_enum
    shape = tf.TensorShape(array.shape).as_proto()
    proto = tensor_pb2.TensorProto(dtype=dtype, tensor_shape=shape)
    getattr(proto, field).extend(array.ravel().tolist())
    return proto


def serialized_examples(message: Any) -> np.ndarray:
    """Serializes the `tf.Example` messages of a ClassificationRequest's Input.

    Returns:
        Object array `[B]` of bytes; the features of a shared context are merged into each example.
    """
    if message.WhichOneof("kind") != "example_list_with_context":
        examples = message.example_list.examples
        return object_array([example.SerializeToString() for example in examples])
    with_context = message.example_list_with_context
    merged = []
    for example in with_context.examples:
        whole = tf.train.Example()
        whole.CopyFrom(with_context.context)
        whole.MergeFrom(example)
        merged.append(whole.SerializeToString())
    return object_array(merged)
