"""`Predictor`: predictions from an exported model, without TensorFlow for Python."""

from pathlib import Path

import numpy as np

from seqclf.errors import DataError, ExportError
from seqclf.serving.c_api import INVALID_ARGUMENT, Failure
from seqclf.serving.graph_errors import first_cause
from seqclf.serving.model_facts import ModelFacts, read_entries
from seqclf.serving.model_input import ARRAYS, IMAGES, ModelInput
from seqclf.serving.opened_export import check_kind, not_loaded, open_export
from seqclf.serving.predictions import AnyPrediction, predictions_from

BATCH_SIZE = 256  # the largest number of examples that the model is given at once


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
        ConfigError: it is a language model, which classifies nothing.
    """

    batch_size = BATCH_SIZE

    def __init__(self, model: str | Path):
        opened = open_export(model)
        self.path, self.spec, self._model = opened.path, opened.spec, opened.model
        check_kind(self.path, self.spec, text=False)
        try:
            dtype = str(np.dtype(self._model.signatures[ARRAYS].inputs["inputs"].dtype))
        except (KeyError, TypeError) as error:  # it is damaged
            raise not_loaded(self.path, error) from error
        spec = self.spec
        self.input = ModelInput(
            dtype,
            spec.input_shape,
            spec.variable_length,
            IMAGES in self._model.signatures,
            spec,
            ModelFacts.from_json(read_entries(self.path)).input_range,
            spec.per_step,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The class names, by index."""
        return self.spec.class_names

    def predict(
        self, x: np.ndarray, lengths: np.ndarray | None, sources: list[str]
    ) -> list[AnyPrediction]:
        """Classifies raw examples.

        Args:
            x: `[N, *raw_shape]`, raw values.
            lengths: `[N]` if the model was trained on varying lengths, otherwise None.
            sources: N names for the examples, one for each prediction.

        Raises:
            DataError: the model refuses the examples.
            ExportError: the model fails.
        """
        predictions: list[AnyPrediction] = []
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
            `probabilities` `[N, C]`, `class_index` `[N]` and `class_name` `[N]`; see
            `ExportSignatures.predict`.

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
