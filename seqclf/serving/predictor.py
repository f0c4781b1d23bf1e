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
from seqclf.serving.model_facts import ModelFacts, read_entries
from seqclf.serving.model_input import ARRAYS, IMAGES, ModelInput
from seqclf.serving.predictions import Prediction, predictions_from
from seqclf.serving.saved_model import SavedModel
from seqclf.serving.versions import version_folder

BATCH_SIZE = 256  # the largest number of examples that the model is given at once
# The files of a version that a predictor reads, by the beginnings of their names.
NEEDED = (GRAPH, METADATA, "variables/", "assets/")


class Predictor:
    """Classifies examples with the newest version of an export, or with one version of it.

    It is a `Classifier`.

    Args:
        model: `EXPORT_DIR` or `EXPORT_DIR/<version>`.

    Attributes:
        path: the version's folder.
        spec: spec of the data that the model was trained on.
        input: description of the inputs that the model takes.

    Raises:
        ExportError: there is no export of seqclf in that folder, or it is damaged.
    """

    batch_size = BATCH_SIZE

    def __init__(self, model: str | Path):
        self.path = version_folder(Path(model).expanduser())
        try:
            metadata = json.loads((self.path / METADATA).read_text())
            self.spec = DatasetSpec.from_json(json.dumps(metadata["spec"]))
            self._check_files()
            self._model = SavedModel(self.path)
            dtype = str(np.dtype(self._model.signatures[ARRAYS].inputs["inputs"].dtype))
        except Exception as error:  # a damaged file may cause errors of many types
            said = first_cause(str(error)) or type(error).__name__
            raise ExportError(
                f"{self.path} cannot be loaded as an export of seqclf: {said}. "
                f"python -m seqclf.export --verify={self.path} says what is wrong with it."
            ) from error
        spec = self.spec
        self.input = ModelInput(
            dtype,
            spec.input_shape,
            spec.variable_length,
            IMAGES in self._model.signatures,
            spec,
            ModelFacts.from_json(read_entries(self.path)).input_range,
        )

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

    @property
    def names(self) -> tuple[str, ...]:
        """The class names, by index."""
        return self.spec.class_names

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
            inputs = {"inputs": x[part].astype(self.input.dtype)}
            if lengths is not None:
                inputs["lengths"] = lengths[part].astype(np.int32)
            outputs = self.ask(ARRAYS, inputs, sources[start])
            predictions += predictions_from(outputs, sources[part])
        return predictions

    def ask(
        self, signature: str, inputs: dict[str, np.ndarray], where: str
    ) -> dict[str, np.ndarray]:
        """Calls a signature.

        Args:
            signature: name of the signature.
            inputs: arrays `[N, …]` by the names of the inputs, of their dtypes.
            where: the file that the examples come from, for messages.

        Returns:
            `probabilities` `[N, C]`, `class_index` `[N]` and `class_name` `[N]`.

        Raises:
            DataError: the model refuses the examples.
            ExportError: the model fails.
        """
        try:
            return self._model.run(signature, inputs)
        except Failure as error:
            cause = first_cause(str(error))
            if error.code != INVALID_ARGUMENT:
                raise ExportError(f"{where}: the model {self.path} fails: {cause}") from error
            if signature == IMAGES:
                cause = f"not a readable image ({cause})"
            raise DataError(f"{where}: {cause}.") from error
