"""`TrainedTextModel`: a Keras language model that `write` can ask."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from seqclf.data.dataset import DatasetSpec
from seqclf.layers.compiled import compiled
from seqclf.serving.text.asking import Arrays, TextRefused
from seqclf.serving.text.signatures import TextSignatures


class TrainedTextModel:
    """A Keras model, asked by the graphs that its export has. It is a `TextModel`.

    Args:
        model: a model of `build_language_model`.
        spec: the spec of its text.
    """

    def __init__(self, model: keras.Model, spec: DatasetSpec):
        self.spec = spec
        signatures = TextSignatures(model, spec)
        self._functions = {
            name: compiled(function, input_signature=inputs)
            for name, (function, inputs) in signatures.all.items()
        }

    def ask(self, signature: str, inputs: Arrays) -> Arrays:
        given = [_tensor(value) for value in inputs.values()]  # in the order of the signature
        try:
            outputs = self._functions[signature](*given)
        except tf.errors.InvalidArgumentError as error:
            raise TextRefused from error
        return {name: value.numpy() for name, value in outputs.items()}


def _tensor(value: np.ndarray) -> Any:
    return tf.constant(value.tolist(), tf.string) if value.dtype == object else tf.constant(value)
