"""A LiteRT (once TensorFlow Lite) file of a classifier, for devices and for single examples.

The model in the file takes one example of raw values, as `serving_default` takes them, and gives
`probabilities`. docs/performance.md says how fast it is, and which variants were left out.
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
from seqclf.layers.compiled import compiled
from seqclf.layers.execution import execution
from seqclf.serving.file_names import LITERT
from seqclf.serving.signatures import MAX_UNROLLED_STEPS

# Kind → largest allowed difference of a probability from the Keras model's.
TOLERANCES = {"float32": 1e-4, "int8": 0.1}


def write_litert(
    folder: Path, model: keras.Model, spec: DatasetSpec, dtype: str, kind: str, x: np.ndarray
) -> None:
    """Writes `assets.extra/model.tflite` and compares its probabilities with the model's.

    Args:
        folder: the version's folder.
        model: the classifier; it gives logits.
        spec: spec of the data.
        dtype: dtype of the raw values.
        kind: `float32`, or `int8` for weights of eight bits that are widened when they are used
            (dynamic-range quantisation).
        x: `[N, *raw_shape]`, examples to compare with.

    Raises:
        ConfigError: the sequences are not all of one length, or too long to be unrolled.
        ExportError: the probabilities of the file differ from the model's.
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
    """Runs a LiteRT file of `write_litert`, one example after the other.

    Args:
        content: content of the file.
        x: `[N, *raw_shape]`, of the dtype that the model in the file takes.

    Returns:
        Probabilities, float32 `[N, C]`.
    """
    with warnings.catch_warnings(), standard_error_to_file():
        warnings.simplefilter("ignore")  # that another package will have the interpreter
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
    def classify(inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        with execution(xla="off", unroll=True, shares=1, cudnn=False, gradient=False):
            logits = model(as_sequences(inputs, spec), training=False)
        return {"probabilities": tf.nn.softmax(tf.cast(logits, tf.float32))}

    module = tf.Module()
    example = tf.TensorSpec([1, *spec.raw_shape], dtype, name="inputs")
    function = compiled(classify, input_signature=[example]).get_concrete_function()
    module.model_variables = list(function.variables)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
    if kind == "int8":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    with standard_error_to_file():  # LiteRT writes its progress there, whatever the log level
        content: bytes = converter.convert()
    return content
