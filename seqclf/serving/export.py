"""`export_run`: a run's model as a versioned SavedModel that needs neither seqclf nor Keras.

What a version holds, beside `saved_model.pb` and `variables/`:

    assets/labels.txt                           the class names, one a line, by index
    batching_params.pbtxt                       how the server may batch
    assets.extra/tf_serving_warmup_requests     what it replays when it loads the model
    assets.extra/manifest.json, model_card.md   what the model is
    assets.extra/seqclf.json                    what seqclf.predict needs of it
    assets.extra/model.tflite                   on request: the model for LiteRT
"""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from seqclf.data.dataset import DatasetSpec
from seqclf.data.normalization import as_sequences
from seqclf.errors import ConfigError, ExportError, StorageError
from seqclf.models.loading import load_trained
from seqclf.serving.batching import batching_params
from seqclf.serving.litert import write_litert
from seqclf.serving.manifest import write_card, write_manifest
from seqclf.serving.names import BATCHING, METADATA
from seqclf.serving.object_arrays import object_array
from seqclf.serving.publish import publish, staging
from seqclf.serving.signatures import Signatures
from seqclf.serving.verify.check import Check, Golden, verify
from seqclf.serving.warmup import Examples, blank_examples, examples_of, write_warmup
from seqclf.storage.environment import describe_environment
from seqclf.storage.run_directory import Run

GOLDEN_BATCH = 3
# What TensorFlow raises for a full disk, and for one that may not or cannot be written.
DISK = (
    tf.errors.ResourceExhaustedError,
    tf.errors.PermissionDeniedError,
    tf.errors.OutOfRangeError,  # the limit on the size of files
    tf.errors.FailedPreconditionError,
    tf.errors.UnknownError,
)


def export_run(
    run: Run,
    export_dir: str | Path,
    input_dtype: str = "",
    keep: int = 0,
    report: dict[str, Any] | None = None,
    litert: str = "",
) -> Path:
    """Exports the model of a run as the next version.

    Args:
        run: a trained run.
        export_dir: the folder of the versions; it is created.
        input_dtype: `uint8` or `float32`, of the raw values that `serving_default` takes; empty:
            that of the data.
        keep: how many of the newest versions to keep; 0 keeps all.
        report: of the run, for the model card; None: that in the run directory.
        litert: `float32` or `int8`: write a LiteRT file too, see `write_litert`.

    Returns:
        The new version's folder, `EXPORT_DIR/<version>`.

    Raises:
        RunError: the run has no model yet, or one that does not fit its data.
        ConfigError: an option is not for such data.
        ExportError: the folder cannot be written, or a check failed: then nothing is published.
        StorageError: there is no room for it, or no right to write it.
    """
    config = run.read_config()
    model, spec = load_trained(run)
    if input_dtype == "uint8" and spec.raw_dtype != "uint8":
        raise ConfigError(
            f"--input_dtype=uint8 is for data that are; those of {run.path} are {spec.raw_dtype}."
        )
    if report is None and run.report.exists():
        report = json.loads(run.report.read_text())
    facts = {
        "run": run.path.name,
        "report": report,
        "config": config.to_dict(),
        "data": run.read_manifest().get("data"),
        **describe_environment(),
    }
    return export_model(
        model,
        spec,
        Path(export_dir).expanduser(),
        facts,
        input_dtype,
        keep=keep,
        examples=examples_of(run, spec),
        litert=litert,
    )


def export_model(
    model: keras.Model,
    spec: DatasetSpec,
    export_dir: Path,
    facts: dict[str, Any] | None = None,
    input_dtype: str = "",
    *,
    keep: int = 0,
    examples: Examples | None = None,
    litert: str = "",
) -> Path:
    """Exports a classifier as the next version of `export_dir`.

    Args:
        model: gives logits; see `build_classifier`.
        spec: of its data.
        export_dir: the folder of the versions.
        facts: for the manifest and the model card.
        input_dtype: see `export_run`, as for `keep`.
        keep: see there.
        examples: what the warm-up and the checks ask about; None: an example of zeros.
        litert: see `export_run`.

    Returns:
        The version's folder.

    Raises:
        ExportError: as `export_run`.
    """
    examples = examples or blank_examples(spec)
    dtype = input_dtype or spec.raw_dtype
    with staging(export_dir) as folder:
        try:
            names = write_version(folder, model, spec, facts or {}, dtype, examples)
        except (OSError, *DISK) as error:
            reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
            raise StorageError(
                f"Nothing was published in {export_dir}: the new version could not be written "
                f"({reason})."
            ) from error
        if litert:
            write_litert(folder, model, spec, dtype, litert, examples.x)
        checks = verify(folder, goldens=_goldens(model, spec, dtype, names, examples))
        failed = [check for check in checks if check.passed is False]
        if failed:
            raise ExportError(
                f"Nothing was published in {export_dir}: the new version failed "
                + "; ".join(f"[{check.rule}] {check.detail}" for check in failed)
            )
        recorded = {"checks": [_recorded(check) for check in checks]}
        write_manifest(folder, (facts or {}) | recorded)
        return publish(folder, export_dir, keep)


def write_version(
    folder: Path,
    model: keras.Model,
    spec: DatasetSpec,
    facts: dict[str, Any],
    dtype: str,
    examples: Examples,
) -> list[str]:
    """Writes all of a version but its manifest into a folder; returns its signatures' names."""
    signatures = Signatures(model, spec, dtype)
    functions = {
        name: tf.function(function, input_signature=inputs).get_concrete_function()
        for name, (function, inputs) in signatures.all.items()
    }
    labels = folder / "labels.txt"  # copied to assets/ under this name
    labels.write_text("".join(" ".join(name.split("\n")) + "\n" for name in spec.class_names))
    # Of the Keras model nothing is saved but the variables that the functions use.
    module = tf.Module()
    module.model_variables = list(
        {id(v): v for f in functions.values() for v in f.variables}.values()
    )
    module.labels = tf.saved_model.Asset(str(labels))
    tf.saved_model.save(module, str(folder), signatures=functions)
    labels.unlink()
    names = list(signatures.all)
    (folder / BATCHING).write_text(batching_params())
    write_warmup(folder, names, spec, dtype, examples)
    metadata = {"run": facts.get("run"), "spec": json.loads(spec.to_json())}
    (folder / METADATA).write_text(json.dumps(metadata, indent=2) + "\n")
    write_card(folder, spec, facts)
    return names


def _goldens(
    model: keras.Model, spec: DatasetSpec, dtype: str, names: list[str], examples: Examples
) -> list[Golden]:
    """Returns what the Keras model itself makes of a few examples, for each signature."""
    batch = examples.batch(GOLDEN_BATCH)
    sequences = as_sequences(batch.x, spec, batch.lengths)
    inputs: Any = sequences
    if batch.lengths is not None:
        inputs = {"sequences": sequences, "lengths": tf.constant(batch.lengths)}
    probabilities = tf.nn.softmax(tf.cast(model(inputs, training=False), tf.float32)).numpy()
    index = probabilities.argmax(-1).astype(np.int32)
    classes = object_array(name.encode() for name in spec.class_names)
    answer = {
        "probabilities": probabilities,
        "class_index": index,
        "class_name": classes[index],
    }
    known = {
        "serving_default": answer,
        "serving_bytes": answer,
        "classify": {"classes": np.stack([classes] * GOLDEN_BATCH), "scores": probabilities},
    }
    return [
        Golden(name, batch.feed(name, spec, dtype), known[name]) for name in names if name in known
    ]


def _recorded(check: Check) -> dict[str, Any]:
    result = {True: "passed", False: "failed", None: "skipped"}[check.passed]
    return {"rule": check.rule, "result": result, "detail": check.detail}
