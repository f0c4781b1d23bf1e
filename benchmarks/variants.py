"""Compares smaller exports with the one that is served: accuracy, size and latency.

    python -m seqclf.train --config=configs/mnist.py --workdir=runs/mnist
    python -m benchmarks.variants --workdir=runs/mnist

Every variant of the run's model predicts the whole test split. The latency is that of one example
at a time; the variants take turns. The sizes are those of weights and graph, without warm-up
requests. The variant for ONNX Runtime needs the extra `onnx`. docs/performance.md has the results.
"""

import contextlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import tensorflow as tf
from absl import app, flags

from seqclf.data.dataset import Split
from seqclf.data.normalization import as_sequences
from seqclf.data.sources import load_dataset
from seqclf.layers.execution import execution
from seqclf.models.loading import load_classifier
from seqclf.storage.run_directory import Run

WORKDIR = flags.DEFINE_string("workdir", None, "Run directory.", required=True)
ROUNDS = flags.DEFINE_integer("rounds", 20, "Number of turns of each variant.", 1)
CALLS = flags.DEFINE_integer("calls", 100, "Calls in a turn.", 1)


class Stored(tf.Module):
    """A classifier whose weights are stored in another type and cast to float32 at each call."""

    def __init__(self, model: Any, spec: Any, dtype: tf.DType):
        super().__init__()
        self._model, self._spec = model, spec
        self.weights = [tf.Variable(tf.cast(v.value, dtype)) for v in model.trainable_variables]
        self._fixed = [tf.constant(v.value) for v in model.non_trainable_variables]

    def __call__(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        weights = [tf.cast(weight, tf.float32) for weight in self.weights]
        sequences = as_sequences(inputs, self._spec)
        with execution(xla="off", unroll=True, shares=1, cudnn=False, gradient=False):
            logits, _ = self._model.stateless_call(weights, self._fixed, sequences, training=False)
        return {"probabilities": tf.nn.softmax(logits)}


def saved_model(folder: Path, module: Stored, spec: Any) -> tuple[int, Callable]:
    """Saves a module; returns its size in bytes and a function [B, …] → [B, C]."""
    signature = tf.TensorSpec([None, *spec.raw_shape], spec.raw_dtype, name="inputs")
    function = tf.function(module, input_signature=[signature]).get_concrete_function()
    tf.saved_model.save(module, str(folder), signatures={"serving_default": function})
    session = tf.compat.v1.Session(graph=tf.Graph())
    with session.graph.as_default():
        meta = tf.compat.v1.saved_model.load(session, ["serve"], str(folder))
        ends = meta.signature_def["serving_default"]
        call = session.make_callable(
            ends.outputs["probabilities"].name, [ends.inputs["inputs"].name]
        )
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()), call


def litert(module: Stored, spec: Any, quantised: bool) -> tuple[int, Callable]:
    """Converts a module for LiteRT; returns its size in bytes and a function [B, …] → [B, C]."""
    signature = tf.TensorSpec([1, *spec.raw_shape], spec.raw_dtype, name="inputs")
    function = tf.function(module, input_signature=[signature]).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
    converter.optimizations = [tf.lite.Optimize.DEFAULT] if quantised else []
    content = converter.convert()
    interpreter = tf.lite.Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()

    def call(x: np.ndarray) -> np.ndarray:
        rows = []
        for each in x:
            interpreter.set_tensor(taken["index"], each[None])
            interpreter.invoke()
            rows.append(interpreter.get_tensor(given["index"])[0])
        return np.stack(rows)

    return len(content), call


def onnx(model: Any, spec: Any) -> tuple[int, Callable]:
    """Converts a model for ONNX Runtime; returns its size and a function [B, …] → [B, C]."""
    import onnxruntime

    from seqclf.serving.onnx_file import convert

    content = convert(model, spec, spec.raw_dtype)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return len(content), lambda x: session.run(["probabilities"], {"inputs": x})[0]


def main(argv: list[str]) -> None:
    del argv
    run = Run(WORKDIR.value)
    dataset = load_dataset(**run.read_config().data.to_dict())
    spec = dataset.spec
    model, test = load_classifier(run.model, spec), dataset.test
    if spec.variable_length or not isinstance(test, Split):
        raise app.UsageError("The variants need sequences of one length, all in memory.")
    variants: dict[str, tuple[int, Callable]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for dtype in (tf.float32, tf.bfloat16, tf.float16):
            module = Stored(model, spec, dtype)
            variants[f"SavedModel, {dtype.name} weights"] = saved_model(
                Path(folder) / dtype.name, module, spec
            )
        module = Stored(model, spec, tf.float32)
        variants["LiteRT, float32"] = litert(module, spec, quantised=False)
        variants["LiteRT, dynamic-range int8"] = litert(module, spec, quantised=True)
        with contextlib.suppress(ImportError):  # the extra `onnx`
            variants["ONNX, float32"] = onnx(model, spec)
        columns = "size, KiB | accuracy | other answers | largest difference | one example, ms"
        print(f"| variant | {columns} |")
        print("|---|--:|--:|--:|--:|--:|")
        times = latencies(variants, test.x[:1])
        first = None
        for name, (size, call) in variants.items():
            x = test.x
            parts = [call(x[i : i + 500]) for i in range(0, len(x), 500)]
            given = np.concatenate(parts)
            first = given if first is None else first
            accuracy = (given.argmax(-1) == test.y).mean()
            other = (given.argmax(-1) != first.argmax(-1)).sum()
            print(
                f"| {name} | {size / 1024:.0f} | {accuracy:.2%} | {other} of {len(x):,} "
                f"| {np.abs(given - first).max():.1e} "
                f"| {times[name]:.2f} |",
                flush=True,
            )


def latencies(variants: dict[str, tuple[int, Callable]], x: np.ndarray) -> dict[str, float]:
    """Returns the median milliseconds of a call of each variant; the variants take turns."""
    times: dict[str, list[float]] = {name: [] for name in variants}
    for turn in range(ROUNDS.value + 1):
        for name, (_, call) in variants.items():
            started = time.perf_counter()
            for _ in range(CALLS.value):
                call(x)
            if turn:  # the first warms up
                times[name].append((time.perf_counter() - started) / CALLS.value * 1e3)
    return {name: median(values) for name, values in times.items()}


if __name__ == "__main__":
    app.run(main)
