"""`build_classifier`: stacked recurrent layers, the last valid state, one logit per class."""

from typing import Any

import keras

from seqclf.config import Config
from seqclf.data.dataset import DatasetSpec
from seqclf.layers import (
    GRU,
    LSTM,
    MGU,
    ChronoBias,
    LastAndMean,
    Recurrent,
    SimpleRNN,
    TimeReduction,
)
from seqclf.layers.trace import Trace, trace

CELLS: dict[str, type[Recurrent]] = {"gru": GRU, "lstm": LSTM, "rnn": SimpleRNN, "mgu": MGU}


@keras.saving.register_keras_serializable(package="seqclf")
class LengthMask(keras.layers.Layer):
    """Turns lengths into the mask that recurrent layers take.

    Call arguments:
        sequences: `[B, T, D]`, for its number of steps.
        lengths: `[B]` integers.

    Returns:
        bool `[B, T]`: True where the step is valid.

    Example:
        >>> mask = LengthMask()(np.zeros([2, 3, 1]), np.array([1, 3]))
        >>> mask.numpy().tolist()
        [[True, False, False], [True, True, True]]
    """

    def call(self, sequences: Any, lengths: Any) -> Any:
        steps = keras.ops.arange(keras.ops.shape(sequences)[1], dtype="int32")
        return steps[None, :] < keras.ops.cast(lengths, "int32")[:, None]

    def compute_output_spec(self, sequences: Any, lengths: Any) -> keras.KerasTensor:
        return keras.KerasTensor(sequences.shape[:2], dtype="bool")


def build_classifier(config: Config, spec: DatasetSpec) -> keras.Model:
    """Builds the classifier that a config describes.

    Weights are drawn from Keras's global seed (`keras.utils.set_random_seed`).

    Args:
        config: a resolved config (`seqclf.config.resolve`); `model.*` and `precision` are read.
        spec: of the data: steps, features, classes, whether lengths vary.

    Returns:
        An uncompiled Keras model. Input: float32 `[B, T, D]`, named `sequences`, and with varying
        lengths also int32 `[B]`, named `lengths` (T is then free). Output: float32 logits
        `[B, num_classes]`.

    Example:
        >>> dataset = seqclf.load_dataset("digits")
        >>> config = resolve({"model": {"units": [32, 16]}})
        >>> build_classifier(config, dataset.spec).output_shape
        (None, 10)
    """
    policy = keras.DTypePolicy(config.precision)
    free = spec.variable_length
    inputs = [keras.Input((None if free else spec.time_steps, spec.features), name="sequences")]
    mask = None
    if spec.variable_length:
        inputs.append(keras.Input((), dtype="int32", name="lengths"))
        mask = LengthMask(name="length_mask")(*inputs)
    x = inputs[0]  # [B, T, D]
    depth = len(config.model.units)
    reductions = config.model.time_reduction or (1,) * (depth - 1)
    for i, units in enumerate(config.model.units, start=1):
        all_states = i < depth or config.model.pooling != "last"
        layer = _recurrent(config.model, i, units, policy, return_sequences=all_states)
        x = layer(x, mask=mask)  # [B, T, H], of the last layer [B, H] if that is all that is read
        if i < depth and reductions[i - 1] > 1:
            reduce = TimeReduction(reductions[i - 1], dtype=policy, name=f"time_reduction_{i}")
            x, mask = reduce(x, mask=mask), reduce.compute_mask(x, mask)
        if i == depth and config.model.pooling == "mean":
            pool = LastAndMean(config.model.bidirectional, dtype=policy, name="last_and_mean")
            x = pool(x, mask=mask)  # [B, 2 H]
        if config.model.layer_norm:
            x = keras.layers.LayerNormalization(dtype=policy, name=f"layer_norm_{i}")(x)
        if config.model.dropout:
            x = keras.layers.Dropout(config.model.dropout, dtype=policy, name=f"dropout_{i}")(x)
    # The head computes in float32: a softmax in half precision costs accuracy and gains nothing.
    logits = keras.layers.Dense(spec.num_classes, dtype="float32", name="logits")(x)
    return keras.Model(inputs if spec.variable_length else inputs[0], logits, name="classifier")


def _recurrent(
    model: Any, number: int, units: int, policy: keras.DTypePolicy, return_sequences: bool
) -> keras.layers.Layer:
    """Returns a recurrent layer of the config's cell, in one direction or both."""
    layer = CELLS[model.cell](
        units,
        return_sequences=return_sequences,
        dtype=policy,
        name=f"{model.cell}_{number}",
        **_arguments(model),
    )
    if not model.bidirectional:
        return layer
    return keras.layers.Bidirectional(layer, dtype=policy, name=f"bidirectional_{number}")


def _arguments(model: Any) -> dict[str, Any]:
    """Returns the arguments of a recurrent layer that only some cells have."""
    arguments: dict[str, Any] = {"reset_after": model.reset_after} if model.cell == "gru" else {}
    if model.chrono:
        keeping = CELLS[model.cell].cell_class.keeping
        arguments["bias_initializer"] = ChronoBias(model.chrono, keeping=keeping)
        if model.cell == "lstm":
            arguments["unit_forget_bias"] = False  # the bias is drawn
    return arguments


def traceable(model: keras.Model) -> bool:
    """Returns whether `trace_classifier` can say what the model thinks at each step.

    A bidirectional one has not read a prefix of a sequence and nothing else at any step, and one
    with time reduction has not read each step in each layer.
    """
    opaque = (keras.layers.Bidirectional, TimeReduction)
    return not any(isinstance(layer, opaque) for layer in model.layers)


def trace_classifier(
    model: keras.Model, sequences: Any, lengths: Any = None, nudges: Any = None
) -> tuple[Any, list[Trace]]:
    """Reads sequences with a classifier and keeps what it thinks at each step.

    Args:
        model: of `build_classifier`, not bidirectional.
        sequences: `[B, T, D]`.
        lengths: `[B]`, for a model of varying lengths. After them nothing changes any more.
        nudges: for each recurrent layer what `trace` takes, or None.

    Returns:
        Logits after each step, `[B, T, C]`: what the model would answer if the sequence ended
        there, the last of them its answer (with `model.pooling` "mean" the mean is that of the
        states until then); and the `Trace` of each recurrent layer, first to last.
        With time reduction the steps are those that the layer in question reads.
    """
    traces: list[Trace] = []
    x, mask = sequences, None
    if lengths is not None:
        mask = LengthMask()(sequences, lengths)
    for layer in model.layers:
        if isinstance(layer, Recurrent):
            traces.append(trace(layer, x, mask, nudges and nudges[len(traces)]))
            x = traces[-1].state  # [B, T, H]
        elif isinstance(layer, TimeReduction):
            x, mask = layer(x), layer.compute_mask(x, mask)
        elif isinstance(layer, LastAndMean):
            x = layer.after_each_step(x, mask)
        elif not isinstance(layer, (keras.layers.InputLayer, LengthMask, keras.layers.Dropout)):
            x = layer(x)  # layer normalisation, and the head: both work on the last axis
    return x, traces
