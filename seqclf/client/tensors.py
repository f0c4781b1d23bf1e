"""Signatures of a model, and the checks of tensors and features against them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from .arrays import A, Arrays
from .nested_lists import NestedLists, flat, to_nested_lists

DTYPE_NAMES = {
    "DT_FLOAT": "float32",
    "DT_DOUBLE": "float64",
    "DT_HALF": "float16",
    "DT_BOOL": "bool",
}
NUMERIC_DTYPES = {f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)} | {
    *DTYPE_NAMES.values()
}
# First letter of a dtype → the kinds that convert to it with the same meaning, as in the server.
CONVERTIBLE_KINDS = {"f": "fiub", "i": "iub", "u": "iub", "b": "b"}
NO_EXAMPLE = "there must be at least one example. Received: none"
Features: TypeAlias = dict[str, list[int] | list[float] | list[bytes]]


@dataclass(frozen=True)
class TensorInfo:
    """One input or output of a signature.

    Attributes:
        dtype: NumPy's name of the dtype, or `string`.
        shape: the shape, -1 for a dimension of any size; None if the rank is free.
    """

    dtype: str
    shape: tuple[int, ...] | None


@dataclass(frozen=True)
class Signature:
    """The inputs and outputs of one signature by name."""

    inputs: dict[str, TensorInfo]
    outputs: dict[str, TensorInfo]


def dtype_name(data_type: str) -> str:
    """Returns NumPy's name of a TensorFlow dtype such as `DT_FLOAT`."""
    return DTYPE_NAMES.get(data_type, data_type.removeprefix("DT_").lower())


def as_inputs(inputs: Mapping[str, Any], signature: Signature, arrays: Arrays[A]) -> dict[str, A]:
    """Converts inputs to tensors `[N, …]` that fit a signature; strings to bytes.

    The server checks neither sizes nor ranges: it would use the first rows of an image that is too
    high, and wrap 300 into a uint8.

    Args:
        inputs: values by name.
        signature: the signature.
        arrays: the kind of tensors to make.

    Raises:
        ValueError: names, shapes, types or values don't fit, or there is no example.
    """
    if set(inputs) != set(signature.inputs):
        raise ValueError(
            f"the inputs must be {_names(signature.inputs)}. Received: {_names(inputs)}"
        )
    tensors = {}
    for name, info in sorted(signature.inputs.items()):
        try:
            value = inputs[name]
            is_text = info.dtype == "string"
            array = arrays.objects(as_bytes(value)) if is_text else arrays.numbers(value)
        except ValueError as error:  # nested sequences of different lengths
            raise ValueError(f"`{name}` cannot be made an array: {error}") from error
        shape = arrays.shape(array)
        if not shape_fits(shape, info.shape):
            if shape[:1] == (0,):  # an empty list has no further dimensions
                raise ValueError(NO_EXAMPLE)
            wanted = ["N", *info.shape[1:]] if info.shape else ["N", "…"]
            raise ValueError(
                f"`{name}` must be of shape [{', '.join(map(str, wanted))}] (-1: any size). "
                f"Received: {list(shape)}"
            )
        tensors[name] = array if is_text else cast_exactly(name, array, info.dtype, arrays)
    sizes = {name: len(array) for name, array in tensors.items()}
    if len(set(sizes.values())) != 1:
        raise ValueError(f"all inputs must hold the same number of examples. Received: {sizes}")
    if 0 in sizes.values():
        raise ValueError(NO_EXAMPLE)
    return tensors


def shape_fits(shape: tuple[int, ...], wanted: tuple[int, ...] | None) -> bool:
    """Returns whether a shape, whose first dimension is the batch, fits the one in a signature."""
    if wanted is None:
        return len(shape) > 0
    return 0 < len(shape) == len(wanted) and all(
        b in (-1, a) for a, b in zip(shape[1:], wanted[1:], strict=True)
    )


def cast_exactly(name: str, array: A, dtype: str, arrays: Arrays[A]) -> A:
    """Casts a tensor to a dtype that can hold its values.

    Args:
        name: name of the input or output, for the message.
        array: numbers.
        dtype: NumPy's name of the dtype.
        arrays: the kind of the tensor.

    Raises:
        ValueError: the tensor has another kind of numbers, or a value does not fit.
    """
    if dtype not in NUMERIC_DTYPES:
        raise ValueError(f"`{name}` is of type {dtype}, which this client does not know")
    is_empty = 0 in arrays.shape(array)
    if not is_empty and arrays.kind(array) not in CONVERTIBLE_KINDS[dtype[0]]:
        raise ValueError(f"`{name}` must be {dtype}. Received: {arrays.type_name(array)}")
    if dtype[0] in "iu" and not is_empty:
        lowest, highest = integer_limits(dtype)
        low, high = arrays.limits(array)
        if low < lowest or high > highest:
            raise ValueError(f"`{name}` must lie in {lowest}..{highest}. Received: {low}..{high}")
    try:
        return arrays.cast(array, dtype)
    except OverflowError as error:  # an integer beyond the largest float64
        raise ValueError(f"`{name}` must be {dtype}: {error}") from error


def integer_limits(dtype: str) -> tuple[int, int]:
    """Returns the lowest and the highest number of a dtype such as uint8."""
    bits = int(dtype.lstrip("uint"))
    return (0, 2**bits - 1) if dtype[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def as_features(example: Mapping[str, Any]) -> Features:
    """Converts an example's features to flat lists, each of one type as `tf.train.Example` asks.

    Raises:
        ValueError: the example is no mapping, or a value is neither numbers, bytes nor str.
    """
    if not isinstance(example, Mapping):
        raise ValueError(
            "an example must be a mapping from the names of features to their values. Received: "
            f"{example!r:.80}"
        )
    lists = NestedLists()
    features: Features = {}
    for name, value in example.items():
        array = lists.numbers(value)
        kind = lists.kind(array)
        if any(isinstance(each, str | bytes) for each in flat(array)):
            array = as_bytes(value)
        elif kind in "bi":
            array = cast_exactly(name, array, "int64", lists)
        elif kind == "f":
            array = lists.cast(array, "float64")
        else:
            received = lists.type_name(array)
            raise ValueError(f"`{name}` must be numbers, bytes or str. Received: {received}")
        features[name] = flat(array)
    return features


def as_bytes(value: Any) -> Any:
    """Converts nested sequences of str and bytes to nested lists of bytes.

    Raises:
        ValueError: a value is neither str nor bytes.
    """
    if not isinstance(value, str | bytes | list):
        value = to_nested_lists(value)
    if isinstance(value, list):
        return [as_bytes(each) for each in value]
    if not isinstance(value, str | bytes):
        raise ValueError(f"its values must be bytes or str. Received: {value!r:.80}")
    return value.encode() if isinstance(value, str) else value


def concatenate_batches(parts: Sequence[dict[str, A]], arrays: Arrays[A]) -> dict[str, A]:
    """Concatenates the outputs of consecutive batches, `[N, …]` each.

    A server that has padded some of the batches to the time steps of other requests answers with
    more time steps there. These are padding, and are cut off.

    Raises:
        ValueError: other dimensions differ.
    """
    if len(parts) == 1:
        return parts[0]
    outputs = {}
    for name in parts[0]:
        tensors = [part[name] for part in parts]
        steps = {shape[1] for shape in map(arrays.shape, tensors) if len(shape) > 1}
        if len(steps) > 1:
            tensors = [arrays.first_steps(tensor, min(steps)) for tensor in tensors]
        outputs[name] = arrays.concatenated(tensors)
    return outputs


def _names(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "none"
