"""An ONNX file of a classifier, for ONNX Runtime and for languages without TensorFlow.

The model in the file takes raw values, as `serving_default` takes them, in batches of any size, and
gives `probabilities`. The converter is tf2onnx, of the extra `onnx`.
"""

import json
import logging
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from seqclf.console.quiet import standard_error_to_file
from seqclf.data.dataset import DatasetSpec
from seqclf.data.normalization import as_sequences
from seqclf.errors import ConfigError, ExportError
from seqclf.layers.compiled import compiled
from seqclf.layers.execution import execution
from seqclf.serving.extra_packages import check_packages
from seqclf.serving.file_names import ONNX
from seqclf.serving.signatures import MAX_UNROLLED_STEPS
from seqclf.serving.warmup import WarmupExamples

OPSET = 18  # of 2022; tf2onnx writes no later one
TOLERANCE = 1e-4  # largest allowed difference of a probability from the Keras model's
NOT_CARRIED = ("forward", "interpolate")  # values of `data.missing`


def check_onnx(spec: DatasetSpec) -> None:
    """Checks that an ONNX file can be written for a model of this data.

    Raises:
        ConfigError: a package is missing, or tf2onnx would convert the model wrongly.
    """
    check_packages("onnx", "--onnx")
    if spec.missing in NOT_CARRIED:
        raise ConfigError(
            "--onnx cannot carry over missing values that are filled from their neighbours: "
            "tf2onnx converts `tf.scatter_nd` to an operation that keeps one of several entries "
            f"where TensorFlow adds them. Leave --onnx out. Received: `data.missing` "
            f"{spec.missing!r}"
        )


def write_onnx(
    folder: Path, model: keras.Model, spec: DatasetSpec, dtype: str, examples: WarmupExamples
) -> None:
    """Writes `assets.extra/model.onnx` and compares its probabilities with the model's.

    Args:
        folder: the version's folder.
        model: the classifier; it gives logits.
        spec: spec of the data.
        dtype: dtype of the raw values.
        examples: examples to compare with.

    Raises:
        ConfigError: a package is missing, or tf2onnx would convert the model wrongly.
        ExportError: the model cannot be converted, or the probabilities of the file differ from the
            model's.
    """
    check_onnx(spec)
    content = convert(model, spec, dtype)
    batch = WarmupExamples(examples.x.astype(dtype), examples.lengths)
    try:
        found = run_onnx(content, batch.x, batch.lengths)
    except Exception as error:  # ONNX Runtime has classes for its errors, and no class above them
        raise ExportError(
            f"Nothing was published: ONNX Runtime cannot run what tf2onnx has made of this model: "
            f"{_first_line(error)}. Leave --onnx out."
        ) from error
    sequences: Any = as_sequences(examples.x, spec, examples.lengths)
    if examples.lengths is not None:
        sequences = {"sequences": sequences, "lengths": tf.constant(examples.lengths)}
    expected = tf.nn.softmax(tf.cast(model(sequences, training=False), tf.float32)).numpy()
    difference = float(np.abs(found - expected).max())
    if not difference <= TOLERANCE:
        raise ExportError(
            f"Nothing was published: the ONNX file is {difference:.2g} away from the model's "
            f"probabilities, more than {TOLERANCE:g}."
        )
    path = folder / ONNX
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def run_onnx(content: bytes, x: np.ndarray, lengths: np.ndarray | None = None) -> np.ndarray:
    """Runs an ONNX file of `write_onnx` on a batch.

    Args:
        content: content of the file.
        x: `[N, *raw_shape]`, of the dtype that the model in the file takes.
        lengths: int32 `[N]`, where lengths vary.

    Returns:
        Probabilities, float32 `[N, C]`, or `[N, T, C]` of a model that classifies time steps.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    inputs = {"inputs": x} if lengths is None else {"inputs": x, "lengths": lengths}
    probabilities: np.ndarray = session.run(["probabilities"], inputs)[0]
    return probabilities


def convert(model: keras.Model, spec: DatasetSpec, dtype: str) -> bytes:
    """Returns the content of the ONNX file of a model; see `write_onnx`."""
    import onnx
    import tf2onnx

    unroll = not spec.variable_length and spec.time_steps <= MAX_UNROLLED_STEPS

    def classify(inputs: tf.Tensor, lengths: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
        sequences: Any = as_sequences(inputs, spec, lengths)
        if lengths is not None:
            sequences = {"sequences": sequences, "lengths": lengths}
        with execution(xla="off", unroll=unroll, shares=1, cudnn=False, gradient=False):
            logits = model(sequences, training=False)
        return {"probabilities": tf.nn.softmax(tf.cast(logits, tf.float32))}

    signature = [tf.TensorSpec([None, *spec.input_shape], dtype, name="inputs")]
    if spec.variable_length:
        signature.append(tf.TensorSpec([None], tf.int32, name="lengths"))
    function = compiled(classify, input_signature=signature)
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    try:
        with standard_error_to_file():
            converted, _ = tf2onnx.convert.from_function(function, signature, opset=OPSET)
    except Exception as error:
        raise ExportError(
            f"Nothing was published: tf2onnx cannot convert this model: {_first_line(error)}. "
            "Leave --onnx out."
        ) from error
    facts = {"class_names": json.dumps(spec.class_names), "reading": spec.reading}
    onnx.helper.set_model_props(converted, facts)
    content: bytes = converted.SerializeToString()
    return content


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return f"{type(error).__name__}: {text.splitlines()[0] if text else ''}".rstrip(".: ")
