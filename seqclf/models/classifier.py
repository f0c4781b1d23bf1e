"""`build_classifier`: stacked recurrent layers, the last valid state, a logit for each class.

A branch of convolutions may stand beside the recurrent layers (`model.conv`). For data with a label
at each time step the head reads every state, and gives the logits of each time step.
"""

from typing import Any

import keras

from seqclf.config import Config, ModelConfig, refuse
from seqclf.data.dataset import DatasetSpec
from seqclf.errors import ConfigError
from seqclf.layers import (
    GRU,
    LSTM,
    MGU,
    ChronoBias,
    ConvolutionBranch,
    LastAndMean,
    LengthMask,
    Recurrent,
    SimpleRNN,
    TimeReduction,
)
from seqclf.layers.convolution import kernel_sizes
from seqclf.layers.trace import Trace, trace

CELLS: dict[str, type[Recurrent]] = {"gru": GRU, "lstm": LSTM, "rnn": SimpleRNN, "mgu": MGU}


def build_classifier(config: Config, spec: DatasetSpec) -> keras.Model:
    """Builds the classifier that a config describes.

    Weights are drawn from Keras's global seed (`keras.utils.set_random_seed`).

    Args:
        config: a resolved config (`seqclf.config.resolve`); `model.*` and `precision` are read.
        spec: the spec of the data: time steps, features, classes, and whether lengths vary.

    Returns:
        An uncompiled Keras model. The input is float32 `[B, T, D]`, named `sequences`. If lengths
        vary, T is free, and there is a second input, int32 `[B]`, named `lengths`. The output is
        logits, float32 `[B, num_classes]`; for labels of time steps `[B, T, num_classes]`, which
        are of no meaning behind the end of a sequence.

    Raises:
        ConfigError: the spec is of a text, a kernel of `model.conv` is longer than the sequences,
            or an option of the model cannot be used for labels of time steps.

    Example:
        >>> from seqclf.config import resolve
        >>> dataset = seqclf.load_dataset("digits")
        >>> config = resolve({"model": {"units": [32, 16]}})
        >>> build_classifier(config, dataset.spec).output_shape
        (None, 10)
    """
    if spec.is_text:
        raise ConfigError(
            "A text has no classes to tell apart: make a language model by "
            "seqclf.models.language_model.build_language_model. Received: the spec of "
            f"{spec.source}"
        )
    check_kernels(config.model, spec)
    if spec.per_step:
        check_model_per_step(config.model)
    policy = keras.DTypePolicy(config.precision)
    time_steps = None if spec.variable_length else spec.time_steps
    inputs = [keras.Input((time_steps, spec.features), name="sequences")]
    mask = None
    if spec.variable_length:
        inputs.append(keras.Input((), dtype="int32", name="lengths"))
        mask = LengthMask(name="length_mask")(*inputs)
    x = inputs[0]  # [B, T, D]
    if config.model.conv:
        branch = ConvolutionBranch(
            config.model.conv,
            config.model.conv_dilation,
            config.model.conv_pooling,
            dtype=policy,
            name="convolutions",
        )
        beside = branch(x, mask=mask)  # [B, F], or [B, 2 F] with the largest values
    depth = len(config.model.units)
    reductions = config.model.time_reduction or (1,) * (depth - 1)
    for i, units in enumerate(config.model.units, start=1):
        all_states = i < depth or config.model.pooling != "last" or spec.per_step
        layer = recurrent_layer(config.model, i, units, policy, return_sequences=all_states)
        x = layer(x, mask=mask)  # [B, T, H], or [B, H] where the head reads the last state alone
        if i < depth and reductions[i - 1] > 1:
            reduce = TimeReduction(reductions[i - 1], dtype=policy, name=f"time_reduction_{i}")
            x, mask = reduce(x, mask=mask), reduce.compute_mask(x, mask)
        if i == depth and config.model.pooling == "mean":
            pool = LastAndMean(config.model.bidirectional, dtype=policy, name="last_and_mean")
            x = pool(x, mask=mask)  # [B, 2 H]
        if config.model.layer_norm:
            x = keras.layers.LayerNormalization(dtype=policy, name=f"layer_norm_{i}")(x)
        if i == depth and config.model.conv:
            x = keras.layers.Concatenate(dtype=policy, name="join")([x, beside])
        if config.model.dropout:
            x = keras.layers.Dropout(config.model.dropout, dtype=policy, name=f"dropout_{i}")(x)
    # The head computes in float32: a softmax in half precision costs accuracy and gains nothing.
    logits = keras.layers.Dense(spec.num_classes, dtype="float32", name="logits")(x)
    return keras.Model(inputs if spec.variable_length else inputs[0], logits, name="classifier")


def check_kernels(model: ModelConfig, spec: DatasetSpec) -> None:
    """Checks that the convolutions of a config fit the sequences.

    Raises:
        ConfigError: a kernel is longer than the sequences (where lengths vary, the longest one).
    """
    largest = max(kernel_sizes(len(model.conv)), default=0)
    if spec.time_steps < largest:
        raise ConfigError(
            f"`model.conv` reads {largest} time steps at once, and the sequences of {spec.source} "
            f"have {spec.time_steps}{' at most' * spec.variable_length}: set `model.conv` to (). "
            f"Received: {list(model.conv)}"
        )


def check_model_per_step(model: ModelConfig) -> None:
    """Checks that the options of a model can be used for labels of time steps.

    Raises:
        ConfigError: one cannot.
    """
    reasons = {
        "pooling": "each time step is classified by its own state",
        "time_reduction": "every time step needs a state",
        "conv": "the convolutions give one value for the whole sequence",
    }
    refuse(model, reasons, "labels of time steps")


def classifies_steps(model: keras.Model) -> bool:
    """Returns whether a model of `build_classifier` gives logits of each time step."""
    return len(model.output_shape) == 3


def recurrent_layer(
    model: ModelConfig, number: int, units: int, policy: keras.DTypePolicy, **returned: bool
) -> keras.layers.Layer:
    """Returns a recurrent layer of the config's cell, in one direction or both.

    Args:
        model: the group `model` of a config.
        number: which of the layers it is, from 1.
        units: H, the width of its state.
        policy: the dtypes.
        **returned: `return_sequences` and `return_state` of the layer.
    """
    layer = CELLS[model.cell](
        units, dtype=policy, name=f"{model.cell}_{number}", **returned, **_arguments(model)
    )
    if not model.bidirectional:
        return layer
    return keras.layers.Bidirectional(layer, dtype=policy, name=f"bidirectional_{number}")


def _arguments(model: ModelConfig) -> dict[str, Any]:
    """Returns the arguments of a recurrent layer that not all cells have."""
    arguments: dict[str, Any] = {"reset_after": model.reset_after} if model.cell == "gru" else {}
    if model.chrono:
        keeping = CELLS[model.cell].cell_class.keeping
        arguments["bias_initializer"] = ChronoBias(model.chrono, keeping=keeping)
        if model.cell == "lstm":
            arguments["unit_forget_bias"] = False  # ChronoBias sets the forget gate's bias
    return arguments


def traceable(model: keras.Model) -> bool:
    """Returns whether `trace_classifier` can say what a model would predict at each time step.

    A bidirectional model has no state that depends only on the beginning of a sequence. In a model
    with time reduction the upper layers do not read every time step.
    """
    opaque = (keras.layers.Bidirectional, TimeReduction)
    return not any(isinstance(layer, opaque) for layer in model.layers)


def trace_classifier(
    model: keras.Model, sequences: Any, lengths: Any = None, nudges: Any = None
) -> tuple[Any, list[Trace]]:
    """Classifies sequences and keeps the states, the gates and the logits of every time step.

    Args:
        model: a model of `build_classifier` that is not bidirectional.
        sequences: `[B, T, D]`.
        lengths: `[B]`, for a model of varying lengths; after them nothing changes any more.
        nudges: for each recurrent layer the argument `nudges` of `trace`, or None for all.

    Returns:
        The logits at each time step, `[B, T, C]`, and the `Trace` of each recurrent layer, first to
        last. The logits of a time step are those that the model would give if the sequence ended
        there; the last of them are the model's own. With `model.pooling` "mean" or with
        `model.conv` the means and the largest values are those of the time steps until then. With
        time reduction the time steps are those that the layer in question reads.
    """
    traces: list[Trace] = []
    x, mask = sequences, None
    if lengths is not None:
        mask = LengthMask()(sequences, lengths)
    beside = None  # what the convolutions give, `[B, T, F]`
    for layer in _in_order(model):
        if isinstance(layer, Recurrent):
            traces.append(trace(layer, x, mask, nudges and nudges[len(traces)]))
            x = traces[-1].state  # [B, T, H]
        elif isinstance(layer, ConvolutionBranch):
            beside = layer.after_each_step(x, mask)
        elif isinstance(layer, TimeReduction):
            x, mask = layer(x), layer.compute_mask(x, mask)
            beside = beside if beside is None else layer(beside)
        elif isinstance(layer, LastAndMean):
            x = layer.after_each_step(x, mask)
        elif isinstance(layer, keras.layers.Concatenate):
            x = layer([x, beside])
        elif not isinstance(layer, (keras.layers.InputLayer, LengthMask, keras.layers.Dropout)):
            x = layer(x)  # layer normalisation, and the head: both work on the last axis
    return x, traces


def _in_order(model: keras.Model) -> list[keras.layers.Layer]:
    """Returns the layers of a model, the branch of convolutions first: it reads the sequences."""
    return sorted(model.layers, key=lambda layer: not isinstance(layer, ConvolutionBranch))
