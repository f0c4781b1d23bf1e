"""`Predictor`: predictions from an exported model, without TensorFlow for Python."""

import json
from pathlib import Path

import numpy as np

from seqclf.data.spec import DatasetSpec
from seqclf.errors import DataError, ExportError
from seqclf.serving.c_api import INVALID_ARGUMENT, Failure
from seqclf.serving.file_digests import changed_files, recorded_digests
from seqclf.serving.file_names import GRAPH, METADATA
from seqclf.serving.graph_errors import first_cause
from seqclf.serving.image_files import encode_image_file, polarity_hint
from seqclf.serving.input_range import read_input_range
from seqclf.serving.input_warnings import input_warnings
from seqclf.serving.npz_inputs import read_npz_inputs
from seqclf.serving.object_arrays import object_array
from seqclf.serving.predictions import Prediction, predictions_from
from seqclf.serving.saved_model import SavedModel
from seqclf.serving.versions import version_folder

BATCH_SIZE = 256
ARRAYS, IMAGES = "serving_default", "serving_bytes"  # the signatures that are called
NEEDED = (
    GRAPH,
    METADATA,
    "variables/",
    "assets/",
)  # beginnings of the names of files that it reads


class Predictor:
    """Classifies files and arrays with the newest version of an export, or with one version of it.

    Args:
        model: `EXPORT_DIR` or `EXPORT_DIR/<version>`.

    Attributes:
        path: the version's folder.
        spec: spec of the data that the model was trained on.
        input_range: range of the training inputs; None if the export does not record it.

    Raises:
        ExportError: there is no export of seqclf in that folder, or it is damaged.
    """

    def __init__(self, model: str | Path):
        self.path = version_folder(Path(model).expanduser())
        try:
            metadata = json.loads((self.path / METADATA).read_text())
            self.spec = DatasetSpec.from_json(json.dumps(metadata["spec"]))
            self._check_files()
            self._model = SavedModel(self.path)
            self._dtype = np.dtype(self._model.signatures[ARRAYS].inputs["inputs"].dtype)
        except Exception as error:  # a damaged file may cause errors of many types
            said = first_cause(str(error)) or type(error).__name__
            raise ExportError(
                f"{self.path} cannot be loaded as an export of seqclf: {said}. "
                f"python -m seqclf.export --verify={self.path} says what is wrong with it."
            ) from error
        self.input_range = read_input_range(self.path)

    def _check_files(self) -> None:
        """Checks that the model's files are those that were exported.

        TensorFlow may end the whole process when it loads a damaged file.

        Raises:
            ValueError: a file is missing or has changed.
        """
        digests = recorded_digests(self.path)
        if digests is None:
            return
        needed = [name for name in digests if name.startswith(NEEDED)]
        if missing := [name for name in needed if not (self.path / name).is_file()]:
            raise ValueError(f"{missing[0]} is missing")
        if changed := changed_files(self.path, digests, needed):
            raise ValueError(f"{changed[0]} is not the file that was exported")

    def predict(
        self, x: np.ndarray, lengths: np.ndarray | None, sources: list[str]
    ) -> list[Prediction]:
        """Classifies raw examples.

        Args:
            x: `[N, *raw_shape]`, raw values.
            lengths: `[N]` if the model was trained on varying lengths, otherwise None.
            sources: N names for the examples, one for each prediction.

        Raises:
            DataError: the model refuses the examples.
            ExportError: the model fails.
        """
        predictions: list[Prediction] = []
        for start in range(0, len(x), BATCH_SIZE):
            part = slice(start, start + BATCH_SIZE)
            inputs = {"inputs": x[part].astype(self._dtype)}
            if lengths is not None:
                inputs["lengths"] = lengths[part].astype(np.int32)
            predictions += self._run(ARRAYS, inputs, sources[part])
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
            ExportError: the model fails.
        """
        if path.endswith(".npz"):
            x, lengths = self.read_npz(path)
            return self.predict(x, lengths, [f"{path}[{i}]" for i in range(len(x))])
        if IMAGES not in self._model.signatures:
            raise DataError(
                f"{path}: this model reads sequences of {self.spec.features} {self.spec.raw_dtype} "
                "features, not images: give an .npz file with `x`."
            )
        images = {"image_bytes": object_array([encode_image_file(path, invert)])}
        return self._run(IMAGES, images, [path])

    def warnings(self, path: str, invert: bool = False) -> list[str]:
        """Returns warnings if a file does not look like the training data.

        Args:
            path: a file that `predict_file` has classified.
            invert: whether dark and bright are swapped in an image first.
        """
        if not path.endswith(".npz"):
            hint = polarity_hint(path, invert, self.spec.background)
            return [hint] if hint else []
        x, lengths = self.read_npz(path)
        inputs = {"inputs": x} if lengths is None else {"inputs": x, "lengths": lengths}
        return [f"{path}: {text}." for text in input_warnings(inputs, self.input_range).values()]

    def read_npz(self, path: str) -> tuple[np.ndarray, np.ndarray | None]:
        """Reads the examples of an `.npz` file.

        Returns:
            x `[N, *raw_shape]`, and lengths `[N]` if the model takes them.

        Raises:
            DataError: the file is missing, damaged, or does not fit the model.
        """
        spec = self.spec
        shape = (None, *spec.raw_shape[1:]) if spec.variable_length else spec.raw_shape
        return read_npz_inputs(path, shape, str(self._dtype), spec.variable_length)

    def _run(
        self, signature: str, inputs: dict[str, np.ndarray], sources: list[str]
    ) -> list[Prediction]:
        try:
            outputs = self._model.run(signature, inputs)
        except Failure as error:
            cause = first_cause(str(error))
            if error.code != INVALID_ARGUMENT:
                raise ExportError(f"{sources[0]}: the model {self.path} fails: {cause}") from error
            if signature == IMAGES:
                cause = f"not a readable image ({cause})"
            raise DataError(f"{sources[0]}: {cause}.") from error
        return predictions_from(outputs, sources)
