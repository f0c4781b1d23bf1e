"""`Predictor`: predictions from an exported model, loaded with TensorFlow alone."""

import json
from pathlib import Path

import numpy as np
import tensorflow as tf

from seqclf.data.dataset import DatasetSpec
from seqclf.errors import DataError, ExportError
from seqclf.serving.file_names import METADATA
from seqclf.serving.graph_errors import message_of
from seqclf.serving.image_files import encode_image_file
from seqclf.serving.npz_inputs import read_npz_inputs
from seqclf.serving.predictions import Prediction, predictions_from
from seqclf.serving.versions import version_folder

BATCH_SIZE = 256


class Predictor:
    """Classifies files and arrays with the newest version of an export, or with one version of it.

    Args:
        model: `EXPORT_DIR` or `EXPORT_DIR/<version>`.

    Attributes:
        path: the version's folder.
        spec: spec of the data that the model was trained on.

    Raises:
        ExportError: there is no export of seqclf in that folder, or it is damaged.
    """

    def __init__(self, model: str | Path):
        self.path = version_folder(Path(model).expanduser())
        try:
            metadata = json.loads((self.path / METADATA).read_text())
            self.spec = DatasetSpec.from_json(json.dumps(metadata["spec"]))
            self._loaded = tf.saved_model.load(str(self.path))  # keeps the variables alive
            self._signature = self._loaded.signatures["serving_default"]
            self._image_signature = self._loaded.signatures.get("serving_bytes")
            self._dtype = self._signature.structured_input_signature[1]["inputs"].dtype
        except Exception as error:  # TensorFlow raises errors of many types for a damaged file
            said = message_of(error) if isinstance(error, tf.errors.OpError) else error
            raise ExportError(
                f"{self.path} cannot be loaded as an export of seqclf: {said}. "
                f"python -m seqclf.export --verify={self.path} says what is wrong with it."
            ) from error

    def predict(
        self, x: np.ndarray, lengths: np.ndarray | None, sources: list[str]
    ) -> list[Prediction]:
        """Classifies raw examples.

        Args:
            x: `[N, *raw_shape]`, raw values.
            lengths: `[N]` if the model was trained on varying lengths, otherwise None.
            sources: N names for the examples, one for each prediction.
        """
        predictions: list[Prediction] = []
        for start in range(0, len(x), BATCH_SIZE):
            part = slice(start, start + BATCH_SIZE)
            inputs = {"inputs": tf.cast(tf.constant(x[part]), self._dtype)}
            if lengths is not None:
                inputs["lengths"] = tf.constant(lengths[part], tf.int32)
            outputs = {k: v.numpy() for k, v in self._signature(**inputs).items()}
            predictions += predictions_from(outputs, sources[part])
        return predictions

    def predict_file(self, path: str, invert: bool = False) -> list[Prediction]:
        """Classifies a PNG or JPEG image, or each example of an `.npz` file.

        An image is turned upright as its EXIF data says, then converted as `decode_images`
        describes.

        Args:
            path: the file.
            invert: whether to swap dark and bright in an image first.

        Raises:
            DataError: the file is missing, damaged, or does not fit the model.
        """
        if path.endswith(".npz"):
            spec = self.spec
            free = (None, *spec.raw_shape[1:]) if spec.variable_length else spec.raw_shape
            x, lengths = read_npz_inputs(path, free, self._dtype.name, spec.variable_length)
            return self.predict(x, lengths, [f"{path}[{i}]" for i in range(len(x))])
        if self._image_signature is None:
            raise DataError(
                f"{path}: this model reads sequences of {self.spec.features} {self.spec.raw_dtype} "
                "features, not images: give an .npz file with `x`."
            )
        encoded = tf.constant([encode_image_file(path, invert)])
        try:
            outputs = self._image_signature(image_bytes=encoded)
        except tf.errors.InvalidArgumentError as error:
            raise DataError(f"{path}: not a readable image ({message_of(error)}).") from error
        return predictions_from({k: v.numpy() for k, v in outputs.items()}, [path])
