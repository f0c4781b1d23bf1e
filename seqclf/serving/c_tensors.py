"""`Tensor`: a tensor of any type as bytes, for TensorFlow's C API."""

import itertools
from dataclasses import dataclass

import ml_dtypes
import numpy as np

from seqclf.serving.object_arrays import object_array

STRING = 7  # TF_STRING
# Numbers of the types in the enum `DataType`.
KINDS = {
    **{np.dtype("float32"): 1, np.dtype("float64"): 2, np.dtype("int32"): 3, np.dtype("uint8"): 4},
    **{np.dtype("int16"): 5, np.dtype("int8"): 6, np.dtype("complex64"): 8, np.dtype("int64"): 9},
    **{np.dtype("bool"): 10, np.dtype(ml_dtypes.bfloat16): 14, np.dtype("uint16"): 17},
    **{np.dtype("complex128"): 18, np.dtype("float16"): 19, np.dtype("uint32"): 22},
    **{np.dtype("uint64"): 23},
}
DTYPES = {kind: dtype for dtype, kind in KINDS.items()}


@dataclass(frozen=True)
class Tensor:
    """A tensor of any type as bytes; strings may be empty and hold zero bytes.

    Attributes:
        kind: number of the type in the enum `DataType`.
        shape: sizes of the dimensions.
        data: the elements in row-major order; strings without anything between them.
        lengths: lengths of the strings in bytes; empty for other types.
    """

    kind: int
    shape: tuple[int, ...]
    data: bytes
    lengths: tuple[int, ...] = ()

    @classmethod
    def from_array(cls, array: np.ndarray) -> "Tensor":
        """Returns an array as a tensor; objects and texts become strings.

        Raises:
            KeyError: TensorFlow has no such type.
        """
        if array.dtype.kind not in "OSU":
            return cls(KINDS[array.dtype], array.shape, array.tobytes())
        texts = [as_bytes(text) for text in array.ravel().tolist()]
        return cls(STRING, array.shape, b"".join(texts), tuple(map(len, texts)))

    def to_array(self) -> np.ndarray:
        """Returns the tensor as an array; strings become bytes objects."""
        if self.kind != STRING:
            if self.kind not in DTYPES:  # NumPy has no such type; the bytes can be compared
                return np.frombuffer(self.data, np.uint8)
            return np.frombuffer(self.data, DTYPES[self.kind]).reshape(self.shape)
        ends = list(itertools.accumulate(self.lengths))
        pairs = zip([0, *ends], ends, strict=False)
        return object_array((self.data[start:end] for start, end in pairs), self.shape)


def as_bytes(text: str | bytes) -> bytes:
    """Returns text as bytes in UTF-8, and bytes as they are."""
    return text.encode() if isinstance(text, str) else bytes(text)
