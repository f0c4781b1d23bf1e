"""Batches of inputs of different shapes (batching/batching_session.cc and batching_util.cc)."""

import numpy as np

from seqclf.serving.server.fault import Fault, invalid
from seqclf.serving.server.tensors import TensorMap


def shapes_fault(tensor_name: str) -> Fault:
    """Returns the fault of all requests in a batch of different shapes that must not be padded.

    Args:
        tensor_name: name of the tensor in the graph.
    """
    return Fault(
        "FAILED_PRECONDITION",
        f"Tensors with name '{tensor_name}' from different tasks have different shapes and padding "
        "is turned off. Set pad_variable_length_inputs to true, or ensure that all tensors with "
        "the same name have equal dimensions starting with the first dim.",
    )


def concatenate_padded(parts: list[TensorMap]) -> TensorMap:
    """Concatenates the inputs of requests; shorter ones are padded with their first value.

    Args:
        parts: inputs of each request, with the same names; each array has the batch as first
            dimension.

    Raises:
        Fault: an input differs in its number of dimensions, or must be padded but has no value.
    """
    return {name: _concatenate([part[name] for part in parts]) for name in parts[0]}


def _concatenate(arrays: list[np.ndarray]) -> np.ndarray:
    if len({array.shape[1:] for array in arrays}) == 1:
        return np.concatenate(arrays)
    if len({array.ndim for array in arrays}) > 1:
        raise invalid("Tensors of one batch differ in their number of dimensions.")
    longest = tuple(max(sizes) for sizes in zip(*(a.shape[1:] for a in arrays), strict=True))
    return np.concatenate([_pad(array, longest) for array in arrays])


def _pad(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Pads all dimensions but the first at their ends."""
    if array.shape[1:] == shape:
        return array
    if not array.size:
        raise invalid("Got empty tensor in batch of non-empty tensors.")
    padded = np.full((len(array), *shape), array.flat[0], array.dtype)
    padded[tuple(slice(size) for size in array.shape)] = array
    return padded
