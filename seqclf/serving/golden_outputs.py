"""`golden_outputs`: what a model answers, for the comparison with the answers of its export."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from seqclf.data.dataset import DatasetSpec
from seqclf.data.normalization import as_sequences
from seqclf.data.step_labels import NO_LABEL, valid_steps
from seqclf.serving.decision import Threshold
from seqclf.serving.object_arrays import object_array
from seqclf.serving.verify.check import Golden
from seqclf.serving.warmup import WarmupExamples

GOLDEN_BATCH = 3


def golden_outputs(
    model: keras.Model,
    spec: DatasetSpec,
    dtype: str,
    names: list[str],
    examples: WarmupExamples,
    threshold: Threshold | None,
) -> list[Golden]:
    """Returns a few examples with the outputs of the Keras model, for each signature."""
    batch = examples.batch(GOLDEN_BATCH)
    sequences = as_sequences(batch.x, spec, batch.lengths)
    inputs: Any = sequences
    if batch.lengths is not None:
        inputs = {"sequences": sequences, "lengths": tf.constant(batch.lengths)}
    probabilities = tf.nn.softmax(tf.cast(model(inputs, training=False), tf.float32)).numpy()
    index = probabilities.argmax(-1).astype(np.int32)
    if threshold:
        reached = probabilities[..., threshold.class_index] >= np.float32(threshold.probability)
        index = (reached == bool(threshold.class_index)).astype(np.int32)
    classes = object_array(name.encode() for name in spec.class_names)
    class_name = classes[index]
    if spec.per_step:
        padding = ~valid_steps(index.shape, batch.lengths)
        probabilities[padding], index[padding], class_name[padding] = 0.0, NO_LABEL, b""
    outputs = {
        "probabilities": probabilities,
        "class_index": index,
        "class_name": class_name,
    }
    of_text = outputs
    if spec.per_step and batch.lengths is not None:  # texts are as long as the longest of them
        of_text = {name: each[:, : batch.lengths.max()] for name, each in outputs.items()}
    expected = {
        "serving_default": outputs,
        "serving_bytes": outputs,
        "serving_csv": of_text,
        "classify": {"classes": np.stack([classes] * GOLDEN_BATCH), "scores": probabilities},
    }
    return [
        Golden(name, batch.feed(name, spec, dtype), expected[name])
        for name in names
        if name in expected
    ]
