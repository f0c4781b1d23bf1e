"""`Predictor`: an exported model loaded with TensorFlow alone, and the files that it can read."""

import json
from pathlib import Path

import numpy as np
import tensorflow as tf

from seqclf.data.dataset import DatasetSpec
from seqclf.errors import DataError, ExportError
from seqclf.serving.answers import Answer, answers, read_arrays
from seqclf.serving.graph_errors import message_of
from seqclf.serving.names import METADATA
from seqclf.serving.pictures import encode
from seqclf.serving.publish import version_folder

BATCH_SIZE = 256


class Predictor:
    """The newest version of an export, or one version of it.

    Args:
        model: `EXPORT_DIR` or `EXPORT_DIR/<version>`.

    Attributes:
        path: the version's folder.
        spec: of the data that it was trained on.

    Raises:
        ExportError: there is no export of seqclf's in that folder, or it is damaged.
    """

    def __init__(self, model: str | Path):
        self.path = version_folder(Path(model).expanduser())
        try:
            metadata = json.loads((self.path / METADATA).read_text())
            self.spec = DatasetSpec.from_json(json.dumps(metadata["spec"]))
            self._loaded = tf.saved_model.load(str(self.path))  # keeps the variables alive
            self._signature = self._loaded.signatures["serving_default"]
            self._of_pictures = self._loaded.signatures.get("serving_bytes")
            self._dtype = self._signature.structured_input_signature[1]["inputs"].dtype
        except Exception as error:  # TensorFlow raises what it likes for a damaged file
            said = message_of(error) if isinstance(error, tf.errors.OpError) else error
            raise ExportError(
                f"{self.path} cannot be loaded as an export of seqclf: {said}. "
                f"python -m seqclf.export --verify={self.path} says what is wrong with it."
            ) from error

    def predict(
        self, x: np.ndarray, lengths: np.ndarray | None, sources: list[str]
    ) -> list[Answer]:
        """Classifies raw examples.

        Args:
            x: `[N, *raw_shape]`, raw values.
            lengths: `[N]`, where the model was trained on varying lengths.
            sources: N names for the answers.
        """
        found: list[Answer] = []
        for start in range(0, len(x), BATCH_SIZE):
            part = slice(start, start + BATCH_SIZE)
            inputs = {"inputs": tf.cast(tf.constant(x[part]), self._dtype)}
            if lengths is not None:
                inputs["lengths"] = tf.constant(lengths[part], tf.int32)
            outputs = {k: v.numpy() for k, v in self._signature(**inputs).items()}
            found += answers(outputs, sources[part])
        return found

    def predict_file(self, path: str, invert: bool = False) -> list[Answer]:
        """Classifies a PNG or JPEG picture, or each example of an `.npz` file.

        A picture is turned as its EXIF data says; what else is done to it, `decode_images` has.

        Args:
            path: the file.
            invert: turn a picture's dark to bright first.

        Raises:
            DataError: the file is missing, damaged, or does not fit the model.
        """
        if path.endswith(".npz"):
            spec = self.spec
            free = (None, *spec.raw_shape[1:]) if spec.variable_length else spec.raw_shape
            x, lengths = read_arrays(path, free, self._dtype.name, spec.variable_length)
            return self.predict(x, lengths, [f"{path}[{i}]" for i in range(len(x))])
        if self._of_pictures is None:
            raise DataError(
                f"{path}: this model reads sequences of {self.spec.features} {self.spec.raw_dtype} "
                "features, not pictures: give an .npz file with `x`."
            )
        encoded = tf.constant([encode(path, invert)])
        try:
            outputs = self._of_pictures(image_bytes=encoded)
        except tf.errors.InvalidArgumentError as error:
            raise DataError(
                f"{path}: not a readable PNG or JPEG picture ({message_of(error)})."
            ) from error
        return answers({k: v.numpy() for k, v in outputs.items()}, [path])
