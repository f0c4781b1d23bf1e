"""`RemotePredictor`: predictions from a server, for the files that `Predictor` reads.

It does not import TensorFlow.
"""

import math

import numpy as np

from seqclf.errors import DataError
from seqclf.serving.client import Client, NotFound
from seqclf.serving.client.tensors import Signature
from seqclf.serving.image_files import encode_image_file
from seqclf.serving.npz_inputs import read_npz_inputs
from seqclf.serving.predictions import Prediction, predictions_from


class RemotePredictor:
    """Asks a server that serves an export of seqclf.

    Args:
        client: a client from `seqclf.serving.client.connect`.

    Raises:
        ServingError: the server cannot be reached, or does not serve an export of seqclf.
    """

    def __init__(self, client: Client):
        self._client = client
        self._signatures = client.metadata()
        self._names: tuple[str, ...] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The class names, by index. They are asked for once, by classifying a blank example."""
        if self._names is None:
            self._signature("classify")
            dtype, shape = self._raw_input()
            # The feature has the type of the data, which may differ from `serving_default`'s.
            whole = "serving_bytes" in self._signatures or dtype == "uint8"
            blank = [0 if whole else 0.0] * math.prod(size or 1 for size in shape)
            (scored,) = self._client.classify([{"inputs": blank}])
            self._names = tuple(name for name, _ in scored)
        return self._names

    def predict_file(self, path: str, invert: bool = False) -> list[Prediction]:
        """Classifies an image file, or each example of an `.npz` file, as `Predictor` does.

        Image files are sent as they are wherever the server can read them; arrays are sent as
        arrays.

        Args:
            path: the file.
            invert: whether to swap dark and bright in an image first.

        Raises:
            DataError: the file is missing, damaged, or does not fit the model.
            ServingError: the server does not answer, or refuses the request.
        """
        if path.endswith(".npz"):
            return self._predict_arrays(path)
        if "serving_bytes" not in self._signatures:
            raise DataError(
                f"{path}: the served model reads sequences of numbers, not images: give an .npz "
                "file with `x`."
            )
        images = {"image_bytes": [encode_image_file(path, invert)]}
        return predictions_from(self._client.predict(images, "serving_bytes"), [path])

    def _predict_arrays(self, path: str) -> list[Prediction]:
        dtype, shape = self._raw_input()
        variable_length = "lengths" in self._signature("serving_default").inputs
        x, lengths = read_npz_inputs(path, shape, dtype, variable_length)
        inputs = {"inputs": x.astype(dtype)}
        if lengths is not None:
            inputs["lengths"] = lengths.astype(np.int32)
        return predictions_from(
            self._client.predict(inputs), [f"{path}[{i}]" for i in range(len(x))]
        )

    def _signature(self, name: str) -> Signature:
        if name not in self._signatures:
            raise NotFound(
                "the served model",
                f"it has no signature {name!r}; it has {', '.join(sorted(self._signatures))}",
                "Serve an export of seqclf.",
            )
        return self._signatures[name]

    def _raw_input(self) -> tuple[str, tuple[int | None, ...]]:
        """Returns dtype and shape of a raw example; None for a dimension of any size."""
        info = self._signature("serving_default").inputs["inputs"]
        return info.dtype, tuple(None if size < 0 else size for size in (info.shape or ())[1:])
