"""`export_run`: a run's model as a versioned SavedModel that needs neither seqclf nor Keras.

TF Serving watches `EXPORT_DIR` and serves each child whose name is an integer, so a version is
written under another name in that folder and then renamed: it appears whole or not at all.
"""

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from seqclf.data.dataset import DatasetSpec
from seqclf.data.normalization import as_sequences
from seqclf.errors import ExportError, RunError
from seqclf.layers.execution import execution
from seqclf.models import load_classifier
from seqclf.runs import Run

# Unrolled steps answer a single request in two thirds of a loop's time, with 14 operations a step
# and layer: a graph of 784 steps would take longer to load than it ever saves.
MAX_UNROLLED_STEPS = 128
METADATA = "assets.extra/seqclf.json"  # TF Serving leaves assets.extra alone


def export_run(run: Run, export_dir: str | Path, input_dtype: str = "") -> Path:
    """Exports the model of a run as the next version.

    Args:
        run: a trained run.
        export_dir: the folder of the versions; it is created.
        input_dtype: `uint8` or `float32`, of the raw values that the signature takes; empty: that
            of the data.

    Returns:
        The new version's folder, `EXPORT_DIR/<version>`.

    Raises:
        RunError: the run has no model yet.
        ExportError: the folder cannot be written.
    """
    run.read_config()
    if not run.model.exists() or not run.dataset.exists():
        raise RunError(f"{run.path} has no model.keras yet: finish its training first.")
    spec = DatasetSpec.from_json(run.dataset.read_text())
    model = load_classifier(run.model)
    metadata = {"run": run.path.name, "spec": json.loads(spec.to_json())}
    return export_model(model, spec, Path(export_dir).expanduser(), metadata, input_dtype)


def export_model(
    model: keras.Model,
    spec: DatasetSpec,
    export_dir: Path,
    metadata: dict[str, Any],
    input_dtype: str = "",
) -> Path:
    """Exports a classifier as the next version of `export_dir`; see `export_run`."""
    signature = Signature(model, spec, input_dtype or spec.raw_dtype)
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", signature.call, input_signature=signature.inputs)
    try:
        export_dir.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=export_dir, prefix=".tmp-"))
    except OSError as error:
        raise ExportError(f"{export_dir} cannot be written: {error.strerror}") from error
    try:
        archive.write_out(str(staging), verbose=False)
        extra = staging / METADATA
        extra.parent.mkdir(exist_ok=True)
        extra.write_text(json.dumps(metadata, indent=2) + "\n")
        staging.chmod(0o755)  # mkdtemp makes it private; the server may be another user
        _sync(staging)
        return _publish(staging, export_dir)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


class Signature:
    """The endpoint `serving_default`: raw examples in, probabilities and class out.

    Args:
        model: gives logits.
        spec: of the data.
        input_dtype: of the raw values, `uint8` or `float32`.
    """

    def __init__(self, model: keras.Model, spec: DatasetSpec, input_dtype: str):
        self._model = model
        self._spec = spec
        free = (None, *spec.raw_shape[1:]) if spec.variable_length else spec.raw_shape
        self._shape = (None, *free)
        self.inputs = [tf.TensorSpec(self._shape, input_dtype, name="inputs")]
        if spec.variable_length:
            self.inputs.append(tf.TensorSpec([None], tf.int32, name="lengths"))

    def call(self, inputs: tf.Tensor, lengths: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
        """Classifies raw examples.

        Args:
            inputs: `[B, *raw_shape]`.
            lengths: `[B]` int32, where lengths vary.

        Returns:
            `probabilities` float32 `[B, C]`, `class_index` int32 `[B]`, `class_name` string `[B]`.
        """
        # TF Serving does not check the shapes of a signature: 56 rows would be read as 28.
        inputs = tf.ensure_shape(inputs, self._shape)
        sequences = as_sequences(inputs, self._spec, lengths)
        if lengths is not None:
            lengths = tf.ensure_shape(lengths, [None])
            tf.debugging.assert_equal(tf.shape(lengths)[0], tf.shape(inputs)[0])
            sequences = {"sequences": sequences, "lengths": lengths}
        # Plain TensorFlow: a server has no XLA, and may have no GPU where this machine has one.
        unroll = not self._spec.variable_length and self._spec.steps <= MAX_UNROLLED_STEPS
        with execution(xla="none", unroll=unroll, shares=1, cudnn=False, gradient=False):
            logits = self._model(sequences, training=False)  # [B, C]
        index = tf.argmax(logits, axis=-1, output_type=tf.int32)
        return {
            "probabilities": tf.nn.softmax(logits),
            "class_index": index,
            "class_name": tf.gather(tf.constant(self._spec.class_names), index),
        }


def versions(export_dir: Path) -> list[int]:
    """Returns the versions in a folder, lowest first, by TF Serving's rule: integer names."""
    if not export_dir.is_dir():
        return []
    return sorted(
        int(entry.name)
        for entry in export_dir.iterdir()
        if entry.name.isascii() and entry.name.isdecimal()
    )


def _publish(staging: Path, export_dir: Path) -> Path:
    """Renames the finished folder to the next version; never onto one that exists."""
    while True:
        version = export_dir / str(max(versions(export_dir), default=0) + 1)
        try:
            os.rename(staging, version)  # fails where a non-empty folder of that name exists
        except OSError:
            if not version.exists():
                raise
            continue  # another export took the number in between
        _sync_folder(export_dir)
        return version


def _sync(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with open(path, "rb+") as file:
                os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
