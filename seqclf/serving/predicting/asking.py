"""Asks a model about the examples of files, batch by batch."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from seqclf.serving.model_input import ModelInput
from seqclf.serving.predicting.batches import Batch
from seqclf.serving.predicting.input_file import InputFile
from seqclf.serving.predictions import Prediction, predictions_from

Outputs = dict[str, np.ndarray]


class Classifier(Protocol):
    """A model that can be asked: a `Predictor` or a `RemotePredictor`.

    Attributes:
        input: what the model takes.
        batch_size: the largest number of examples that are asked about at once.
    """

    input: ModelInput
    batch_size: int

    @property
    def names(self) -> tuple[str, ...]:
        """The class names, by index."""

    def ask(self, signature: str, inputs: dict[str, np.ndarray], where: str) -> Outputs:
        """Returns `probabilities`, `class_index` and `class_name` of a batch."""


def answers(file: InputFile, model: Classifier) -> Iterator[tuple[Batch, Outputs]]:
    """Yields each batch of a file with the outputs of the model."""
    for batch in file.batches(model.batch_size):
        yield batch, model.ask(batch.signature, batch.inputs, file.path)


def predictions_of(file: InputFile, model: Classifier) -> Iterator[list[Prediction]]:
    """Yields the predictions of each batch of a file."""
    for batch, outputs in answers(file, model):
        yield predictions_from(outputs, batch.ids)
