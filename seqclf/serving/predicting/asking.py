"""Asks a model about the examples of files, batch by batch."""

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from seqclf.errors import DataError
from seqclf.serving.model_input import ModelInput
from seqclf.serving.predicting.batches import Batch
from seqclf.serving.predicting.input_file import InputFile
from seqclf.serving.predictions import AnyPrediction, predictions_from

Outputs = dict[str, np.ndarray]


class Classifier(Protocol):
    """A model that can be asked: a `Predictor` or a `RemotePredictor`.

    Attributes:
        input: description of the inputs that the model takes.
        batch_size: the largest number of examples that are asked about at once.
    """

    input: ModelInput
    batch_size: int

    @property
    def names(self) -> tuple[str, ...]:
        """The class names, by index."""

    def ask(self, signature: str, inputs: dict[str, np.ndarray], where: str) -> Outputs:
        """Returns `probabilities`, `class_index` and `class_name` of a batch."""


def answers(
    file: InputFile, model: Classifier, tell: Callable[[str], None] = lambda line: None
) -> Iterator[tuple[Batch, Outputs]]:
    """Yields each batch of a file with the outputs of the model.

    Args:
        file: the file.
        model: the model that is asked.
        tell: a function that is called with each note and each warning about the file. Notes that
            are known before the examples are read come first, the others after the last batch.

    Raises:
        DataError: the file cannot be used, or has no examples.
    """
    known = file.notes()
    for note in known:
        tell(f"note: {file.path}: {note}")
    count = 0
    for batch in file.batches(model.batch_size):
        count += len(batch.ids)
        yield batch, model.ask(batch.signature, batch.inputs, file.path)
    new = [note for note in file.notes() if note not in known]
    if not count:
        reason = f" ({'; '.join(new)})" if new else ""
        raise DataError(f"{file.path}: has no example to predict{reason}.")
    for note in new:
        tell(f"note: {file.path}: {note}")
    for warning in file.warnings():
        tell(f"warning: {warning}")


def predictions_of(
    file: InputFile, model: Classifier, tell: Callable[[str], None] = lambda line: None
) -> Iterator[list[AnyPrediction]]:
    """Yields the predictions of each batch of a file; see `answers`."""
    for batch, outputs in answers(file, model, tell):
        yield predictions_from(outputs, batch.ids)
