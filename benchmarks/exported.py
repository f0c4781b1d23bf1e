"""Times our SavedModel beside one that Keras exports of `keras.layers.GRU`, and an empty one."""

import os
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

BATCHES = (1, 32, 256)
STEPS, FEATURES, UNITS, CLASSES = 28, 28, 100, 10


def measure(rounds: int) -> list[dict[str, Any]]:
    """Returns the median milliseconds of each export, for each batch size and way to call it.

    "session" is how TensorFlow Serving runs a model; "signature" is Python's
    `tf.saved_model.load(...).signatures[...]`. "empty" has our signature and computes nothing: what
    it takes, every export takes.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryDirectory() as folder:
        paths = {"seqclf": _export_ours(Path(folder)), "keras": _export_theirs(Path(folder))}
        paths["empty"] = _export_empty(Path(folder), paths["seqclf"])
        calls = {
            way: {name: open_it(path) for name, path in paths.items()}
            for way, open_it in (("session", _session), ("signature", _signature))
        }
    rng = np.random.default_rng(0)
    results = []
    for batch in BATCHES:
        x = rng.random((batch, STEPS, FEATURES), dtype=np.float32)
        for way, exports in calls.items():
            times: dict[str, list[float]] = {name: [] for name in exports}
            for call in exports.values():
                call(x)
            repeats = max(5, 200 // batch)
            for _ in range(rounds):
                for name, call in exports.items():
                    start = time.perf_counter()
                    for _ in range(repeats):
                        call(x)
                    times[name].append((time.perf_counter() - start) / repeats * 1e3)
            results.append(
                {"batch": batch, "way": way} | {name: median(t) for name, t in times.items()}
            )
    return results


def _export_ours(folder: Path) -> Path:
    from seqclf.config import resolve
    from seqclf.data.dataset import DatasetSpec
    from seqclf.models.classifier import build_classifier
    from seqclf.serving.export import export_model

    spec = DatasetSpec(
        source="random",
        reading="rows",
        raw_shape=(STEPS, FEATURES),
        raw_dtype="float32",
        class_names=tuple(map(str, range(CLASSES))),
    )
    model = build_classifier(resolve({"model": {"units": [UNITS, UNITS]}}), spec)
    return export_model(model, spec, folder / "seqclf", {})


def _export_theirs(folder: Path) -> Path:
    import keras

    model = keras.Sequential(
        [
            keras.Input((STEPS, FEATURES), name="inputs"),
            keras.layers.GRU(UNITS, return_sequences=True),
            keras.layers.GRU(UNITS),
            keras.layers.Dense(CLASSES, activation="softmax"),
        ]
    )
    model.export(folder / "keras", verbose=False)
    return folder / "keras"


def _export_empty(folder: Path, like: Path) -> Path:
    """Writes a model with the signature of another one, whose outputs hold zeros."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(like))
    outputs = loaded.signatures["serving_default"].structured_outputs

    @tf.function(input_signature=[tf.TensorSpec((None, STEPS, FEATURES), tf.float32, "inputs")])
    def empty(inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        batch = tf.shape(inputs)[:1]
        return {
            name: tf.fill(tf.concat([batch, spec.shape[1:]], 0), tf.zeros((), spec.dtype))
            for name, spec in outputs.items()
        }

    module = tf.Module()
    tf.saved_model.save(module, str(folder / "empty"), {"serving_default": empty})
    return folder / "empty"


def _session(path: Path) -> Any:
    import tensorflow as tf

    graph = tf.Graph()
    with graph.as_default():
        session = tf.compat.v1.Session(graph=graph)
        meta = tf.compat.v1.saved_model.load(session, ["serve"], str(path))
        signature = meta.signature_def["serving_default"]
        return session.make_callable(
            [output.name for output in signature.outputs.values()],
            [signature.inputs["inputs"].name],
        )


def _signature(path: Path) -> Any:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    function = loaded.signatures["serving_default"]

    def call(x: np.ndarray) -> list[np.ndarray]:
        return [output.numpy() for output in function(inputs=tf.constant(x)).values()]

    call.loaded = loaded  # type: ignore[attr-defined]  # the signature alone does not keep it
    return call
