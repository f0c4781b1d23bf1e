"""`build_language_model`: at each time step a logit for each token that may come next.

`advance` runs such a model from any state, and returns the state after it.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import repeat
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from seqclf.config import Config, ModelConfig, refuse
from seqclf.data.dataset import DatasetSpec
from seqclf.errors import ConfigError
from seqclf.layers import OneHot, Recurrent
from seqclf.layers.trace import Trace, trace
from seqclf.models.classifier import recurrent_layer

State = list[Any]  # the states of all recurrent layers, `[B, H]` each, first to last


def build_language_model(config: Config, spec: DatasetSpec) -> keras.Model:
    """Builds the language model that a config describes.

    Weights are drawn from Keras's global seed (`keras.utils.set_random_seed`).

    Args:
        config: a resolved config; `model.*` and `precision` are read.
        spec: the spec of a text.

    Returns:
        An uncompiled Keras model. The input is int32 `[B, T]`, named `tokens`; the output is
        logits, float32 `[B, T, V]`, where time step t has those of the token at t + 1. The state
        before the first time step is zero.

    Raises:
        ConfigError: the spec is of other data, or an option of the model cannot be used for text.

    Example:
        >>> from seqclf.config import resolve
        >>> config = resolve({"model": {"units": [16]}, "data": {"source": "text:timemachine"}})
        >>> dataset = seqclf.load_dataset(**config.data.to_dict())
        >>> build_language_model(config, dataset.spec).output_shape == (
        ...     None, None, dataset.spec.num_classes)
        True
    """
    if not spec.is_text:
        raise ConfigError(
            "A language model needs the spec of a text: make a classifier by "
            f"seqclf.build_classifier. Received: the spec of {spec.source}"
        )
    check_model_for_text(config.model)
    options, policy = config.model, keras.DTypePolicy(config.precision)
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    if options.embedding:
        embed = keras.layers.Embedding(
            spec.num_classes, options.embedding, dtype=policy, name="embedding"
        )
        x = _dropped(embed(tokens), options.embedding_dropout, "embedding")  # [B, T, E]
    else:
        x = OneHot(spec.num_classes, dtype=policy, name="one_hot")(tokens)  # [B, T, V]
    for i, units in enumerate(options.units, start=1):
        layer = recurrent_layer(options, i, units, policy, return_sequences=True, return_state=True)
        x, *_ = layer(x)  # [B, T, H]
        if options.layer_norm:
            x = keras.layers.LayerNormalization(dtype=policy, name=f"layer_norm_{i}")(x)
        x = _dropped(x, options.dropout, str(i))
    logits = keras.layers.Dense(spec.num_classes, dtype="float32", name="logits")(x)
    return keras.Model(tokens, logits, name="language_model")


def check_model_for_text(model: ModelConfig) -> None:
    """Checks that the options of a model can be used for text.

    Raises:
        ConfigError: one cannot.
    """
    reasons = {
        "bidirectional": "a language model must not read the tokens that it predicts",
        "pooling": "each time step has an answer of its own",
        "conv": "the head reads the mean over all time steps, which has no state to go on from",
        "time_reduction": "each time step has an answer of its own",
    }
    refuse(model, reasons, "text")


def is_language_model(model: keras.Model) -> bool:
    """Returns whether a model reads tokens, as those of `build_language_model` do."""
    return [tensor.name for tensor in model.inputs] == ["tokens"]


def zero_state(model: keras.Model, rows: int) -> list[np.ndarray]:
    """Returns the state before the first token: zeros, float32 `[rows, H]` for each state.

    Args:
        model: a model of `build_language_model`.
        rows: B, the number of texts.
    """
    widths = [
        width for layer in recurrent_layers(model) for width in tf.nest.flatten(layer.state_size)
    ]
    return [np.zeros([rows, width], np.float32) for width in widths]


def recurrent_layers(model: keras.Model) -> list[Recurrent]:
    """Returns the recurrent layers of a model, first to last."""
    return [layer for layer in model.layers if isinstance(layer, Recurrent)]


def without_weights(model: keras.Model, masks: Sequence[Any]) -> AbstractContextManager[Any]:
    """Returns a context in which the recurrent kernels of a model are multiplied by masks.

    This is DropConnect on the recurrent weights (Merity et al. 2018, arXiv:1708.02182). A gradient
    that is taken outside of it with respect to a kernel is that of the product.

    Args:
        model: a model of `build_language_model`.
        masks: a factor for each weight of each recurrent kernel, first to last layer, in the shapes
            of the kernels; (): the kernels are as they are.
    """
    if not masks:
        return nullcontext()
    mapping = [
        (kernel, tf.convert_to_tensor(kernel) * tf.cast(mask, kernel.dtype))
        for kernel, mask in zip(recurrent_kernels(model), masks, strict=True)
    ]
    scope: AbstractContextManager[Any] = keras.StatelessScope(state_mapping=mapping)
    return scope


def recurrent_kernels(model: keras.Model) -> list[keras.Variable]:
    """Returns the recurrent kernels of a model, `[H, G·H]` each, first to last."""
    return [layer.cell.recurrent_kernel for layer in recurrent_layers(model)]


def dropouts(model: keras.Model) -> list[tuple[float, int]]:
    """Returns the rate of each dropout layer and how many features it reads, first to last."""
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    return [(layer.rate, layer.input.shape[-1]) for layer in layers]


def advance(
    model: keras.Model,
    tokens: Any,
    state: Sequence[Any],
    masks: Sequence[Any] = (),
    training: bool = False,
    valid: Any = None,
) -> tuple[Any, State]:
    """Reads tokens from a state on.

    Args:
        model: a model of `build_language_model`.
        tokens: int32 `[B, T]`.
        state: the states before, see `zero_state`; float32.
        masks: for each dropout layer the factors of its features, `[B, F]`, the same at all time
            steps (Gal & Ghahramani 2016, arXiv:1512.05287); (): nothing is dropped.
        training: whether a gradient will be asked for.
        valid: bool `[B, T]`, False at time steps that are not read: the states pass them unchanged,
            and their logits mean nothing. None: all are read.

    Returns:
        Logits of the next tokens, float32 `[B, T, V]`, and the states after the last token,
        float32 `[B, H]` each.
    """
    before, factors, after = _by_layer(model, state), list(masks), []
    x = tokens
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        if isinstance(layer, Recurrent):
            initial = [tf.cast(each, layer.compute_dtype) for each in next(before)]
            x, *last = layer(x, initial_state=initial, mask=valid, training=training)
            after += [tf.cast(each, tf.float32) for each in last]
        elif isinstance(layer, keras.layers.Dropout):
            if masks:
                x *= tf.cast(factors.pop(0), x.dtype)[:, None]
        else:
            x = layer(x)
    return x, after


def trace_text(
    model: keras.Model, tokens: Any, state: Sequence[Any] | None = None
) -> tuple[Any, list[Trace]]:
    """Reads tokens, and keeps the states and the gates of every time step.

    Args:
        model: a model of `build_language_model`.
        tokens: int32 `[B, T]`.
        state: the states before, see `zero_state`; None: zeros.

    Returns:
        Logits `[B, T, V]`, and the `Trace` of each recurrent layer, first to last.
    """
    traces: list[Trace] = []
    before = repeat(None) if state is None else _by_layer(model, state)
    x = tf.convert_to_tensor(tokens)
    for layer in model.layers:
        if isinstance(layer, Recurrent):
            traces.append(trace(layer, x, initial=next(before)))
            x = traces[-1].state
        elif not isinstance(layer, (keras.layers.InputLayer, keras.layers.Dropout)):
            x = layer(x)
    return x, traces


def _by_layer(model: keras.Model, state: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Yields the states of each recurrent layer, first to last, from those of all of them."""
    begin = 0
    for layer in recurrent_layers(model):
        end = begin + len(tf.nest.flatten(layer.state_size))
        yield state[begin:end]
        begin = end


def _dropped(x: Any, rate: float, name: str) -> Any:
    """Returns x after dropout with one mask for all time steps."""
    if not rate:
        return x
    layer = keras.layers.Dropout(
        rate, noise_shape=(None, 1, None), dtype=x.dtype, name=f"dropout_{name}"
    )
    return layer(x)
