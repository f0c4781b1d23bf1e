"""A LiteRT (once TensorFlow Lite) file of a classifier, for devices and for single examples.

It reads one example at a time, of raw values as `serving_default` takes them, and gives
`probabilities`. docs/performance.md has what it gains, and what of it is left out.
"""

import warnings
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from seqclf.console.quiet import standard_error_to_file
from seqclf.data.dataset import DatasetSpec
from seqclf.data.normalization import as_sequences
from seqclf.errors import ConfigError, ExportError
from seqclf.layers.execution import execution
from seqclf.serving.names import LITERT
from seqclf.serving.signatures import MAX_UNROLLED_STEPS

# Kind → how far a probability may be from that of the Keras model.
TOLERANCES = {"float32": 1e-4, "int8": 0.1}


def write_litert(
    folder: Path, model: keras.Model, spec: DatasetSpec, dtype: str, kind: str, x: np.ndarray
) -> None:
    """Writes `assets.extra/model.tflite` and compares what it answers with the model.

    Args:
        folder: of the version.
        model: gives logits.
        spec: of its data.
        dtype: of the raw values.
        kind: `float32`, or `int8`: weights of eight bits, widened as they are used (dynamic-range
            quantisation).
        x: `[N, *raw_shape]`, examples to compare with.

    Raises:
        ConfigError: the model's sequences are not all of one length, or too long to be laid out.
        ExportError: the file answers something else than the model.
    """
    if spec.variable_length or spec.time_steps > MAX_UNROLLED_STEPS:
        raise ConfigError(
            f"--litert is for sequences that all have one length, of {MAX_UNROLLED_STEPS} steps at "
            f"most. This model's have {'up to ' if spec.variable_length else ''}{spec.time_steps}."
        )
    content = _convert(model, spec, dtype, kind)
    expected = tf.nn.softmax(tf.cast(model(as_sequences(x, spec), training=False), tf.float32))
    difference = float(np.abs(run_litert(content, x.astype(dtype)) - expected.numpy()).max())
    if not difference <= TOLERANCES[kind]:
        raise ExportError(
            f"Nothing was published: the LiteRT file ({kind}) is {difference:.2g} away from the "
            f"model's probabilities, more than {TOLERANCES[kind]:g}."
        )
    path = folder / LITERT
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


def run_litert(content: bytes, x: np.ndarray) -> np.ndarray:
    """Runs a file of `write_litert`, example by example.

    Args:
        content: of the file.
        x: `[N, *raw_shape]`, of the type that it takes.

    Returns:
        Probabilities, float32 `[N, C]`.
    """
    with warnings.catch_warnings(), standard_error_to_file():
        warnings.simplefilter("ignore")  # of the package that will have the interpreter one day
        interpreter = tf.lite.Interpreter(model_content=content)
        interpreter.allocate_tensors()
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    rows = []
    for each in x:
        interpreter.set_tensor(taken["index"], each[None])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(given["index"])[0].copy())
    return np.stack(rows)


def _convert(model: keras.Model, spec: DatasetSpec, dtype: str, kind: str) -> bytes:
    @tf.function(input_signature=[tf.TensorSpec([1, *spec.raw_shape], dtype, name="inputs")])
    def classify(inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        with execution(xla="none", unroll=True, shares=1, cudnn=False, gradient=False):
            logits = model(as_sequences(inputs, spec), training=False)
        return {"probabilities": tf.nn.softmax(tf.cast(logits, tf.float32))}

    module = tf.Module()
    function = classify.get_concrete_function()
    module.model_variables = list(function.variables)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
    if kind == "int8":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    with standard_error_to_file():  # LiteRT writes its progress there, whatever is set
        return converter.convert()
