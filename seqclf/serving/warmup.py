"""The warm-up: requests that TensorFlow Serving replays when it loads a model.

The file `assets.extra/tf_serving_warmup_requests` is a TFRecord of PredictionLog messages. If one
of the requests fails, the whole version fails to load. So all are replayed before a version is
published.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image
from tensorflow_serving.apis import prediction_log_pb2

from seqclf.data.dataset import DatasetSpec
from seqclf.data.npz import load_npz
from seqclf.serving.batching import BATCH_SIZES
from seqclf.serving.file_names import WARMUP
from seqclf.serving.object_arrays import object_array
from seqclf.storage.run_directory import Run


@dataclass(frozen=True)
class WarmupExamples:
    """A few raw examples for the requests of the warm-up and of the verification.

    Attributes:
        x: `[N, *raw_shape]`, raw values of the data's dtype.
        lengths: int32 `[N]`; None if lengths do not vary.
    """

    x: np.ndarray
    lengths: np.ndarray | None = None

    def batch(self, size: int) -> "WarmupExamples":
        """Returns `size` examples, repeated if there are fewer."""
        at = np.arange(size) % len(self.x)
        return WarmupExamples(self.x[at], None if self.lengths is None else self.lengths[at])

    def with_gap(self, spec: DatasetSpec) -> "WarmupExamples":
        """Returns examples with a missing value, if the model takes missing values.

        Otherwise, or if they have one already, they are the same.
        """
        if spec.missing == "error" or np.isnan(self.x).any():
            return self
        x = self.x.copy()
        steps = x.shape[1] if self.lengths is None else int(self.lengths[0])
        x[0, steps // 2, ..., 0] = np.nan
        return WarmupExamples(x, self.lengths)

    def feed(self, signature: str, spec: DatasetSpec, dtype: str) -> dict[str, np.ndarray]:
        """Returns the inputs of a signature, by name.

        Args:
            signature: name of a signature of `ExportSignatures`.
            spec: spec of the data.
            dtype: dtype of the input in signatures that take raw values.
        """
        if signature in ("serving_bytes", "trace_bytes"):
            return {"image_bytes": object_array(encode_png(x, spec) for x in self.x)}
        if signature == "serving_csv":
            assert self.lengths is not None
            pairs = zip(self.x, self.lengths, strict=True)
            return {"csv": object_array(encode_csv(x[:n]) for x, n in pairs)}
        if signature == "classify":
            lengths = [None] * len(self.x) if self.lengths is None else self.lengths
            pairs = zip(self.x, lengths, strict=True)
            return {"inputs": object_array(_example(x[:n]).SerializeToString() for x, n in pairs)}
        inputs = {"inputs": self.x.astype(dtype)}
        if self.lengths is not None:
            inputs["lengths"] = self.lengths.astype(np.int32)
        return inputs


def examples_of(run: Run, spec: DatasetSpec) -> WarmupExamples:
    """Returns the test examples that a training left in `RUN/samples`, or a blank one."""
    image_files = sorted(run.samples.glob("*.png"))
    if image_files and spec.raw_dtype == "uint8":
        pixels = np.stack([np.asarray(Image.open(path), np.float32) for path in image_files])
        return WarmupExamples(np.round(pixels * (spec.full_scale / 255)).astype(np.uint8))
    if (run.samples / "samples.npz").is_file():
        arrays = load_npz(str(run.samples / "samples.npz"), labelled=False)
        lengths = None if arrays.lengths is None else arrays.lengths.astype(np.int32)
        return WarmupExamples(arrays.x, lengths)
    return blank_examples(spec)


def blank_examples(spec: DatasetSpec) -> WarmupExamples:
    """Returns one example of zeros."""
    x = np.zeros((1, *spec.raw_shape), spec.raw_dtype)
    return WarmupExamples(
        x, np.array([spec.time_steps], np.int32) if spec.variable_length else None
    )


def write_warmup(
    folder: Path, signatures: list[str], spec: DatasetSpec, dtype: str, examples: WarmupExamples
) -> int:
    """Writes a request of every allowed batch size for every signature.

    Args:
        folder: the version's folder.
        signatures: names of the signatures.
        spec: spec of the data.
        dtype: dtype of the input in signatures that take raw values.
        examples: the examples in the requests.

    Returns:
        The number of requests.
    """
    path = folder / WARMUP
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:  # not compressed: the server could not read it
        for signature in signatures:
            for size in BATCH_SIZES:
                batch = examples.batch(size)
                if signature == "classify":
                    log = _classification_log(batch)
                else:
                    log = prediction_log(signature, batch.feed(signature, spec, dtype))
                writer.write(log.SerializeToString())
    return len(signatures) * len(BATCH_SIZES)


def encode_png(x: np.ndarray, spec: DatasetSpec) -> bytes:
    """Returns a raw image `[H, W]` or `[H, W, C]` as the bytes of a PNG, 8 bits per channel."""
    pixels = np.round(x * (255 / spec.full_scale)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2:] == (1,) else pixels).save(buffer, "PNG")
    return buffer.getvalue()


def encode_csv(x: np.ndarray) -> bytes:
    """Returns a raw sequence `[T, D]` as the CSV text that `parse_csv` reads, to the bit."""
    cells = x.reshape(len(x), -1).astype(str)  # the shortest decimals that give the same float32
    return "".join(",".join(row) + "\n" for row in cells.tolist()).replace("nan", "").encode()


def prediction_log(signature: str, inputs: dict[str, np.ndarray]) -> Any:
    """Returns a request to a predict signature as a PredictionLog message.

    Args:
        signature: name of the signature.
        inputs: values by the names of its inputs.
    """
    log = prediction_log_pb2.PredictionLog()
    request = log.predict_log.request
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return log


def _classification_log(batch: WarmupExamples) -> Any:
    log = prediction_log_pb2.PredictionLog()
    request = log.classify_log.request
    request.model_spec.signature_name = "classify"
    lengths = [None] * len(batch.x) if batch.lengths is None else batch.lengths
    for x, length in zip(batch.x, lengths, strict=True):
        request.input.example_list.examples.append(_example(x[:length]))
    return log


def _example(x: np.ndarray) -> tf.train.Example:
    """Returns a raw example as the message that the signature `classify` takes."""
    if x.dtype == np.uint8:
        feature = tf.train.Feature(int64_list=tf.train.Int64List(value=x.ravel().tolist()))
    else:
        feature = tf.train.Feature(float_list=tf.train.FloatList(value=x.ravel().tolist()))
    return tf.train.Example(features=tf.train.Features(feature={"inputs": feature}))
