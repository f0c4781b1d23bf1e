"""Whether a training, or a prediction, takes the GRU's native operations."""

from collections.abc import Iterator

import keras
import tensorflow as tf

from seqclf.config import Config
from seqclf.errors import ConfigError
from seqclf.layers import GRU, native
from seqclf.layers.convolution import ConvolutionBranch
from seqclf.layers.recurrent import Recurrent


def trains_natively(config: Config) -> bool:
    """Returns whether a training takes the native operations.

    With `native` "auto" it does where it can, but not beside convolutions: there XLA compiles the
    step as a whole, and which of the two is faster has not been measured.

    Args:
        config: a resolved config; `native`, `model.cell`, `model.conv` and `precision` are read.

    Raises:
        ConfigError: `native` is "on", and they cannot be taken.
    """
    if config.native == "off":
        return False
    reason = _obstacle(config)
    if config.native == "on" and reason:
        raise ConfigError(
            f"`native` is 'on', but the native operations cannot be taken: {reason}. Set it to "
            "'auto' to take them where they can be."
        )
    return not reason and (config.native == "on" or not config.model.conv)


def native_in_words(config: Config) -> list[str]:
    """Returns a line that says why a training does without operations that it could have; or []."""
    wanted = config.native == "auto" and not _obstacle_of_config(config)
    return [f"no native operations: {native.obstacle()}"] if wanted and native.obstacle() else []


def predicts_natively(model: keras.Model) -> bool:
    """Returns whether a model shall predict by the native operations, and without XLA.

    It does where all its recurrent layers can take them, and there are no convolutions.
    """
    recurrent = [layer for layer in _layers(model) if isinstance(layer, Recurrent)]
    others = any(isinstance(layer, ConvolutionBranch) for layer in _layers(model))
    taken = [isinstance(each, GRU) and not each.native_obstacle() for each in recurrent]
    return bool(taken) and all(taken) and not others


def _layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    for layer in model.layers:
        if isinstance(layer, keras.layers.Bidirectional):
            yield from (layer.forward_layer, layer.backward_layer)
        else:
            yield layer


def _obstacle(config: Config) -> str:
    gpu = "a GPU is visible" if tf.config.get_visible_devices("GPU") else ""
    return _obstacle_of_config(config) or gpu or native.obstacle()


def _obstacle_of_config(config: Config) -> str:
    if config.model.cell != "gru":
        return f"they are made for the GRU, and `model.cell` is {config.model.cell!r}"
    if config.precision != "float32":
        return f"they compute in float32, and `precision` is {config.precision!r}"
    return ""
