"""`build_model`: the model of a config, for the kind of data that a spec describes."""

import keras

from seqclf.config import Config
from seqclf.data.dataset import DatasetSpec
from seqclf.models.classifier import build_classifier
from seqclf.models.language_model import build_language_model


def build_model(config: Config, spec: DatasetSpec) -> keras.Model:
    """Returns a language model for a text, and a classifier for other data.

    Weights are drawn from Keras's global seed (`keras.utils.set_random_seed`).

    Args:
        config: a resolved config; `model.*` and `precision` are read.
        spec: the spec of the data.

    Raises:
        ConfigError: an option of the model cannot be used for these data.
    """
    return build_language_model(config, spec) if spec.is_text else build_classifier(config, spec)
