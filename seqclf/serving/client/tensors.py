"""Signatures of a model, and the checks of arrays and features against them; no TensorFlow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from seqclf.serving.object_arrays import object_array

DTYPE_NAMES = {
    "DT_FLOAT": "float32",
    "DT_DOUBLE": "float64",
    "DT_HALF": "float16",
    "DT_BOOL": "bool",
}
NUMERIC_DTYPES = {f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)} | {
    *DTYPE_NAMES.values()
}
# NumPy kind → the kinds that convert to it with the same meaning; the server converts the same.
CONVERTIBLE_KINDS = {"f": "fiub", "i": "iub", "u": "iub", "b": "b"}
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


def as_inputs(inputs: Mapping[str, Any], signature: Signature) -> dict[str, np.ndarray]:
    """Converts inputs to arrays `[N, …]` that fit a signature; strings to object arrays of bytes.

    The server checks neither sizes nor ranges: it would use the first rows of an image that is too
    high, and wrap 300 into a uint8.

    Raises:
        ValueError: names, shapes, types or values don't fit, or there is no example.
    """
    if set(inputs) != set(signature.inputs):
        raise ValueError(
            f"the inputs must be {_names(signature.inputs)}. Received: {_names(inputs)}"
        )
    arrays = {}
    for name, info in sorted(signature.inputs.items()):
        try:
            value = inputs[name]
            array = _as_bytes(value) if info.dtype == "string" else np.asarray(value)
        except ValueError as error:  # nested sequences of different lengths
            raise ValueError(f"`{name}` cannot be made an array: {error}") from error
        if not shape_fits(array.shape, info.shape):
            wanted = ["N", *info.shape[1:]] if info.shape else ["N", "…"]
            raise ValueError(
                f"`{name}` must be of shape [{', '.join(map(str, wanted))}] (-1: any size). "
                f"Received: {list(array.shape)}"
            )
        arrays[name] = array if info.dtype == "string" else cast_exactly(name, array, info.dtype)
    sizes = {name: len(array) for name, array in arrays.items()}
    if len(set(sizes.values())) != 1:
        raise ValueError(f"all inputs must hold the same number of examples. Received: {sizes}")
    if 0 in sizes.values():
        raise ValueError("there must be at least one example. Received: none")
    return arrays


def shape_fits(shape: tuple[int, ...], wanted: tuple[int, ...] | None) -> bool:
    """Returns whether a shape, whose first dimension is the batch, fits the one in a signature."""
    if wanted is None:
        return len(shape) > 0
    return 0 < len(shape) == len(wanted) and all(
        b in (-1, a) for a, b in zip(shape[1:], wanted[1:], strict=True)
    )


def cast_exactly(name: str, array: np.ndarray, dtype: str) -> np.ndarray:
    """Casts an array to a dtype that can hold its values.

    Args:
        name: name of the input or output, for the message.
        array: numbers.
        dtype: NumPy's name of the dtype.

    Raises:
        ValueError: the array has another kind of numbers, or a value does not fit.
    """
    if dtype not in NUMERIC_DTYPES:
        raise ValueError(f"`{name}` is of type {dtype}, which this client does not know")
    target = np.dtype(dtype)
    if array.size and array.dtype.kind not in CONVERTIBLE_KINDS[target.kind]:
        raise ValueError(f"`{name}` must be {dtype}. Received: {array.dtype}")
    if target.kind in "iu" and array.size:
        limits = np.iinfo(target)
        low, high = int(array.min()), int(array.max())
        if low < limits.min or high > limits.max:
            raise ValueError(
                f"`{name}` must lie in {limits.min}..{limits.max}. Received: {low}..{high}"
            )
    return array.astype(target, copy=False)


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
    features: Features = {}
    for name, value in example.items():
        array = np.asarray(value)
        if array.dtype.kind in "SUO":  # from the value again: NumPy strips zero bytes at the end
            array = _as_bytes(value)
        elif array.dtype.kind in "biu":
            array = cast_exactly(name, array, "int64")
        elif array.dtype.kind != "f":
            raise ValueError(f"`{name}` must be numbers, bytes or str. Received: {array.dtype}")
        features[name] = array.ravel().tolist()
    return features


def concatenate_batches(parts: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Concatenates the outputs of consecutive batches, `[N, …]` each.

    A server that has padded some of the batches to the time steps of other requests answers with
    more time steps there. These are padding, and are cut off.
    """
    if len(parts) == 1:
        return parts[0]
    outputs = {}
    for name in parts[0]:
        arrays = [part[name] for part in parts]
        if arrays[0].ndim > 1 and len({array.shape[1] for array in arrays}) > 1:
            steps = min(array.shape[1] for array in arrays)
            arrays = [array[:, :steps] for array in arrays]
        outputs[name] = np.concatenate(arrays)
    return outputs


def _as_bytes(value: Any) -> np.ndarray:
    array = np.array(value, dtype=object)
    flat = []
    for item in array.ravel():
        if not isinstance(item, str | bytes):
            raise ValueError(f"its values must be bytes or str. Received: {item!r:.80}")
        flat.append(item.encode() if isinstance(item, str) else item)
    return object_array(flat, array.shape)


def _names(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "none"
