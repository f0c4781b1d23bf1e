"""`NumpyArrays`: the tensors of this client; with the signatures of `seqclf.client.tensors`."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from seqclf.client import tensors
from seqclf.client.arrays import Arrays
from seqclf.client.tensors import Features as Features
from seqclf.client.tensors import Signature as Signature
from seqclf.client.tensors import TensorInfo as TensorInfo
from seqclf.client.tensors import dtype_name as dtype_name
from seqclf.serving.padding import pad_sequences


class NumpyArrays(Arrays[np.ndarray]):
    """Tensors as arrays of NumPy; strings as object arrays of bytes or str."""

    def numbers(self, value: Any) -> np.ndarray:
        return np.asarray(value)

    def objects(self, value: Any) -> np.ndarray:
        array = np.array(value, object)
        if any(isinstance(each, list) for each in array.flat):
            raise ValueError("its lists are ragged")
        return array

    def whole(self, value: Any) -> np.ndarray | None:
        return value if isinstance(value, np.ndarray) and value.dtype != object else None

    def shape(self, array: np.ndarray) -> tuple[int, ...]:
        return array.shape

    def kind(self, array: np.ndarray) -> str:
        return array.dtype.kind

    def type_name(self, array: np.ndarray) -> str:
        return str(array.dtype)

    def limits(self, array: np.ndarray) -> tuple[int, int]:
        return int(array.min()), int(array.max())

    def cast(self, array: np.ndarray, dtype: str) -> np.ndarray:
        return array.astype(dtype, copy=False)

    def padded(self, sequences: Sequence[np.ndarray]) -> np.ndarray:
        return pad_sequences(sequences)[0]

    def first_steps(self, array: np.ndarray, steps: int) -> np.ndarray:
        return array[:, :steps]

    def concatenated(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        return np.concatenate(arrays)

    def to_lists(self, array: np.ndarray) -> Any:
        return array.tolist()


def concatenate_batches(parts: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Concatenates the outputs of consecutive batches; see `seqclf.client.tensors`."""
    return tensors.concatenate_batches(parts, NumpyArrays())
